// From the journals into the tables, each row exactly once, and out of them again when they are old.
#include <fmt/format.h>

#include <filesystem>

#include "base/log.h"
#include "records/chunk_reader.h"
#include "records/disk_room.h"
#include "records/duck_telemetry.h"
#include "records/telemetry_schema.h"

namespace stoker::records {
namespace {

constexpr std::size_t kRowsPerTransaction = 100'000;
constexpr std::size_t kRecordsPerRead = 1'000;
constexpr std::chrono::seconds kCursorInterval{1};  // The cursor only serves the journal's retention, so it may lag.
constexpr const char* kTelemetryConsumer = "telemetry";
constexpr Duration kRememberTraces{300'000};

class TableAppender {
public:
    static Result<TableAppender> open(duck::Connection& connection, const char* table) {
        TableAppender out;
        if (duckdb_appender_create(connection.raw(), nullptr, table, out.handle_.out()) != DuckDBSuccess) {
            return duck::error_of(duckdb_appender_error(out.handle_.get()));
        }
        return out;
    }
    template <typename Row>
    Result<Unit> append(const Row& row) {
        return duck::guarded([&] { return append_row(handle_.get(), row); });
    }
    Result<Unit> close() {
        return duck::guarded([&]() -> Result<Unit> {
            if (duckdb_appender_close(handle_.get()) == DuckDBSuccess) return Unit{};
            return duck::error_of(duckdb_appender_error(handle_.get()));
        });
    }

private:
    duck::AppenderHandle handle_;
};

}  // namespace

Result<std::size_t> DuckTelemetry::load(Timestamp now) {
    for (Stream* stream : {&spans_, &logs_}) {
        if (!stream->journal->health()) stream->journal->enforce_retention(now);  // It may go on meanwhile.
    }
    TRY_UNIT(open_again());
    auto result = [&]() -> Result<std::size_t> {
        std::shared_lock hold(hold_);
        MutexLock lock(load_mutex_);
        if (loader_.raw() == nullptr) return Error{Errc::Unavailable, "the telemetry database is not open"};
        TRY_UNIT(room_to_write(directory_));
        TRY(const std::size_t logs, load_logs());
        TRY(const std::size_t spans, load_spans(now));
        return logs + spans;
    }();
    if (!result) repair_after(result.error());
    return result;
}

// After a repair that failed, as on a full disk.
Result<Unit> DuckTelemetry::open_again() {
    {
        std::shared_lock hold(hold_);
        if (database_.get() != nullptr) return Unit{};
    }
    TRY_UNIT(room_to_write(directory_));
    std::unique_lock hold(hold_);
    return open_or_repair();
}

Result<Unit> DuckTelemetry::restore(Stream& stream) {
    const std::string from = " FROM loaded WHERE stream = ?";
    TRY(const auto identity, loader_.text("SELECT journal" + from, {std::string(stream.name)}));
    TRY(const auto sequence, loader_.integer("SELECT sequence" + from, {std::string(stream.name)}));
    TRY(const auto skipped, loader_.integer("SELECT skipped" + from, {std::string(stream.name)}));
    stream.loaded = static_cast<std::uint64_t>(sequence.value_or(0));
    stream.skipped = static_cast<std::uint64_t>(skipped.value_or(0));
    stream.committed = 0;
    // Sequences mean something only within one journal.
    if (identity.value_or("") == stream.journal->identity()) return follow(stream);
    if (!identity.value_or("").empty()) log::warn("telemetry: another journal than before", {{"of", stream.name}});
    stream.loaded = stream.journal->first_sequence() - 1;
    return loader_.run(
        "UPDATE loaded SET journal = ?, sequence = ? WHERE stream = ?",
        {stream.journal->identity(), static_cast<std::int64_t>(stream.loaded), std::string(stream.name)});
}

Result<Unit> DuckTelemetry::follow(Stream& stream) {
    if (stream.loaded + 1 > stream.journal->next_sequence()) {
        log::error("telemetry: the journal ends before what was loaded from it", {{"of", stream.name}});
        stream.loaded = stream.journal->next_sequence() - 1;
    } else if (stream.loaded + 1 < stream.journal->first_sequence()) {
        log::error("telemetry: the journal dropped records before they were loaded",
                   {{"of", stream.name}, {"from", stream.loaded + 1}, {"to", stream.journal->first_sequence() - 1}});
        stream.loaded = stream.journal->first_sequence() - 1;
    }
    return Unit{};
}

Result<Unit> DuckTelemetry::note_loaded(const Stream& stream, std::uint64_t sequence, std::uint64_t skipped) {
    return loader_.run("UPDATE loaded SET sequence = ?, skipped = ?, marker = ? WHERE stream = ?",
                       {static_cast<std::int64_t>(sequence), static_cast<std::int64_t>(skipped),
                        &stream == &spans_ ? marker() : std::string(), std::string(stream.name)});
}

Result<std::size_t> DuckTelemetry::load_logs() {
    TRY_UNIT(follow(logs_));
    const std::uint64_t target = logs_.journal->next_sequence();
    std::size_t rows = 0;
    while (logs_.loaded + 1 < target) {
        TRY(const std::size_t added, load_logs_once(target));
        rows += added;
    }
    commit_cursor(logs_);
    return rows;
}

// One transaction.
Result<std::size_t> DuckTelemetry::load_logs_once(std::uint64_t target) {
    TRY(auto transaction, duck::Transaction::begin(loader_, false));
    std::uint64_t next = logs_.loaded + 1;
    std::size_t rows = 0;
    std::uint64_t skipped = 0;
    {
        TRY(auto appender, TableAppender::open(loader_, logs_.name));
        while (next < target && rows < kRowsPerTransaction) {
            TRY(const auto records, logs_.journal->read(next, std::min<std::uint64_t>(kRecordsPerRead, target - next)));
            next = records.empty() ? target : records.back().sequence + 1;  // Empty: nothing readable is left below it.
            for (const journal::Record& record : records) {
                const auto logs = logs_from_json(record.payload);
                if (!logs) {
                    ++skipped;
                    log::error("telemetry: skipped", {{"sequence", record.sequence}, {"error", logs.error().message}});
                    continue;
                }
                for (const LogRow& row : *logs) TRY_UNIT(appender.append(row));
                rows += logs->size();
            }
        }
        TRY_UNIT(appender.close());
    }
    TRY_UNIT(note_loaded(logs_, next - 1, logs_.skipped + skipped));
    TRY_UNIT(transaction.commit());
    logs_.loaded = next - 1;
    logs_.skipped += skipped;
    logs_.rows->add(static_cast<double>(rows));
    logs_.unreadable->add(static_cast<double>(skipped));
    return rows;
}

Result<std::size_t> DuckTelemetry::load_spans(Timestamp now) {
    const std::uint64_t before = spans_.loaded;
    TRY_UNIT(follow(spans_));
    if (spans_.loaded != before) {
        sampler_.forget_waiting();
        read_ahead_ = spans_.loaded;
    }
    const std::uint64_t target = spans_.journal->next_sequence();
    std::size_t rows = 0;
    for (;;) {
        const std::uint64_t from = read_ahead_;
        TRY_UNIT(read_ahead(target));
        auto decided = sampler_.take(now);
        // Records that could not be read leave nothing to decide about.
        if (sampler_.waiting() == 0) decided.last_sequence = std::max(decided.last_sequence, read_ahead_);
        if (decided.last_sequence > spans_.loaded) {
            if (auto stored = store_decided(decided); !stored) {
                sampler_.forget_waiting();
                read_ahead_ = spans_.loaded;
                return std::move(stored).error();
            }
            rows += decided.kept.size();
        }
        if (read_ahead_ == from) break;
    }
    commit_cursor(spans_);
    return rows;
}

// Gives the sampler what the journal holds, as much as it takes.
Result<Unit> DuckTelemetry::read_ahead(std::uint64_t target) {
    std::size_t spans = 0;
    while (read_ahead_ + 1 < target && spans < kRowsPerTransaction && sampler_.waiting() <= options_.sampling.most) {
        TRY(auto records,
            spans_.journal->read(read_ahead_ + 1, std::min<std::uint64_t>(kRecordsPerRead, target - read_ahead_ - 1)));
        read_ahead_ = records.empty() ? target - 1 : records.back().sequence;
        for (const journal::Record& record : records) {
            auto batch = span_batch_from_json(record.payload);
            if (!batch) {
                ++ahead_skipped_;
                log::error("telemetry: skipped", {{"sequence", record.sequence}, {"error", batch.error().message}});
                continue;
            }
            if (!batch->marker.empty()) {
                MutexLock lock(notes_mutex_);
                marker_ = batch->marker;
            }
            spans += batch->spans.size();
            sampler_.add(record.sequence, record.time, std::move(batch->spans));
        }
    }
    return Unit{};
}

Result<Unit> DuckTelemetry::store_decided(const TailSampler::Decided& decided) {
    TRY(auto transaction, duck::Transaction::begin(loader_, false));
    {
        TRY(auto appender, TableAppender::open(loader_, spans_.name));
        for (const SpanRow& span : decided.kept) TRY_UNIT(appender.append(span));
        TRY_UNIT(appender.close());
    }
    TRY_UNIT(note_loaded(spans_, decided.last_sequence, spans_.skipped + ahead_skipped_));
    TRY_UNIT(transaction.commit());
    spans_.loaded = decided.last_sequence;
    spans_.skipped += ahead_skipped_;
    spans_.unreadable->add(static_cast<double>(ahead_skipped_));
    ahead_skipped_ = 0;
    spans_.rows->add(static_cast<double>(decided.kept.size()));
    kept_.add(static_cast<double>(decided.kept.size()));
    dropped_.add(static_cast<double>(decided.dropped));
    return Unit{};
}

// The sampler goes on as before the restart with traces that it has kept parts of.
Result<Unit> DuckTelemetry::remember_traces(Timestamp now) {
    TRY(duck::Rows rows,
        loader_.query("SELECT trace_id, max(weight) FROM spans WHERE time >= make_timestamp(CAST(? AS BIGINT) * 1000) "
                      "GROUP BY trace_id LIMIT 100000",
                      {to_millis(now - kRememberTraces)}));
    // The lock is held, as the analysis can't see in a lambda.
    TailSampler* const sampler = &sampler_;
    return each_row(std::move(rows), [&](RowReader& column) {
        const std::string trace_id = column.text();
        sampler->remember(trace_id, column.number<double>(1), now);
    });
}

void DuckTelemetry::commit_cursor(Stream& stream) {
    const std::uint64_t next = stream.loaded + 1;
    const SteadyTime time = std::chrono::steady_clock::now();
    if (next == stream.committed || time - stream.committed_at < kCursorInterval) return;
    stream.committed_at = time;
    if (auto committed = stream.journal->commit(kTelemetryConsumer, next); !committed) {
        log::warn("telemetry: cursor", {{"error", committed.error().message}});
        return;
    }
    stream.committed = next;
}

Result<std::uint64_t> DuckTelemetry::enforce_retention(Timestamp now) {
    for (Stream* stream : {&spans_, &logs_}) stream->journal->enforce_retention(now);
    auto result = [&]() -> Result<std::uint64_t> {
        std::shared_lock hold(hold_);
        MutexLock lock(load_mutex_);
        if (loader_.raw() == nullptr) return Error{Errc::Unavailable, "the telemetry database is not open"};
        // What the rows take, without the free space between them.
        TRY(const auto used, loader_.integer("SELECT used_blocks * block_size FROM pragma_database_size()"));
        std::error_code none;
        const auto log_bytes = std::filesystem::file_size(path() + ".wal", none);
        const bool too_large =
            static_cast<std::uint64_t>(used.value_or(0)) + (none ? 0 : log_bytes) > options_.max_size.count;
        std::uint64_t removed = 0;
        for (const Stream* stream : {&spans_, &logs_}) {
            std::int64_t before = to_millis(now - options_.retention);
            if (too_large) {
                TRY(const auto tenth, loader_.integer(fmt::format(
                                          "SELECT epoch_ms(min(time)) + (epoch_ms(max(time)) - epoch_ms(min(time))) "
                                          "// 10 FROM {}",
                                          stream->name)));
                before = std::max(before, tenth.value_or(before));
            }
            const std::string where = " WHERE time < make_timestamp(CAST(? AS BIGINT) * 1000)";
            TRY(const auto old,
                loader_.integer(fmt::format("SELECT count(*) FROM {}", stream->name) + where, {before}));
            if (old.value_or(0) == 0) continue;
            TRY(auto transaction, duck::Transaction::begin(loader_, false));
            TRY_UNIT(loader_.run(fmt::format("DELETE FROM {}", stream->name) + where, {before}));
            TRY_UNIT(transaction.commit());
            removed += static_cast<std::uint64_t>(*old);
        }
        // Gives the space back; where another transaction keeps it from that, the next time does it.
        if (removed > 0 && !loader_.run("CHECKPOINT")) log::debug("telemetry: checkpoint put off");
        return removed;
    }();
    if (!result) repair_after(result.error());
    return result;
}

}  // namespace stoker::records
