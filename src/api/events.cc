// Events: a list, newest first or on from a place; and a stream that can be taken up where it broke.
#include "api/events.h"

#include <boost/asio/use_awaitable.hpp>

#include "api/handlers.h"
#include "base/text.h"
#include "net/async.h"
#include "outward/event_log.h"

namespace stoker::api {
namespace {

constexpr std::int64_t kMostEvents = 1'000;
constexpr std::int64_t kMostSequence = std::int64_t{1} << 53;
constexpr std::size_t kMaxBody = 64 * 1024;
constexpr Duration kPoll{200};          // How late an event may come.
constexpr Duration kHeartbeat{15'000};  // A comment, so that proxies keep the connection.
constexpr std::size_t kStreamAtOnce = 100;

Result<outward::EventQuery> query_of(const ApiRequest& request) {
    outward::EventQuery query;
    TRY(const auto limit, request.number("limit", 100, kMostEvents));
    TRY(const auto after, request.number("after", 0, kMostSequence));
    query.limit = static_cast<std::size_t>(limit);
    query.after = static_cast<std::uint64_t>(after);
    for (const auto& [name, value] : request.params) {
        if (name != "type" || value.empty()) continue;
        if (!outward::is_event_pattern(value)) {
            return Error{Errc::InvalidArgument, "parameter type: no event is of the type " + value};
        }
        query.filter.types.push_back(value);
    }
    if (const auto severity = request.param("severity")) {
        query.filter.least = outward::severity_from(*severity);
        if (outward::to_string(query.filter.least) != *severity) {
            return Error{Errc::InvalidArgument, "parameter severity: must be info, warning or critical"};
        }
    }
    return query;
}

net::Response list(Services& services, const ApiRequest& request) {
    const auto query = query_of(request);
    if (!query) return error_response(query.error());
    const auto page = services.events->select(*query);
    if (!page) return error_response(page.error());
    std::string body = "{\"events\":[";
    for (const auto& event : page->events) {
        if (body.back() != '[') body += ',';
        body += outward::to_json(event);
    }
    return json_response(body + "],\"next\":" + std::to_string(page->next) + "}");
}

std::string stream_text(const outward::EventPage& page) {
    std::string text;
    for (const auto& event : page.events) {
        text += "id: " + std::to_string(event.sequence) + "\nevent: " + event.type +
                "\ndata: " + outward::to_json(event) + "\n\n";
    }
    return text;
}

}  // namespace

std::vector<Route> event_routes(Services& services) {
    return {{"GET", "/api/v1/events", Cost::Work,
             [&services](const ApiRequest& request) { return list(services, request); }}};
}

boost::asio::awaitable<void> stream_events(net::Exchange& exchange, Services& services,
                                           boost::asio::thread_pool& pool) {
    ApiRequest request;
    request.params = net::parse_query(exchange.request().query());
    auto query = query_of(request);
    auto drained = co_await exchange.read_body(kMaxBody);
    if (!drained) co_return;
    if (!query) {
        auto refused = co_await exchange.respond(error_response(query.error()));
        co_return;
    }
    // What a browser's EventSource sends when it comes back goes before what its address says.
    const auto last = exchange.request().headers.get("Last-Event-ID");
    const auto resumed = last ? parse_integer(*last) : std::nullopt;
    if (resumed && *resumed > 0) query->after = static_cast<std::uint64_t>(*resumed);
    if (query->after == 0) query->after = services.events->next_sequence() - 1;
    query->limit = kStreamAtOnce;
    net::ResponseHead head{200, {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}}};
    auto alive = co_await exchange.start(std::move(head));
    Duration silent{0};
    while (alive && !exchange.client_gone() && services.status().ready) {
        std::string text;
        if (services.events->next_sequence() > query->after + 1) {
            outward::EventLog* log = services.events;
            std::function<Result<outward::EventPage>()> read = [log, asked = *query] { return log->select(asked); };
            auto page = co_await net::run_on<Result<outward::EventPage>>(pool, read);
            if (!page) break;
            text = stream_text(*page);
            query->after = page->next;
        }
        silent = text.empty() ? silent + kPoll : Duration{0};
        if (silent >= kHeartbeat) {
            text = ": still here\n\n";
            silent = Duration{0};
        }
        if (!text.empty()) alive = co_await exchange.write(text);
        if (alive) alive = co_await net::sleep_for(kPoll);
    }
    if (alive) alive = co_await exchange.finish();
}

}  // namespace stoker::api
