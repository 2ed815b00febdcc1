// Makes a data folder with a day of traffic in it, through the real stores: request records into the journal and the
// record store, their traces through sampling into the telemetry store. Time is simulated, the bytes on disk are real.
//
//   bench_day FOLDER HOURS REQUESTS_PER_SECOND
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>

#include "app/own_traces.h"
#include "base/log.h"
#include "base/text.h"
#include "records/store.h"
#include "records/telemetry_store.h"

namespace stoker {
namespace {

constexpr std::size_t kBatch = 5'000;
constexpr std::size_t kLoadEvery = 100'000;

class NoExemplars final : public tsdb::Ingest {
public:
    Result<tsdb::AppendOutcome> append(const std::vector<tsdb::SeriesSample>&) override {
        return tsdb::AppendOutcome{};
    }
    Result<std::size_t> append_exemplars(const std::vector<tsdb::SeriesExemplars>& batch) override {
        return batch.size();
    }
    void set_metadata(const std::vector<tsdb::FamilyMetadata>&) override {}
};

// Three models on six replicas, twenty tenants; two in a hundred requests fail, durations spread as in production.
class Traffic {
public:
    records::RequestRecord next(std::int64_t time_ms) {
        records::RequestRecord record;
        record.id = fmt::format("req_{:012x}{:016x}{:04x}", time_ms, random_(), random_() % 65'536);  // As make_id().
        record.trace_id = fmt::format("{:016x}{:016x}", random_(), random_());
        record.span_id = fmt::format("{:016x}", random_());
        record.time_ms = time_ms;
        record.endpoint = "/v1/chat/completions";
        const auto model = random_() % 3;
        record.model = fmt::format("llama-{}b", 8 << model);
        record.pool = fmt::format("pool{}", model);
        record.replica = fmt::format("pool{}/10.0.0.{}:8000", model, random_() % 6);
        record.tenant = fmt::format("tenant{}", random_() % 20);
        record.key_id = fmt::format("key_{}", random_() % 200);
        record.client = fmt::format("10.1.{}.{}:{}", random_() % 256, random_() % 256, 1024 + random_() % 60'000);
        record.stream = random_() % 4 != 0;
        record.usage_source = records::UsageSource::Engine;
        record.prompt_tokens = static_cast<std::int64_t>(tokens_(random_)) * 4;
        record.completion_tokens = static_cast<std::int64_t>(tokens_(random_));
        record.ttft_ns = record.stream ? static_cast<std::int64_t>(first_(random_) * 1e9) : 0;
        record.itl_mean_ns = 12'000'000 + static_cast<std::int64_t>(random_() % 8'000'000);
        record.itl_max_ns = record.itl_mean_ns * 3;
        record.duration_ns = record.ttft_ns + record.completion_tokens * record.itl_mean_ns;
        record.events = record.completion_tokens;
        record.request_bytes = record.prompt_tokens * 5;
        record.response_bytes = record.completion_tokens * 220;
        record.receive_ns = 40'000;
        record.route_ns = 15'000;
        record.status = 200;
        record.outcome = "ok";
        record.finish_reason = "stop";
        records::Attempt attempt{record.replica, 200, "", 60'000, record.duration_ns - 60'000};
        if (random_() % 50 == 0) {
            record.status = attempt.status = 502;
            record.outcome = "upstream_error";
            record.error = attempt.error = "connection_reset";
        }
        record.attempts = {attempt};
        return record;
    }

private:
    std::mt19937_64 random_{20'261'124};
    std::lognormal_distribution<double> tokens_{5, 0.8};
    std::lognormal_distribution<double> first_{-2, 0.7};
};

Result<Unit> run(const std::string& folder, double hours, double rate) {
    metrics::Registry registry;
    NoExemplars exemplars;
    TRY(auto journal, journal::Journal::open(folder + "/journal", {}));
    TRY(auto requests, records::RecordStore::open(folder + "/records", {}));
    TRY(auto telemetry, records::TelemetryStore::open(folder + "/telemetry", {}, registry));
    app::OwnTraces traces(*journal, *telemetry, {}, exemplars, registry);
    Traffic traffic;
    const auto count = static_cast<std::size_t>(hours * 3600 * rate);
    const std::int64_t begin = to_millis(now()) - static_cast<std::int64_t>(hours * 3'600'000);
    const auto started = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < count;) {
        std::vector<std::string> lines;
        std::vector<journal::Entry> entries;
        for (; i < count && lines.size() < kBatch; ++i) {
            const auto at = begin + static_cast<std::int64_t>(static_cast<double>(i) * 1000 / rate);
            lines.push_back(records::to_json(traffic.next(at)));
            entries.push_back({journal::Kind::Request, {}, from_millis(at)});
        }
        for (std::size_t k = 0; k < lines.size(); ++k) entries[k].payload = lines[k];
        TRY([[maybe_unused]] const auto sequence, journal->append_all(entries));
        TRY_UNIT(traces.take());
        if (i % kLoadEvery != 0 && i < count) continue;
        TRY([[maybe_unused]] const auto loaded, requests->load(*journal));
        TRY([[maybe_unused]] const auto rows, telemetry->load(now()));
        journal->enforce_retention(now());
        TRY([[maybe_unused]] const auto removed, telemetry->enforce_retention(now()));
        const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
        std::printf("\r%zu of %zu requests, %.0f a second ", i, count, static_cast<double>(i) / took);
        std::fflush(stdout);
    }
    std::printf("\n");
    return Unit{};
}

}  // namespace
}  // namespace stoker

int main(int argc, char** argv) {
    const auto hours = argc == 4 ? stoker::parse_number(argv[2]) : std::nullopt;
    const auto rate = argc == 4 ? stoker::parse_number(argv[3]) : std::nullopt;
    if (!hours || !rate || !(*hours > 0) || !(*rate > 0)) {
        std::fprintf(stderr, "usage: bench_day FOLDER HOURS REQUESTS_PER_SECOND\n");
        return 2;
    }
    const auto done = stoker::run(argv[1], *hours, *rate);
    if (!done) std::fprintf(stderr, "bench_day: %s\n", done.error().message.c_str());
    return done ? 0 : 1;
}
