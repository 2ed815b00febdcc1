#include "app/trace_export.h"

#include <algorithm>
#include <cmath>

#include "app/http_call.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/request_spans.h"
#include "records/request_record.h"
#include "wire/compression.h"

namespace stoker::app {
namespace {

constexpr std::size_t kAtOnce = 200;  // Requests in one message; each has about six spans.
constexpr int kMostRounds = 20;       // Of one call, so that stopping never waits for a backlog.
constexpr Duration kFirstPause{1'000};
constexpr Duration kLongestPause{60'000};

// By the trace's own id, so that all who see the trace decide alike (OpenTelemetry's ratio-based sampler).
bool sampled(const records::RequestRecord& record, double share) {
    if (record.outcome != "ok" || share >= 1) return true;
    constexpr std::size_t kDigits = 8;
    if (record.trace_id.size() < kDigits) return false;
    std::uint64_t low = 0;
    for (const char c : record.trace_id.substr(record.trace_id.size() - kDigits)) {
        low = low * 16 + static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return static_cast<double>(low) < share * std::pow(2.0, 4.0 * kDigits);
}

}  // namespace

TraceExport::TraceExport(journal::Journal& journal, state::StateStore& state, metrics::Registry& registry)
    : place_(journal, state, "trace_export"),
      sent_(registry
                .counter("stoker_trace_export_spans_total", "Spans that the receiver of traces took or refused.",
                         {"result"})
                .with({"sent"})),
      refused_(registry
                   .counter("stoker_trace_export_spans_total", "Spans that the receiver of traces took or refused.",
                            {"result"})
                   .with({"refused"})),
      failures_(
          registry.counter("stoker_trace_export_failures_total", "Requests to the receiver of traces that failed.")
              .with()) {}

void TraceExport::configure(TraceExportOptions options) {
    MutexLock lock(mutex_);
    options_ = std::move(options);
}

void TraceExport::send() {
    TraceExportOptions options;
    {
        MutexLock lock(mutex_);
        options = options_;
    }
    if (options.endpoint.empty()) return place_.forget();
    if (std::chrono::steady_clock::now() < not_before_) return;
    for (int round = 0; round < kMostRounds; ++round) {
        const auto read = place_.read(
            kAtOnce, [&](std::span<const journal::Record> records) { return send_batch(options, records); });
        if (!read) {
            if (backoff_ == Duration{0}) log::warn("traces wait", {{"error", read.error().message}});
            failures_.add();
            backoff_ = std::clamp(backoff_ * 2, kFirstPause, kLongestPause);
            not_before_ = std::chrono::steady_clock::now() + backoff_;
            return;
        }
        backoff_ = Duration{0};
        if (*read == 0) return;
    }
}

Result<Unit> TraceExport::send_batch(const TraceExportOptions& options, std::span<const journal::Record> records) {
    std::vector<wire::otlp::Span> spans;
    for (const journal::Record& entry : records) {
        const auto record = records::request_record_from_json(entry.payload);
        if (!record || !sampled(*record, options.sample)) continue;
        auto made = gateway::spans_of(*record);
        spans.insert(spans.end(), std::make_move_iterator(made.begin()), std::make_move_iterator(made.end()));
    }
    if (spans.empty()) return Unit{};
    wire::otlp::SpanSource source{
        {{"service.name", "stoker"}, {"service.version", STOKER_VERSION}}, "stoker.gateway", STOKER_VERSION};
    for (const auto& [key, value] : options.resource) source.resource.emplace_back(key, value);
    return post(options, wire::gzip_compress(wire::otlp::encode_spans(source, spans)), spans.size());
}

// Errors: worth another try. What the receiver will never take is dropped and counted.
Result<Unit> TraceExport::post(const TraceExportOptions& options, const std::string& body, std::size_t spans) {
    CallOptions call;
    call.method = "POST";
    call.limit = options.timeout;
    call.max_answer = std::size_t{1} << 20;
    call.body = body;
    call.content_type = "application/x-protobuf";
    for (const auto& [name, value] : options.headers) call.headers.set(name, value);
    call.headers.set("Content-Encoding", "gzip");
    TRY(const auto answer, call_url(options.endpoint, call));
    if (answer.status < 300) {
        sent_.add(static_cast<double>(spans));
        return Unit{};
    }
    // OTLP/HTTP: these may be tried again; any other answer is final.
    if (answer.status == 429 || answer.status == 502 || answer.status == 503 || answer.status == 504) {
        return Error{Errc::Unavailable, options.endpoint + " answered " + std::to_string(answer.status)};
    }
    refused_.add(static_cast<double>(spans));
    log::error("traces refused", {{"endpoint", options.endpoint}, {"status", answer.status}, {"spans", spans}});
    return Unit{};
}

}  // namespace stoker::app
