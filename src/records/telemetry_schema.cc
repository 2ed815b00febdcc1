#include "records/telemetry_schema.h"

#include <fmt/format.h>

#include <charconv>
#include <string>
#include <vector>

#include "base/check.h"

namespace stoker::records {
namespace {

// Step i takes a database of version i to version i + 1. A step that was released never changes.
//
// No keys and no indexes: rows come in order of time, so that DuckDB's own bounds of each row group prune what a search
// over time reads.
using Step = std::vector<std::string>;

const std::vector<Step>& steps() {
    static const std::vector<Step> all = {
        {
            R"(CREATE TABLE spans (
            time TIMESTAMP NOT NULL, trace_id VARCHAR NOT NULL, span_id VARCHAR NOT NULL,
            parent_span_id VARCHAR NOT NULL, name VARCHAR NOT NULL, kind VARCHAR NOT NULL, service VARCHAR NOT NULL,
            scope VARCHAR NOT NULL, format VARCHAR NOT NULL, start_ns BIGINT NOT NULL, duration_ns BIGINT NOT NULL,
            error BOOLEAN NOT NULL, status_message VARCHAR NOT NULL, attributes VARCHAR NOT NULL,
            resource VARCHAR NOT NULL, events VARCHAR NOT NULL, links VARCHAR NOT NULL, operation VARCHAR NOT NULL,
            provider VARCHAR NOT NULL, model VARCHAR NOT NULL, input_tokens BIGINT, output_tokens BIGINT,
            weight DOUBLE NOT NULL, trace_key UINTEGER NOT NULL))",
            R"(CREATE TABLE logs (
            time TIMESTAMP NOT NULL, time_ns BIGINT NOT NULL, observed_ns BIGINT NOT NULL, severity INTEGER NOT NULL,
            severity_text VARCHAR NOT NULL, body VARCHAR NOT NULL, trace_id VARCHAR NOT NULL,
            span_id VARCHAR NOT NULL, service VARCHAR NOT NULL, attributes VARCHAR NOT NULL,
            resource VARCHAR NOT NULL, source VARCHAR NOT NULL, stream VARCHAR NOT NULL, signature VARCHAR NOT NULL,
            trace_key UINTEGER NOT NULL))",
            R"(CREATE TABLE loaded (stream VARCHAR NOT NULL, journal VARCHAR NOT NULL, sequence UBIGINT NOT NULL,
            skipped UBIGINT NOT NULL, marker VARCHAR NOT NULL))",
            "INSERT INTO loaded VALUES ('spans', '', 0, 0, ''), ('logs', '', 0, 0, '')",
        },
    };
    return all;
}

// Appends a row's values, and remembers whether all of them were taken.
class RowAppender {
public:
    explicit RowAppender(duckdb_appender appender) : appender_(appender) {}

    void time(std::int64_t nanos) { check(duckdb_append_timestamp(appender_, duckdb_timestamp{nanos / 1000})); }
    void text(std::string_view value) { check(duckdb_append_varchar_length(appender_, value.data(), value.size())); }
    void json(std::string_view value, std::string_view none) { text(value.empty() ? none : value); }
    void number(std::int64_t value) { check(duckdb_append_int64(appender_, value)); }
    void small(std::int64_t value) { check(duckdb_append_int32(appender_, static_cast<std::int32_t>(value))); }
    void real(double value) { check(duckdb_append_double(appender_, value)); }
    void key(std::string_view trace_id) { check(duckdb_append_uint32(appender_, trace_key(trace_id))); }
    void flag(bool value) { check(duckdb_append_bool(appender_, value)); }
    void tokens(std::int64_t value) {
        check(value == kUnknownTokens ? duckdb_append_null(appender_) : duckdb_append_int64(appender_, value));
    }
    Result<Unit> end() {
        check(duckdb_appender_end_row(appender_));
        if (!ok_) return duck::error_of(duckdb_appender_error(appender_));
        return Unit{};
    }

private:
    void check(duckdb_state state) { ok_ = ok_ && state == DuckDBSuccess; }

    duckdb_appender appender_;
    bool ok_ = true;
};

}  // namespace

std::uint32_t trace_key(std::string_view trace_id) {
    constexpr std::size_t kDigits = 8;
    if (trace_id.size() > kDigits) trace_id.remove_prefix(trace_id.size() - kDigits);
    std::uint32_t key = 0;
    std::from_chars(trace_id.data(), trace_id.data() + trace_id.size(), key, 16);
    return key;
}

Result<Unit> migrate_telemetry(duck::Connection& connection) {
    STOKER_CHECK(steps().size() == kTelemetrySchemaVersion);
    TRY_UNIT(connection.run("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)"));
    TRY(const auto version, connection.integer("SELECT max(version) FROM schema_version"));
    const std::int64_t found = version.value_or(0);
    if (found > kTelemetrySchemaVersion) {
        return Error{Errc::Conflict, fmt::format("telemetry database has version {}, this program knows {}", found,
                                                 kTelemetrySchemaVersion)};
    }
    for (std::int64_t at = found; at < kTelemetrySchemaVersion; ++at) {
        TRY(auto transaction, duck::Transaction::begin(connection, false));
        for (const std::string& statement : steps()[static_cast<std::size_t>(at)]) {
            TRY_UNIT(connection.run(statement));
        }
        TRY_UNIT(connection.run("INSERT INTO schema_version VALUES (?)", {at + 1}));
        TRY_UNIT(transaction.commit());
    }
    return Unit{};
}

Result<Unit> append_row(duckdb_appender appender, const SpanRow& span) {
    RowAppender row(appender);
    row.time(span.start_ns);
    row.text(span.trace_id);
    row.text(span.span_id);
    row.text(span.parent_span_id);
    row.text(span.name);
    row.text(span.kind);
    row.text(span.service);
    row.text(span.scope);
    row.text(span.format);
    row.number(span.start_ns);
    row.number(span.duration_ns);
    row.flag(span.error);
    row.text(span.status_message);
    row.json(span.attributes, "{}");
    row.json(span.resource, "{}");
    row.json(span.events, "[]");
    row.json(span.links, "[]");
    row.text(span.operation);
    row.text(span.provider);
    row.text(span.model);
    row.tokens(span.input_tokens);
    row.tokens(span.output_tokens);
    row.real(span.weight);
    row.key(span.trace_id);
    return row.end();
}

Result<Unit> append_row(duckdb_appender appender, const LogRow& log) {
    RowAppender row(appender);
    row.time(log.time_ns);
    row.number(log.time_ns);
    row.number(log.observed_ns);
    row.small(log.severity);
    row.text(log.severity_text);
    row.text(log.body);
    row.text(log.trace_id);
    row.text(log.span_id);
    row.text(log.service);
    row.json(log.attributes, "{}");
    row.json(log.resource, "{}");
    row.text(log.source);
    row.text(log.stream);
    row.text(log.signature);
    row.key(log.trace_id);
    return row.end();
}

}  // namespace stoker::records
