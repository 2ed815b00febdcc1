// A collector that is a program: what it writes in Prometheus' text format becomes series, with job="program" and its
// name as the label `program` (docs/extending.md).
//
// A run that fails, is killed, or writes something else brings no samples but up=0, and ends its series.
// stoker_program_runs_total counts runs by result: ok, failed (it exited with another code than 0, or was killed),
// timeout, too_large, bad_output, not_started.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "collect/program/exposed_pages.h"
#include "collect/program/program.h"
#include "collect/source.h"

namespace stoker::collect {

struct ProgramSourceOptions {
    std::string name;      // The label `program`.
    std::string instance;  // The label `instance`.
    ProgramSpec program;
    PageLimits limits;
};

class ProgramSource : public Source {
public:
    explicit ProgramSource(ProgramSourceOptions options);

    std::string_view name() const override { return name_; }
    Result<Unit> collect(Timestamp now, SampleSink& sink) override;

private:
    enum class Run : std::uint8_t { Ok, Failed, Timeout, TooLarge, BadOutput, NotStarted };

    Result<std::size_t> read();
    void count(Run result) { ++runs_.at(static_cast<std::size_t>(result)); }

    const std::string name_;  // "program/NAME"
    Program program_;
    ExposedPages pages_;
    std::array<std::uint64_t, 6> runs_{};  // By Run.
};

}  // namespace stoker::collect
