// A queue on disk between whoever ingests samples and one that sends them on at its own pace: bounded by bytes, kept
// over restarts and outages. When it is full its oldest segment is dropped, and counted by its reader.
//
// Appending is thread-safe and takes microseconds.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "collect/sample_sink.h"
#include "journal/journal.h"
#include "wire/remote_write.h"

namespace stoker::outward {

class SampleQueue : public collect::SampleSink {
public:
    // Its records are those of the remote-write sender (collect/send/remote_write_sender_record.h). What the disk does
    // not take is counted in `lost`, which outlives the queue. Errors: the journal's.
    static Result<std::unique_ptr<SampleQueue>> open(const std::string& directory, std::uint64_t max_bytes,
                                                     metrics::Counter& lost);

    void append(const std::vector<tsdb::SeriesSample>& samples) override;
    // A remote-write request as it came.
    void append_message(wire::RemoteWriteVersion version, std::string_view snappy_body);

    journal::Journal& journal() { return *journal_; }
    // Drops what is too much, now and then; returns how many records the reader has not seen and never will.
    std::uint64_t sweep(const std::string& reader, SteadyTime steady);

private:
    SampleQueue(std::unique_ptr<journal::Journal> journal, metrics::Counter& lost)
        : journal_(std::move(journal)), lost_(lost) {}

    const std::unique_ptr<journal::Journal> journal_;
    metrics::Counter& lost_;
    SteadyTime next_sweep_{};
};

}  // namespace stoker::outward
