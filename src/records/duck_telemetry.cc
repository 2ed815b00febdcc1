#include "records/duck_telemetry.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/log.h"
#include "records/duck_repair.h"
#include "records/query_deadline.h"
#include "records/sql_query.h"
#include "records/telemetry_schema.h"

namespace stoker::records {
namespace {

constexpr int kMostReading = 8;                            // Queries at a time: they share one memory limit.
constexpr std::size_t kEntryBytes = std::size_t{1} << 20;  // Of a journal record, about.
constexpr std::uint64_t kSegmentBytes = 32ull << 20;
constexpr Duration kKeepLoaded{60'000};  // Journal segments stay that long after they were loaded.

journal::Options journal_options(const TelemetryOptions& options) {
    journal::Options journal;
    journal.segment_bytes =
        std::min<std::uint64_t>(kSegmentBytes, std::max<std::uint64_t>(options.buffer.count / 4, 1));
    journal.retain_bytes = options.buffer.count;
    journal.retain_for = kKeepLoaded;
    return journal;
}

// Rows in batches of about kEntryBytes, as journal entries.
template <typename Row, typename Encode>
Result<Unit> append_batches(journal::Journal& journal, journal::Kind kind, std::span<const Row> rows,
                            const Encode& encode) {
    constexpr std::size_t kMostRows = 500;
    if (rows.empty()) return Unit{};
    std::vector<std::string> payloads;
    while (!rows.empty()) {
        std::size_t count = std::min(kMostRows, rows.size());
        std::string payload = encode(rows.first(count), count == rows.size());
        while (payload.size() > kEntryBytes && count > 1) {
            count = std::max<std::size_t>(1, count / (1 + payload.size() / kEntryBytes));
            payload = encode(rows.first(count), count == rows.size());
        }
        if (count == 1 && payload.size() > kMaxTelemetryRowBytes) {
            return Error{Errc::ResourceExhausted,
                         fmt::format("one row takes {} bytes, more than {}", payload.size(), kMaxTelemetryRowBytes)};
        }
        payloads.push_back(std::move(payload));
        rows = rows.subspan(count);
    }
    std::vector<journal::Entry> entries;
    entries.reserve(payloads.size());
    const Timestamp time = now();
    for (const std::string& payload : payloads) entries.push_back({kind, payload, time});
    TRY([[maybe_unused]] const std::uint64_t sequence, journal.append_all(entries));
    return Unit{};
}

metrics::Counter& rows_counter(metrics::Registry& registry, const char* kind) {
    return registry.counter("stoker_telemetry_rows_total", "Spans and log lines that were stored.", {"kind"})
        .with({kind});
}
metrics::Counter& unreadable_counter(metrics::Registry& registry, const char* kind) {
    return registry
        .counter("stoker_telemetry_unreadable_total", "Records of spans and log lines that could not be read.",
                 {"kind"})
        .with({kind});
}
metrics::Counter& sampled_counter(metrics::Registry& registry, const char* result) {
    return registry.counter("stoker_trace_spans_total", "Spans by what tail sampling decided.", {"result"})
        .with({result});
}

}  // namespace

Result<std::unique_ptr<TelemetryStore>> TelemetryStore::open(const std::string& directory, TelemetryOptions options,
                                                             metrics::Registry& registry) {
    TRY_UNIT(ensure_directory(directory));
    auto store = std::make_unique<DuckTelemetry>(directory, options, registry);
    if (auto started = store->start(); !started)
        return std::move(started).error().context(fmt::format("open telemetry store {}", directory));
    return std::unique_ptr<TelemetryStore>(std::move(store));
}

DuckTelemetry::DuckTelemetry(std::string directory, TelemetryOptions options, metrics::Registry& registry)
    : directory_(std::move(directory)),
      options_(options),
      dropped_(sampled_counter(registry, "dropped")),
      kept_(sampled_counter(registry, "kept")),
      sampler_(options.sampling) {
    spans_.name = "spans";
    logs_.name = "logs";
    for (Stream* stream : {&spans_, &logs_}) {
        stream->rows = &rows_counter(registry, stream->name);
        stream->unreadable = &unreadable_counter(registry, stream->name);
    }
}

Result<Unit> DuckTelemetry::start() {
    for (Stream* stream : {&spans_, &logs_}) {
        const std::string folder = fmt::format("{}/{}", directory_, stream->name);
        auto journal = journal::Journal::open(folder, journal_options(options_));
        if (!journal) return std::move(journal).error().context(folder);
        stream->journal = *std::move(journal);
    }
    {
        std::unique_lock hold(hold_);
        TRY_UNIT(open_or_repair());
    }
    MutexLock lock(load_mutex_);
    return read_ahead(spans_.journal->next_sequence());  // For the marker.
}

Result<Unit> DuckTelemetry::open_or_repair() {
    return records::open_or_repair(
        path(), [this] { return open_once(); }, [this](std::string what) { note_repair(std::move(what)); });
}

Result<Unit> DuckTelemetry::open_once() {
    close_all();
    const duck::Settings settings{.memory_limit = fmt::format("{}B", options_.memory_limit.count),
                                  .threads = options_.threads,
                                  .temp_directory = directory_ + "/telemetry.tmp"};
    const auto open_all = [&]() -> Result<Unit> {
        MutexLock lock(load_mutex_);
        TRY(database_, duck::open_database(path(), settings));
        TRY(loader_, duck::Connection::open(database_.get()));
        TRY_UNIT(migrate_telemetry(loader_));
        for (Stream* stream : {&spans_, &logs_}) TRY_UNIT(restore(*stream));
        TRY(const auto marker, loader_.text("SELECT marker FROM loaded WHERE stream = 'spans'"));
        {
            MutexLock notes(notes_mutex_);
            marker_ = marker.value_or("");
        }
        sampler_.forget_waiting();
        read_ahead_ = spans_.loaded;
        ahead_skipped_ = 0;
        return remember_traces(now());
    };
    auto opened = open_all();
    if (!opened) close_all();
    return opened;
}

void DuckTelemetry::close_all() {
    MutexLock lock(load_mutex_);
    loader_ = {};
    database_.reset();
}

void DuckTelemetry::note_repair(std::string what) {
    log::warn("telemetry: repaired", {{"what", what}});
    MutexLock lock(notes_mutex_);
    if (!repaired_.empty()) repaired_ += "; ";
    repaired_ += what;
}

void DuckTelemetry::repair_after(const Error& error) {
    if (error.code != Errc::Corruption) return;
    const std::uint64_t seen = generation_.load();
    std::unique_lock hold(hold_);
    if (generation_.load() != seen) return;  // Somebody else did it.
    ++generation_;
    log::error("telemetry: database damaged", {{"error", error.message}});
    // DuckDB gives up a database after a failed write, and opening it again is all it takes. If that is not so, the
    // file itself goes when reading it fails again.
    auto opened = open_or_repair();
    if (!opened) log::error("telemetry: repair failed", {{"error", opened.error().message}});
}

Result<Unit> DuckTelemetry::append(std::span<const SpanRow> spans, std::string_view marker) {
    const auto encode = [&](std::span<const SpanRow> part, bool last) {
        return to_json(part, last ? marker : std::string_view());
    };
    TRY_UNIT(append_batches(*spans_.journal, journal::Kind::Spans, spans, encode));
    if (!marker.empty() && !spans.empty()) {
        MutexLock lock(notes_mutex_);
        marker_ = marker;
    }
    return Unit{};
}

Result<Unit> DuckTelemetry::append(std::span<const LogRow> logs) {
    const auto encode = [](std::span<const LogRow> part, bool) { return to_json(part); };
    return append_batches(*logs_.journal, journal::Kind::Logs, logs, encode);
}

std::string DuckTelemetry::marker() const {
    MutexLock lock(notes_mutex_);
    return marker_;
}

template <typename F>
auto DuckTelemetry::with_connection(F use) -> decltype(use(std::declval<duck::Connection&>())) {
    struct Reading {
        explicit Reading(std::atomic<int>& counter) : count(counter), position(++counter) {}
        ~Reading() { --count; }
        Reading(const Reading&) = delete;
        Reading& operator=(const Reading&) = delete;
        std::atomic<int>& count;
        int position;
    };
    const Reading reading(reading_);
    if (reading.position > kMostReading) {
        return Error{Errc::ResourceExhausted, "too many queries of spans and logs run at the moment; try again"};
    }
    std::shared_lock hold(hold_);
    if (database_.get() == nullptr) return Error{Errc::Unavailable, "the telemetry database is not open"};
    TRY(auto connection, duck::Connection::open(database_.get()));
    return use(connection);
}

Result<Unit> DuckTelemetry::read(Duration limit, const std::function<Result<Unit>(duck::Connection&)>& use) {
    auto done = with_connection([&](duck::Connection& connection) {
        const QueryDeadline deadline(connection, std::chrono::steady_clock::now() + limit);
        return use(connection);
    });
    if (done) return done;
    if (done.error().code == Errc::Cancelled) {
        return Error{Errc::DeadlineExceeded,
                     fmt::format("the search was stopped after {}; search less time", format_duration(limit))};
    }
    repair_after(done.error());
    return done;
}

Result<SqlResult> DuckTelemetry::sql(const std::string& query, const SqlLimits& limits) {
    auto result = with_connection([&](duck::Connection& connection) { return run_sql(connection, query, limits); });
    if (result) return result;
    // The text of an error may be the user's own (`SELECT error('corrupt')`): it never starts a repair.
    const Errc code = result.error().code;
    const bool callers =
        code == Errc::InvalidArgument || code == Errc::DeadlineExceeded || code == Errc::ResourceExhausted;
    return Error{callers ? code : Errc::Internal, result.error().message};
}

std::string DuckTelemetry::repaired() const {
    MutexLock lock(notes_mutex_);
    return repaired_;
}

Result<Unit> DuckTelemetry::health() const {
    TRY_UNIT(spans_.journal->health());
    return logs_.journal->health();
}

std::uint64_t DuckTelemetry::bytes() const {
    std::uint64_t bytes = 0;
    for (const std::string& file : {path(), path() + ".wal"}) {
        std::error_code error;
        const auto size = std::filesystem::file_size(file, error);
        if (!error) bytes += size;
    }
    return bytes;
}

}  // namespace stoker::records
