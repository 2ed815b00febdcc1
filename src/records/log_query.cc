#include "records/log_query.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/time.h"
#include "records/chunk_reader.h"
#include "records/slices.h"
#include "records/telemetry_schema.h"

namespace stoker::records {
namespace {

constexpr std::int64_t kNanosPerMicro = 1000;
constexpr std::int64_t kFirstSlice = 60'000'000'000;  // Most searches want the last minutes.

constexpr const char* kColumns =
    "time_ns, rowid, observed_ns, severity, severity_text, body, trace_id, span_id, service, attributes, resource, "
    "source, stream, signature";

struct Condition {
    std::string sql = "true";
    std::vector<duck::Parameter> parameters;

    void add(std::string_view expression, duck::Parameter value) {
        sql += " AND ";
        sql += expression;
        parameters.push_back(std::move(value));
    }
    void add_if_given(std::string_view expression, const std::string& value) {
        if (!value.empty()) add(expression, value);
    }
    // With the value twice.
    void add_twice(std::string_view expression, const std::string& first, const std::string& second) {
        add(expression, first);
        parameters.emplace_back(second);
    }
};

// json_extract_string's path of one key, whatever stands in it.
std::string path_of(const std::string& key) {
    std::string path = "$.\"";
    for (const char c : key) {
        if (c == '"' || c == '\\') path += '\\';
        path += c;
    }
    return path + '"';
}

void add_attribute(Condition& where, const std::pair<std::string, std::string>& pair, bool equal) {
    where.add_twice("coalesce(json_extract_string(attributes, ?), json_extract_string(resource, ?), '')",
                    path_of(pair.first), path_of(pair.first));
    where.sql += equal ? " = ?" : " != ?";
    where.parameters.emplace_back(pair.second);
}

Condition condition_of(const LogFilter& filter) {
    Condition where;
    where.add_if_given("service = ?", filter.service);
    where.add_if_given("service != ?", filter.not_service);
    if (filter.min_severity > 0) where.add("severity >= ?", filter.min_severity);
    if (!filter.trace_id.empty()) {
        where.add("trace_key = ?", static_cast<std::int64_t>(trace_key(filter.trace_id)));
        where.add("trace_id = ?", filter.trace_id);
    }
    where.add_if_given("span_id = ?", filter.span_id);
    if (filter.signature == "any") {
        where.sql += " AND signature != ''";
    } else {
        where.add_if_given("signature = ?", filter.signature);
    }
    where.add_if_given("source = ?", filter.source);
    where.add_if_given("stream = ?", filter.stream);
    for (const std::string& text : filter.text) {
        where.add_twice("(contains(lower(body), ?) OR contains(lower(attributes), ?))", to_lower(text), to_lower(text));
    }
    for (const std::string& text : filter.not_text) {
        where.add_twice("NOT (contains(lower(body), ?) OR contains(lower(attributes), ?))", to_lower(text),
                        to_lower(text));
    }
    for (const auto& pair : filter.attributes) add_attribute(where, pair, true);
    for (const auto& pair : filter.not_attributes) add_attribute(where, pair, false);
    return where;
}

FoundLog log_of(RowReader& column) {
    FoundLog out;
    LogRow& row = out.row;
    out.place.time_ns = row.time_ns = column.number<std::int64_t>();
    out.place.row = column.number<std::int64_t>();
    row.observed_ns = column.number<std::int64_t>();
    row.severity = column.number<std::int32_t>();
    row.severity_text = column.text();
    row.body = column.text();
    row.trace_id = column.text();
    row.span_id = column.text();
    row.service = column.text();
    row.attributes = column.text();
    row.resource = column.text();
    row.source = column.text();
    row.stream = column.text();
    row.signature = column.text();
    return out;
}

// Lines of [from, to) that the condition holds for, in order, at most `most`; added to `out`.
Result<Unit> find_between(duck::Connection& connection, Condition where, std::int64_t from_ns, std::int64_t to_ns,
                          bool oldest_first, std::size_t most, std::vector<FoundLog>& out) {
    // DuckDB keeps the bounds of `time` for each row group, so that only a slice's own groups are read.
    where.add("time >= make_timestamp(CAST(? AS BIGINT))", from_ns / kNanosPerMicro);
    where.add("time_ns >= ?", from_ns);
    if (to_ns < INT64_MAX) {
        where.add("time <= make_timestamp(CAST(? AS BIGINT))", to_ns / kNanosPerMicro);
        where.add("time_ns < ?", to_ns);
    }
    const char* order = oldest_first ? "time_ns, rowid" : "time_ns DESC, rowid DESC";
    where.parameters.emplace_back(static_cast<std::int64_t>(most));
    // First which rows, by the few columns that decide it; then all columns of those.
    TRY(duck::Rows rows,
        connection.query(fmt::format("SELECT {} FROM logs WHERE rowid IN (SELECT rowid FROM logs WHERE {} ORDER BY {} "
                                     "LIMIT ?) ORDER BY {}",
                                     kColumns, where.sql, order, order),
                         where.parameters));
    return each_row(std::move(rows), [&out](RowReader& column) { out.push_back(log_of(column)); });
}

bool contains_ignoring_case(const std::string& lower_haystack, const std::string& text) {
    return lower_haystack.find(to_lower(text)) != std::string::npos;
}

std::string json_object(const std::string& json) {
    return json.empty() ? "{}" : json;
}

// OpenTelemetry's short names.
std::string_view severity_word(std::int64_t severity) {
    constexpr std::string_view kWords[] = {"trace", "debug", "info", "warn", "error", "fatal"};
    return severity < 1 || severity > 24 ? "" : kWords[(severity - 1) / 4];
}

}  // namespace

Result<LogPlace> parse_log_place(const std::string& text) {
    const std::size_t dash = text.find('-');
    const auto time = parse_integer(std::string_view(text).substr(0, dash));
    const auto row = dash == std::string::npos ? std::nullopt : parse_integer(std::string_view(text).substr(dash + 1));
    if (!time || !row || *time < 0 || *row < 0) {
        return Error{Errc::InvalidArgument, "\"" + text + "\" is no place; take the \"next\" of the page before"};
    }
    return LogPlace{*time, *row};
}

std::string to_string(const LogPlace& place) {
    return std::to_string(place.time_ns) + "-" + std::to_string(place.row);
}

Result<LogPage> find_logs(duck::Connection& connection, const LogFilter& filter) {
    Condition where = condition_of(filter);
    // One snapshot for all slices.
    TRY(const auto transaction, duck::Transaction::begin(connection, true));
    TRY(const auto oldest, connection.integer("SELECT min(time_ns) FROM logs"));
    TRY(const auto newest, connection.integer("SELECT max(time_ns) FROM logs"));
    LogPage page;
    if (!oldest || !newest) return page;
    std::int64_t from = std::max(filter.from_ns, *oldest);
    std::int64_t to = std::min(filter.to_ns, *newest == INT64_MAX ? INT64_MAX : *newest + 1);
    if (!filter.place.empty()) {
        TRY(const LogPlace place, parse_log_place(filter.place));
        const char* side = filter.oldest_first ? ">" : "<";
        where.add(fmt::format("(time_ns {} ? OR (time_ns = ?", side), place.time_ns);
        where.parameters.emplace_back(place.time_ns);
        where.sql += fmt::format(" AND rowid {} ?))", side);
        where.parameters.emplace_back(place.row);
        if (filter.oldest_first) {
            from = std::max(from, place.time_ns);
        } else {
            to = std::min(to, place.time_ns == INT64_MAX ? INT64_MAX : place.time_ns + 1);
        }
    }
    const std::size_t most = filter.limit + 1;
    // Slice after slice: a search for what is frequent ends early, one for what is rare reads everything once. Oldest
    // first, the stretch of time is gone through mirrored.
    Slices slices(from, std::max(from, to), filter.budget, kFirstSlice);
    while (page.logs.size() < most && slices.next(std::chrono::steady_clock::now())) {
        const bool mirrored = filter.oldest_first;
        const std::int64_t begin = mirrored ? from + (to - slices.to_ns()) : slices.from_ns();
        const std::int64_t end = mirrored ? from + (to - slices.from_ns()) : slices.to_ns();
        TRY_UNIT(find_between(connection, where, begin, end, mirrored, most - page.logs.size(), page.logs));
        if (!slices.complete()) page.next = mirrored ? LogPlace{end - 1, INT64_MAX} : LogPlace{begin, 0};
    }
    if (slices.complete()) page.next.reset();
    if (page.logs.size() > filter.limit) {
        page.logs.pop_back();
        page.next = page.logs.back().place;
    }
    return page;
}

Result<std::vector<LogCount>> log_services(duck::Connection& connection, std::int64_t from_ns) {
    TRY(duck::Rows rows,
        connection.query("SELECT * FROM (SELECT service, count(*) AS lines FROM logs WHERE service != '' AND time >= "
                         "make_timestamp(CAST(? AS BIGINT)) GROUP BY service ORDER BY lines DESC LIMIT 1000) ORDER BY "
                         "service",
                         {from_ns / kNanosPerMicro}));
    std::vector<LogCount> out;
    TRY_UNIT(each_row(std::move(rows), [&out](RowReader& column) {
        LogCount& one = out.emplace_back();
        one.name = column.text();
        one.lines = column.number<std::int64_t>();
    }));
    return out;
}

bool matches(const LogFilter& filter, const LogRow& row) {
    const auto fits = [](const std::string& wanted, const std::string& is) { return wanted.empty() || wanted == is; };
    if (row.time_ns < filter.from_ns || row.time_ns >= filter.to_ns || row.severity < filter.min_severity) return false;
    if (!fits(filter.service, row.service) || !fits(filter.trace_id, row.trace_id)) return false;
    if (!fits(filter.span_id, row.span_id) || !fits(filter.source, row.source)) return false;
    if (!fits(filter.stream, row.stream)) return false;
    if (!filter.not_service.empty() && filter.not_service == row.service) return false;
    if (filter.signature == "any" ? row.signature.empty() : !fits(filter.signature, row.signature)) return false;
    if (filter.text.empty() && filter.not_text.empty()) return true;
    const std::string text = to_lower(row.body) + '\1' + to_lower(row.attributes);
    const auto has = [&text](const std::string& one) { return contains_ignoring_case(text, one); };
    return std::all_of(filter.text.begin(), filter.text.end(), has) &&
           std::none_of(filter.not_text.begin(), filter.not_text.end(), has);
}

std::string to_json(const LogRow& row, const std::string& place) {
    std::string out = fmt::format(R"({{"time_ns":"{}","time":"{}","observed_ns":"{}","severity":"{}",)", row.time_ns,
                                  format_timestamp(from_millis(row.time_ns / 1'000'000)), row.observed_ns,
                                  severity_word(row.severity));
    out += fmt::format(R"("severity_number":{},)", row.severity);
    const auto text = [&out](const char* key, const std::string& value) {
        out += '"';
        out += key;
        out += "\":" + quote_json(value) + ",";
    };
    text("severity_text", row.severity_text);
    text("body", row.body);
    text("service", row.service);
    text("trace_id", row.trace_id);
    text("span_id", row.span_id);
    text("source", row.source);
    text("stream", row.stream);
    text("signature", row.signature);
    if (!place.empty()) text("place", place);
    return out + "\"attributes\":" + json_object(row.attributes) + ",\"resource\":" + json_object(row.resource) + "}";
}

}  // namespace stoker::records
