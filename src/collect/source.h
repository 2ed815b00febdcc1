// One thing that is read on a schedule: this machine's CPU, its GPUs, a program's output.
//
// Sources may block, for ever too (a file system whose server is gone, a driver that hangs): each is read on a thread
// of its own, never two rounds at a time, and one that does not come back delays nobody else.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "collect/sample_sink.h"

namespace stoker::collect {

class Source {
public:
    virtual ~Source() = default;

    // Its name in metrics and logs ("cpu", "nvml"); constant, and unique among the sources of a process.
    virtual std::string_view name() const = 0;

    // Reads once. What could be read goes to the sink, even if another part could not and is the error. Called from one
    // thread at a time, not always the same.
    virtual Result<Unit> collect(Timestamp now, SampleSink& sink) = 0;

    // What it keeps between rounds, in bytes, about; 0 where that is not worth counting. Called as collect() is.
    virtual std::size_t memory_bytes() const { return 0; }
};

}  // namespace stoker::collect
