#include "collect/program/program_source.h"

#include <utility>

namespace stoker::collect {
namespace {

constexpr std::array<const char*, 6> kResults = {"ok", "failed", "timeout", "too_large", "bad_output", "not_started"};

}  // namespace

ProgramSource::ProgramSource(ProgramSourceOptions options)
    : name_("program/" + options.name),
      program_(std::move(options.program)),
      pages_({{"instance", options.instance}, {"job", "program"}, {"program", options.name}}, options.limits) {}

Result<Unit> ProgramSource::collect(Timestamp now, SampleSink& sink) {
    pages_.begin(now);
    const auto began = std::chrono::steady_clock::now();
    const auto samples = read();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    pages_.add("up", {}, samples ? 1 : 0);
    pages_.add("scrape_duration_seconds", {}, took.count());
    pages_.add("scrape_samples_scraped", {}, samples ? static_cast<double>(*samples) : 0);
    for (std::size_t i = 0; i < runs_.size(); ++i) {
        pages_.add("stoker_program_runs_total", {{"result", kResults[i]}}, static_cast<double>(runs_[i]));
    }
    pages_.finish(sink);
    if (!samples) return samples.error();
    return Unit{};
}

Result<std::size_t> ProgramSource::read() {
    auto run = program_.run();
    if (!run) {
        count(Run::NotStarted);
        return std::move(run).error();
    }
    const std::string& shown = program_.spec().command.front();
    if (const std::string trouble = trouble_of(*run, program_.spec()); !trouble.empty()) {
        const bool late = run->end == ProgramEnd::TimedOut;
        count(late ? Run::Timeout : run->end == ProgramEnd::TooLarge ? Run::TooLarge : Run::Failed);
        return Error{late ? Errc::DeadlineExceeded : Errc::Unavailable, shown + " " + trouble};
    }
    auto samples = pages_.add(run->output, PageTimes::Taken);
    count(samples ? Run::Ok : Run::BadOutput);
    if (!samples) return std::move(samples).error().context("output of " + shown);
    return samples;
}

}  // namespace stoker::collect
