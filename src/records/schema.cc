#include "records/schema.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/check.h"
#include "records/chunk_reader.h"

namespace stoker::records {
namespace {

// Step i takes a database of version i to version i + 1. A step that was released never changes.
//
// No primary key: its index would cost as much memory as the data, and `loaded` already keeps rows from coming twice.
using Step = std::vector<std::string>;

const std::vector<Step>& steps() {
    static const std::vector<Step> all = {
        {
            R"(CREATE TABLE requests (
            sequence UBIGINT NOT NULL, time TIMESTAMP NOT NULL,
            id VARCHAR NOT NULL, trace_id VARCHAR NOT NULL, endpoint VARCHAR NOT NULL, model VARCHAR NOT NULL,
            pool VARCHAR NOT NULL, replica VARCHAR NOT NULL, tenant VARCHAR NOT NULL, client VARCHAR NOT NULL,
            stream BOOLEAN NOT NULL, status INTEGER NOT NULL, outcome VARCHAR NOT NULL, error VARCHAR NOT NULL,
            finish_reason VARCHAR NOT NULL, prompt_tokens BIGINT NOT NULL, completion_tokens BIGINT NOT NULL,
            cached_tokens BIGINT NOT NULL, usage_source VARCHAR NOT NULL, duration_ns BIGINT NOT NULL,
            ttft_ns BIGINT, itl_mean_ns BIGINT, itl_max_ns BIGINT, events BIGINT NOT NULL,
            request_bytes BIGINT NOT NULL, response_bytes BIGINT NOT NULL, attempts VARCHAR NOT NULL))",
            "CREATE TABLE loaded (journal VARCHAR NOT NULL, sequence UBIGINT NOT NULL, skipped UBIGINT NOT NULL)",
            "INSERT INTO loaded VALUES ('', 0, 0)",
        },
        // DuckDB adds no column with a constraint; the default fills the rows that are there.
        {"ALTER TABLE requests ADD COLUMN key_id VARCHAR DEFAULT ''"},
        {
            "ALTER TABLE requests ADD COLUMN span_id VARCHAR DEFAULT ''",
            "ALTER TABLE requests ADD COLUMN parent_span_id VARCHAR DEFAULT ''",
            "ALTER TABLE requests ADD COLUMN requested_model VARCHAR DEFAULT ''",
            "ALTER TABLE requests ADD COLUMN cache_write_tokens BIGINT DEFAULT 0",
            "ALTER TABLE requests ADD COLUMN reasoning_tokens BIGINT DEFAULT 0",
            "ALTER TABLE requests ADD COLUMN wasted_tokens BIGINT DEFAULT 0",
            "ALTER TABLE requests ADD COLUMN receive_ns BIGINT",
            "ALTER TABLE requests ADD COLUMN route_ns BIGINT",
            "ALTER TABLE requests ADD COLUMN limit_ns BIGINT",
            "ALTER TABLE requests ADD COLUMN queue_ns BIGINT",
            "ALTER TABLE requests ADD COLUMN cache VARCHAR DEFAULT ''",
            "ALTER TABLE requests ADD COLUMN degradation INTEGER DEFAULT 0",
        },
        {"ALTER TABLE requests ADD COLUMN recomputed_tokens BIGINT DEFAULT 0"},
        {
            "ALTER TABLE requests ADD COLUMN rule VARCHAR DEFAULT ''",
            "ALTER TABLE requests ADD COLUMN split VARCHAR DEFAULT ''",
            "ALTER TABLE requests ADD COLUMN arm VARCHAR DEFAULT ''",
            "ALTER TABLE requests ADD COLUMN shadow VARCHAR DEFAULT ''",
            "ALTER TABLE requests ADD COLUMN shadow_of VARCHAR DEFAULT ''",
        },
        {
            "ALTER TABLE requests ADD COLUMN cache_ns BIGINT",
            "ALTER TABLE requests ADD COLUMN write_ns BIGINT",
        },
    };
    return all;
}

Result<std::int64_t> version_of(duck::Connection& connection) {
    TRY_UNIT(connection.run("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)"));
    TRY(const auto version, connection.integer("SELECT max(version) FROM schema_version"));
    return version.value_or(0);
}

UsageSource usage_source_of(std::string_view text) {
    for (const UsageSource source : {UsageSource::Engine, UsageSource::Estimated}) {
        if (text == to_string(source)) return source;
    }
    return UsageSource::None;
}

}  // namespace

Result<Unit> migrate(duck::Connection& connection, std::int64_t target) {
    STOKER_CHECK(steps().size() == kSchemaVersion);
    TRY(const std::int64_t found, version_of(connection));
    if (found > target) {
        return Error{Errc::Conflict,
                     fmt::format("record database has version {}, this program knows {}", found, target)};
    }
    for (std::int64_t version = found; version < target; ++version) {
        TRY(auto transaction, duck::Transaction::begin(connection, false));
        for (const std::string& statement : steps()[static_cast<std::size_t>(version)]) {
            TRY_UNIT(connection.run(statement));
        }
        TRY_UNIT(connection.run("INSERT INTO schema_version VALUES (?)", {version + 1}));
        TRY_UNIT(transaction.commit());
    }
    return Unit{};
}

const char* const kRecordColumns =
    "id, trace_id, epoch_ms(time), endpoint, model, pool, replica, tenant, client, stream, status, outcome, error, "
    "finish_reason, prompt_tokens, completion_tokens, cached_tokens, usage_source, duration_ns, ttft_ns, itl_mean_ns, "
    "itl_max_ns, events, request_bytes, response_bytes, attempts, key_id, "
    "span_id, parent_span_id, requested_model, cache_write_tokens, reasoning_tokens, wasted_tokens, receive_ns, "
    "route_ns, limit_ns, queue_ns, cache, degradation, recomputed_tokens, rule, split, arm, shadow, shadow_of, "
    "cache_ns, write_ns";

Result<RequestRecord> record_at(duckdb_data_chunk chunk, idx_t row) {
    RowReader column(chunk, row);
    RequestRecord record;
    record.id = column.text();
    record.trace_id = column.text();
    record.time_ms = column.number<std::int64_t>();
    record.endpoint = column.text();
    record.model = column.text();
    record.pool = column.text();
    record.replica = column.text();
    record.tenant = column.text();
    record.client = column.text();
    record.stream = column.number<bool>();
    record.status = column.number<std::int32_t>();
    record.outcome = column.text();
    record.error = column.text();
    record.finish_reason = column.text();
    record.prompt_tokens = column.number<std::int64_t>();
    record.completion_tokens = column.number<std::int64_t>();
    record.cached_tokens = column.number<std::int64_t>();
    record.usage_source = usage_source_of(column.text());
    record.duration_ns = column.number<std::int64_t>();
    record.ttft_ns = column.number<std::int64_t>();
    record.itl_mean_ns = column.number<std::int64_t>();
    record.itl_max_ns = column.number<std::int64_t>();
    record.events = column.number<std::int64_t>();
    record.request_bytes = column.number<std::int64_t>();
    record.response_bytes = column.number<std::int64_t>();
    TRY(record.attempts, attempts_from_json(column.text()));
    record.key_id = column.text();
    record.span_id = column.text();
    record.parent_span_id = column.text();
    record.requested_model = column.text();
    record.cache_write_tokens = column.number<std::int64_t>();
    record.reasoning_tokens = column.number<std::int64_t>();
    record.wasted_tokens = column.number<std::int64_t>();
    record.receive_ns = column.number<std::int64_t>();
    record.route_ns = column.number<std::int64_t>();
    record.limit_ns = column.number<std::int64_t>();
    record.queue_ns = column.number<std::int64_t>();
    record.cache = column.text();
    record.degradation = column.number<std::int32_t>();
    record.recomputed_tokens = column.number<std::int64_t>();
    record.rule = column.text();
    record.split = column.text();
    record.arm = column.text();
    record.shadow = column.text();
    record.shadow_of = column.text();
    record.cache_ns = column.number<std::int64_t>();
    record.write_ns = column.number<std::int64_t>();
    return record;
}

Result<Unit> append_row(duckdb_appender appender, std::uint64_t sequence, const RequestRecord& record) {
    bool ok = true;
    const auto check = [&ok](duckdb_state state) { ok = ok && state == DuckDBSuccess; };
    const auto text = [&](std::string_view value) {
        check(duckdb_append_varchar_length(appender, value.data(), value.size()));
    };
    const auto number = [&](std::int64_t value) { check(duckdb_append_int64(appender, value)); };
    // Zero means "there was none": NULL, so that averages and quantiles leave it out.
    const auto known = [&](std::int64_t value) {
        check(value == 0 ? duckdb_append_null(appender) : duckdb_append_int64(appender, value));
    };

    check(duckdb_append_uint64(appender, sequence));
    check(duckdb_append_timestamp(appender, duckdb_timestamp{record.time_ms * 1000}));
    text(record.id);
    text(record.trace_id);
    text(record.endpoint);
    text(record.model);
    text(record.pool);
    text(record.replica);
    text(record.tenant);
    text(record.client);
    check(duckdb_append_bool(appender, record.stream));
    check(duckdb_append_int32(appender, record.status));
    text(record.outcome);
    text(record.error);
    text(record.finish_reason);
    number(record.prompt_tokens);
    number(record.completion_tokens);
    number(record.cached_tokens);
    text(to_string(record.usage_source));
    number(record.duration_ns);
    known(record.ttft_ns);
    known(record.itl_mean_ns);
    known(record.itl_max_ns);
    number(record.events);
    number(record.request_bytes);
    number(record.response_bytes);
    text(to_json(record.attempts));
    text(record.key_id);
    text(record.span_id);
    text(record.parent_span_id);
    text(record.requested_model);
    number(record.cache_write_tokens);
    number(record.reasoning_tokens);
    number(record.wasted_tokens);
    known(record.receive_ns);
    known(record.route_ns);
    known(record.limit_ns);
    known(record.queue_ns);
    text(record.cache);
    check(duckdb_append_int32(appender, record.degradation));
    number(record.recomputed_tokens);
    text(record.rule);
    text(record.split);
    text(record.arm);
    text(record.shadow);
    text(record.shadow_of);
    known(record.cache_ns);
    known(record.write_ns);
    check(duckdb_appender_end_row(appender));
    if (!ok) return duck::error_of(duckdb_appender_error(appender));
    return Unit{};
}

}  // namespace stoker::records
