#include "records/request_query.h"

#include <fmt/format.h>

#include <charconv>

#include "base/text.h"
#include "records/schema.h"
#include "records/slices.h"

namespace stoker::records {
namespace {

constexpr std::int64_t kNanosPerMilli = 1'000'000;

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
};

Condition condition_of(const RequestFilter& filter) {
    Condition where;
    if (filter.from) where.add("time >= make_timestamp(CAST(? AS BIGINT) * 1000)", to_millis(*filter.from));
    if (filter.to) where.add("time < make_timestamp(CAST(? AS BIGINT) * 1000)", to_millis(*filter.to));
    where.add_if_given("model = ?", filter.model);
    where.add_if_given("pool = ?", filter.pool);
    where.add_if_given("replica = ?", filter.replica);
    where.add_if_given("tenant = ?", filter.tenant);
    where.add_if_given("key_id = ?", filter.key_id);
    where.add_if_given("outcome = ?", filter.outcome);
    where.add_if_given("id = ?", filter.id);
    where.add_if_given("rule = ?", filter.rule);
    where.add_if_given("split = ?", filter.split);
    where.add_if_given("arm = ?", filter.arm);
    // A copy is found by its name, or by its id.
    if (filter.id.empty() || !filter.shadow.empty()) where.add("shadow = ?", filter.shadow);
    // Each column by itself: models and errors are few, so that DuckDB looks at each of them once, not at every row.
    if (!filter.text.empty()) {
        where.add("(contains(lower(model), lower(?))", filter.text);
        where.parameters.emplace_back(filter.text);
        where.parameters.emplace_back(filter.text);
        where.sql += " OR contains(lower(error), lower(?)) OR contains(lower(id), lower(?)))";
    }
    if (filter.status_from) where.add("status >= ?", std::int64_t{*filter.status_from});
    if (filter.status_to) where.add("status <= ?", std::int64_t{*filter.status_to});
    if (filter.stream) where.add("stream = ?", *filter.stream);
    if (filter.min_duration) where.add("duration_ns >= ?", filter.min_duration->count() * kNanosPerMilli);
    return where;
}

std::string_view column_of(SortBy sort) {
    switch (sort) {
        case SortBy::Time:
            return "time";
        case SortBy::Duration:
            return "duration_ns";
        case SortBy::Ttft:
            return "ttft_ns";
        case SortBy::CompletionTokens:
            return "completion_tokens";
    }
    return "time";
}

// When an id of ours was made, which it begins with (make_id).
std::optional<Timestamp> made_at(std::string_view id) {
    constexpr std::string_view kPrefix = "req_";
    constexpr std::size_t kTimeDigits = 12;
    if (!id.starts_with(kPrefix) || id.size() < kPrefix.size() + kTimeDigits) return std::nullopt;
    const char* const begin = id.data() + kPrefix.size();
    std::int64_t millis = 0;
    const auto [end, error] = std::from_chars(begin, begin + kTimeDigits, millis, 16);
    if (error != std::errc{} || end != begin + kTimeDigits) return std::nullopt;
    return from_millis(millis);
}

Result<std::uint64_t> count_of(duck::Connection& connection, const RequestFilter& filter) {
    const Condition where = condition_of(filter);
    TRY(const auto total, connection.integer("SELECT count(*) FROM requests WHERE " + where.sql, where.parameters));
    return static_cast<std::uint64_t>(total.value_or(0));
}

std::int64_t nanos_of(Timestamp time) {
    return to_millis(time) * kNanosPerMilli;
}

// Counts into `page`, and narrows the filter to the time that its rows lie in: of a search for a text what the budget
// allows, from the newest back.
Result<Unit> count_and_narrow(duck::Connection& connection, RequestFilter& filter, RequestPage& page) {
    constexpr Duration kAround{60'000};
    if (filter.text.empty() || !filter.budget) {
        TRY(page.total, count_of(connection, filter));
        return Unit{};
    }
    if (const auto made = made_at(filter.text)) {
        RequestFilter around = filter;
        around.from = std::max(filter.from.value_or(Timestamp{}), *made - kAround);
        around.to = std::min(filter.to.value_or(*made + kAround), *made + kAround);
        TRY(page.total, count_of(connection, around));
        if (page.total > 0) {
            filter = std::move(around);
            return Unit{};
        }
    }
    TRY(const auto oldest, connection.integer("SELECT epoch_ms(min(time)) FROM requests"));
    TRY(const auto newest, connection.integer("SELECT epoch_ms(max(time)) FROM requests"));
    if (!oldest || !newest) return Unit{};
    const Timestamp from = std::max(filter.from.value_or(Timestamp{}), from_millis(*oldest));
    const Timestamp to = std::min(filter.to.value_or(Timestamp::max()), from_millis(*newest + 1));
    if (from >= to) return Unit{};
    const bool newest_first = filter.sort == SortBy::Time && !filter.ascending;
    RequestFilter part = filter;
    Slices slices(nanos_of(from), nanos_of(to), filter.budget);
    while (slices.next(std::chrono::steady_clock::now())) {
        part.from = from_millis(slices.from_ns() / kNanosPerMilli);
        part.to = from_millis(slices.to_ns() / kNanosPerMilli);
        TRY(const std::uint64_t count, count_of(connection, part));
        // What the page shows is in the slices up to here.
        if (!newest_first || page.total < filter.offset + filter.limit) filter.from = part.from;
        page.total += count;
    }
    page.complete = slices.complete();
    page.searched_from = *part.from;
    return Unit{};
}

Result<std::vector<RequestRecord>> records_of(duck::Rows rows) {
    std::vector<RequestRecord> records;
    for (;;) {
        TRY(const duck::ChunkHandle chunk, rows.next());
        if (chunk.get() == nullptr) return records;
        for (idx_t row = 0; row < duckdb_data_chunk_get_size(chunk.get()); ++row) {
            TRY(auto record, record_at(chunk.get(), row));
            records.push_back(std::move(record));
        }
    }
}

}  // namespace

Result<RequestPage> list_requests(duck::Connection& connection, const RequestFilter& asked) {
    RequestFilter filter = asked;
    // One snapshot for the count and the page.
    TRY(const auto transaction, duck::Transaction::begin(connection, true));
    RequestPage page;
    TRY_UNIT(count_and_narrow(connection, filter, page));
    if (page.total <= filter.offset) return page;
    Condition where = condition_of(filter);
    const std::string_view direction = filter.ascending ? "ASC" : "DESC";
    const std::string order =
        fmt::format("{} {} NULLS LAST, sequence {}", column_of(filter.sort), direction, direction);
    // First which rows, by the few columns that decide it; then all columns of those: else every text of the table is
    // read.
    const std::string sql = fmt::format(
        "SELECT {} FROM requests WHERE rowid IN (SELECT rowid FROM requests WHERE {} ORDER BY {} LIMIT ? OFFSET ?) "
        "ORDER BY {}",
        kRecordColumns, where.sql, order, order);
    where.parameters.emplace_back(static_cast<std::int64_t>(filter.limit));
    where.parameters.emplace_back(static_cast<std::int64_t>(filter.offset));
    TRY(duck::Rows rows, connection.query(sql, where.parameters));
    TRY(page.requests, records_of(std::move(rows)));
    return page;
}

Result<RequestRecord> get_request(duck::Connection& connection, const std::string& id) {
    // Most requests that are asked for are young; the whole table is read only for others.
    constexpr Duration kYoung{6LL * 3600 * 1000};
    for (const std::int64_t since : {to_millis(now() - kYoung), std::int64_t{0}}) {
        TRY(duck::Rows rows,
            connection.query(fmt::format("SELECT {} FROM requests WHERE id = ? AND time >= make_timestamp(CAST(? AS "
                                         "BIGINT) * 1000) ORDER BY sequence DESC LIMIT 1",
                                         kRecordColumns),
                             {id, since}));
        TRY(auto records, records_of(std::move(rows)));
        if (!records.empty()) return std::move(records.front());
    }
    return Error{Errc::NotFound, fmt::format("there is no request {}", id)};
}

}  // namespace stoker::records
