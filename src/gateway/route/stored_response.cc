#include "gateway/route/stored_response.h"

#include <algorithm>
#include <utility>

#include "gateway/auth/authenticate.h"
#include "gateway/upstream/address.h"
#include "gateway/upstream/attempt.h"
#include "wire/responses.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

constexpr std::string_view kPrefix = "/v1/responses/";
constexpr std::size_t kMostAsked = 64 * 1024;  // Of a body; none is needed.

bool is_id(std::string_view id) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    return !id.empty() && id.size() <= MadeResponses::kLongestId && std::all_of(id.begin(), id.end(), plain);
}

// Where the response is.
struct Place {
    std::shared_ptr<const Pool> pool;
    const Target* target = nullptr;
};

Place place_of(RequestContext& context, const MadeResponses::Made& made) {
    context.plan.table = context.core().routes.get();
    const ModelRoute* route = context.plan.table->find(made.model);
    if (route == nullptr) return {};
    for (const Target& target : route->pool->targets) {
        if (target.replica->id() == made.replica) return {route->pool, &target};
    }
    return {};
}

asio::awaitable<void> refuse_unknown(RequestContext& context, const std::string& id) {
    std::string message = "no response '" + id +
                          "' is known here: the engine that made it keeps it, and the gateway remembers which one for "
                          "the last " +
                          std::to_string(MadeResponses::kMost) + ", until it is restarted";
    co_await context.refuse(GatewayError::ResponseNotFound, std::move(message));
}

asio::awaitable<void> pass_on(RequestContext& context, net::Call& call) {
    const int status = call.head().status;
    net::ResponseHead head{status, client_headers(call.head(), context.marks())};
    auto started = co_await context.exchange().start(std::move(head));
    while (started) {
        const auto piece = co_await call.read_some();
        if (!piece) {
            context.exchange().abort();
            co_return context.settle(Outcome::Truncated, GatewayError::StreamCut);
        }
        if (piece->empty()) break;
        context.count_response_bytes(piece->size());
        started = co_await context.exchange().write(*piece);
    }
    if (!started) co_return context.settle(Outcome::Cancelled, GatewayError::ClientClosed);
    context.settle(status < 400   ? Outcome::Ok
                   : status < 500 ? Outcome::ClientError
                                  : Outcome::UpstreamError,
                   status, status < 400 ? "" : info(GatewayError::UpstreamRejected).code);
    context.account();
    (void)co_await context.exchange().finish();
}

// Ends the exchange with the engine when the client goes.
class Watch {
public:
    explicit Watch(net::Exchange& exchange) : exchange_(exchange) {
        exchange_.on_client_gone([this]() {
            token.cancel();
            if (call != nullptr) call->cancel();
        });
    }
    ~Watch() { exchange_.on_client_gone({}); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    net::CancelToken token;
    net::Call* call = nullptr;

private:
    net::Exchange& exchange_;
};

asio::awaitable<void> ask(RequestContext& context, const Place& place, const std::string& id) {
    const DeadlineOptions& limits = place.pool->deadlines;
    auto body = co_await context.exchange().read_body(kMostAsked);
    if (!body) co_return co_await context.refuse(GatewayError::BodyTooLarge, "this endpoint takes no body");
    net::ClientRequest request;
    request.method = context.exchange().request().method;
    request.body = *body;
    Sender sender{
        .head = context.exchange().request(),
        .dialect = context.endpoint.dialect,
        .id = context.id(),
        .traceparent = context.trace().traceparent(context.record().span_id),
        .credentials = context.withhold_credentials ? ClientCredentials::Withhold : ClientCredentials::PassOn};
    address(request, *place.pool, *place.target, std::move(sender));
    Watch watch(context.exchange());
    const net::Deadlines deadlines{limits.connect, limits.whole, limits.total};
    auto call = co_await context.loop()
                    .client_for(*place.pool)
                    .send(place.target->replica->url(), std::move(request), deadlines, &watch.token);
    if (context.client_gone()) co_return context.settle(Outcome::Cancelled, GatewayError::ClientClosed);
    if (!call) {
        co_return co_await context.refuse(GatewayError::UpstreamUnreachable,
                                          "the engine that keeps the response did not answer: " + call.error().message);
    }
    watch.call = call->get();
    const int status = (*call)->head().status;
    if (context.exchange().request().method == "DELETE" && status == 200) context.core().made_responses.forget(id);
    co_await pass_on(context, **call);
    watch.call = nullptr;
}

}  // namespace

std::optional<StoredPath> stored_path(std::string_view path) {
    if (!path.starts_with(kPrefix)) return {};
    path.remove_prefix(kPrefix.size());
    const std::size_t slash = path.find('/');
    StoredPath stored{std::string(path.substr(0, slash)), "GET, DELETE"};
    if (!is_id(stored.id)) return {};
    if (slash == std::string_view::npos) return stored;
    const std::string_view below = path.substr(slash + 1);
    if (below != "cancel" && below != "input_items") return {};
    stored.methods = below == "cancel" ? "POST" : "GET";
    return stored;
}

asio::awaitable<void> serve_stored_response(RequestContext& context, StoredPath path) {
    const bool known = co_await authenticate(context);
    if (!known) co_return;
    const auto made = context.core().made_responses.find(path.id, context.identity->tenant);
    if (!made) co_return co_await refuse_unknown(context, path.id);
    const bool allowed = co_await authorize_model(context, made->model);
    if (!allowed) co_return;
    const Place place = place_of(context, *made);
    if (place.target == nullptr) co_return co_await refuse_unknown(context, path.id);
    records::RequestRecord& record = context.record();
    record.model = made->model;
    record.pool = place.pool->name;
    record.replica = made->replica;
    co_await ask(context, place, path.id);
}

std::optional<std::size_t> keeper_of_conversation(RequestContext& context, const Pool& pool) {
    const wire::ByteRange id = context.scan.previous_response_value;
    if (id.size() <= 2 || context.endpoint.dialect != wire::Dialect::Responses) return {};
    const std::string_view quoted = id.of(context.body);
    const auto made = context.core().made_responses.find(quoted.substr(1, quoted.size() - 2), context.identity->tenant);
    if (!made) return {};
    const auto found = std::find_if(pool.targets.begin(), pool.targets.end(),
                                    [&](const Target& target) { return target.replica->id() == made->replica; });
    if (found == pool.targets.end()) return {};
    return static_cast<std::size_t>(found - pool.targets.begin());
}

void note_response(RequestContext& context, std::string_view json) {
    if (context.endpoint.dialect != wire::Dialect::Responses) return;
    std::string id = wire::response_id(json);
    if (id.empty()) return;
    context.core().made_responses.note(
        std::move(id), {answering_attempt(context.record())->replica, context.route->model, context.identity->tenant});
}

}  // namespace stoker::gateway
