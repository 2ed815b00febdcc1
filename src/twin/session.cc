#include "twin/session.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/id.h"
#include "net/async.h"
#include "twin/answer.h"
#include "wire/dialect.h"

namespace stoker::twin {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMaxBody = std::size_t{16} << 20;
constexpr Duration kSlice{100};             // How often a wait looks whether the client left or the engine stops.
constexpr std::chrono::hours kPatience{1};  // No wait is for ever, not even a simulated hang.

// What is left of a request once it is read and its faults are drawn.
class Session {
public:
    Session(Engine& engine, net::Exchange& exchange, GenerationRequest request, OutputPlan plan, RequestFaults faults,
            std::shared_ptr<TokenFeed> feed)
        : engine_(engine),
          exchange_(exchange),
          request_(std::move(request)),
          plan_(plan),
          faults_(std::move(faults)),
          feed_(std::move(feed)),
          answer_(Answer::create(request_, plan_, answer_id(), to_millis(now()) / 1000)) {}

    asio::awaitable<void> run() {
        begin();
        bool whole = false;
        if (request_.stream) {
            whole = co_await stream();
        } else {
            whole = co_await respond();
        }
        end(whole);
    }

private:
    std::string answer_id() const {
        auto given = exchange_.request().headers.get("x-request-id");
        constexpr std::string_view kPrefixes[] = {"chatcmpl-", "cmpl-", "embd-", "msg_", "resp_"};
        return std::string(kPrefixes[static_cast<int>(request_.endpoint)]) +
               (given && given->size() <= 128 ? std::string(*given) : random_hex(16));
    }

    bool generates() const { return request_.endpoint != Endpoint::Embedding; }

    void begin() {
        if (request_.endpoint == Endpoint::Embedding) plan_ = {.tokens = 1};
        id_ = engine_.next_id();
        auto reason = plan_.cut_by_length ? EngineMetrics::Reason::Length : EngineMetrics::Reason::Stop;
        if (engine_.loop) {
            engine_.loop->submit({id_, request_.prompt_tokens, plan_.tokens, std::move(request_.prefix)}, reason, feed_,
                                 generates());
            exchange_.on_client_gone([feed = feed_] { feed->wake.cancel(); });
            return;
        }
        arrived_ = std::chrono::steady_clock::now();
        engine_.metrics.running().add(1);
        feed_->available = plan_.tokens;
    }

    void end(bool whole) {
        if (!whole && exchange_.client_gone()) engine_.client_left();
        if (engine_.loop) {
            if (!whole) engine_.loop->cancel(id_);
            return;
        }
        engine_.metrics.running().add(-1);
        if (!whole) return engine_.metrics.aborted();
        auto at = std::chrono::steady_clock::now();
        engine_.metrics.prompt_computed(request_.prompt_tokens);
        engine_.metrics.first_token(at - arrived_);
        const std::uint32_t made = generates() ? plan_.tokens : 0;
        engine_.metrics.tokens_generated(made);
        engine_.metrics.finished(plan_.cut_by_length ? EngineMetrics::Reason::Length : EngineMetrics::Reason::Stop,
                                 request_.prompt_tokens, made, {arrived_, arrived_, at, at});
    }

    bool given_up() const { return exchange_.client_gone() || engine_.stopping; }

    // Until more than `have` tokens exist; false if nobody wants them any more.
    asio::awaitable<bool> wait_for_more(std::uint32_t have) {
        auto limit = std::chrono::steady_clock::now() + kPatience;
        bool watching = engine_.loop != nullptr;
        while (feed_->available <= have || engine_.hung()) {
            if (!watching) exchange_.on_client_gone([feed = feed_] { feed->wake.cancel(); });
            watching = true;
            if (given_up() || std::chrono::steady_clock::now() > limit) co_return false;
            feed_->wake.expires_after(kSlice);
            co_await feed_->wake.async_wait(asio::as_tuple(asio::use_awaitable));
        }
        co_return true;
    }

    asio::awaitable<void> stall() {
        auto limit = std::chrono::steady_clock::now() + kPatience;
        exchange_.on_client_gone([feed = feed_] { feed->wake.cancel(); });  // Instant engines don't watch otherwise.
        while (!given_up() && std::chrono::steady_clock::now() < limit) {
            feed_->wake.expires_after(kSlice);
            co_await feed_->wake.async_wait(asio::as_tuple(asio::use_awaitable));
        }
    }

    UsageNumbers usage() const {
        auto tokens = static_cast<double>(request_.endpoint == Endpoint::Embedding ? 0 : plan_.tokens);
        return {request_.prompt_tokens, static_cast<std::uint64_t>(tokens * faults_.usage_factor)};
    }

    // Faults that strike once `sent` tokens are out. False: the answer ends here.
    asio::awaitable<bool> strike(std::uint32_t sent) {
        if (faults_.crash_after == sent) engine_.crash();
        if (faults_.stall_after == sent) {
            co_await stall();
            exchange_.abort();
            co_return false;
        }
        if (faults_.cut_after == sent) {
            exchange_.abort();
            co_return false;
        }
        co_return true;
    }

    asio::awaitable<bool> respond() {
        bool all = co_await wait_for_more(plan_.tokens - 1);
        if (!all) {
            exchange_.abort();
            co_return false;
        }
        if (faults_.first_token_delay.count() > 0) (void)co_await net::sleep_for(faults_.first_token_delay);
        for (auto after : {faults_.crash_after, faults_.stall_after, faults_.cut_after}) {
            if (!after) continue;
            bool go_on = co_await strike(*after);
            if (!go_on) co_return false;
        }
        UsageNumbers numbers = usage();
        std::string body = request_.endpoint == Endpoint::Embedding
                               ? embedding_answer(request_)
                               : answer_->whole(faults_.no_usage ? nullptr : &numbers);
        if (faults_.malformed_after) body.resize(body.size() / 2);
        co_await respond_json(exchange_, 200, std::move(body));
        co_return true;
    }

    // Whether a token may share a write with the one before it: nothing is to happen between the two.
    bool quiet_at(std::uint32_t index) const {
        return faults_.crash_after != index && faults_.stall_after != index && faults_.cut_after != index &&
               faults_.malformed_after != index;
    }

    asio::awaitable<bool> stream() {
        net::ResponseHead head;
        head.headers.add("Content-Type", "text/event-stream; charset=utf-8");
        auto started = co_await exchange_.start(std::move(head));
        if (!started) co_return false;
        std::uint32_t sent = 0;
        std::string out;
        while (sent < plan_.tokens) {
            bool more = co_await wait_for_more(sent);
            if (!more) co_return false;
            if (sent == 0) {
                if (faults_.first_token_delay.count() > 0) (void)co_await net::sleep_for(faults_.first_token_delay);
                answer_->append_start(out);
            }
            bool go_on = co_await strike(sent);
            if (!go_on) co_return false;
            if (faults_.malformed_after == sent) answer_->append_malformed(out);
            // An instant engine still sends event by event, as a real one would; another sends what a step has made.
            std::uint32_t upto = engine_.loop ? feed_->available : sent + 1;
            do answer_->append_token(out, sent++);
            while (sent < upto && quiet_at(sent));
            if (sent == plan_.tokens) break;
            auto written = co_await exchange_.write(out);
            if (!written) co_return false;
            out.clear();
        }
        co_return co_await end_stream(std::move(out));
    }

    asio::awaitable<bool> end_stream(std::string out) {
        if (quiet_at(plan_.tokens)) {
            const UsageNumbers numbers = usage();
            const bool tells = request_.include_usage && !faults_.no_usage;
            answer_->append_end(out, tells ? &numbers : nullptr, !faults_.missing_done);
        }
        auto written = co_await exchange_.write(out);
        if (!written) co_return false;
        bool go_on = co_await strike(plan_.tokens);
        if (!go_on) co_return false;
        auto finished = co_await exchange_.finish();
        co_return finished.has_value();
    }

    Engine& engine_;
    net::Exchange& exchange_;
    GenerationRequest request_;
    OutputPlan plan_;
    const RequestFaults faults_;
    const std::shared_ptr<TokenFeed> feed_;
    const std::unique_ptr<Answer> answer_;
    SequenceId id_ = 0;
    SteadyTime arrived_{};
};

asio::awaitable<void> respond_rate_limited(net::Exchange& exchange, std::optional<Duration> retry_after) {
    net::Response response{.status = 429,
                           .headers = {{"Content-Type", "application/json"}},
                           .body = error_json(429, "Rate limit exceeded, try again later.")};
    if (retry_after) response.headers.add("Retry-After", std::to_string((retry_after->count() + 999) / 1000));
    (void)co_await exchange.respond(std::move(response));
}

bool key_fits(const Engine& engine, const net::Exchange& exchange) {
    if (engine.options.api_key.empty()) return true;
    auto given = exchange.request().headers.get("authorization");
    return given && *given == "Bearer " + engine.options.api_key;
}

}  // namespace

asio::awaitable<void> respond_json(net::Exchange& exchange, int status, std::string body) {
    net::Response response{
        .status = status, .headers = {{"Content-Type", "application/json"}}, .body = std::move(body)};
    (void)co_await exchange.respond(std::move(response));
}

namespace {

// vLLM words errors of Anthropic's API as that API does.
std::string error_text(const net::Exchange& exchange, int status, std::string_view message) {
    if (!exchange.request().path().starts_with("/v1/messages")) return error_json(status, message);
    return wire::error_body(wire::Dialect::Messages, {status, message, {}, {}, {}});
}

}  // namespace

asio::awaitable<void> respond_error(net::Exchange& exchange, int status, std::string message) {
    std::string body = error_text(exchange, status, message);
    co_await respond_json(exchange, status, std::move(body));
}

namespace {

// Neither an answer nor an end, until the client gives up.
asio::awaitable<void> never_answer(Engine& engine, net::Exchange& exchange) {
    constexpr Duration kPoll{5};
    const auto limit = std::chrono::steady_clock::now() + kPatience;
    exchange.on_client_gone([] {});
    while (!exchange.client_gone() && !engine.stopping && std::chrono::steady_clock::now() < limit) {
        (void)co_await net::sleep_for(kPoll);
    }
    if (exchange.client_gone()) engine.client_left();
    exchange.abort();
}

// The refusals that a fault asks for, in the words of engines and of OpenAI's API. Empty: none.
std::optional<std::string> refusal(const RequestFaults& faults, const GenerationRequest& request) {
    if (faults.context_too_long) {
        return error_json(400, "This model's maximum context length is 16 tokens. Please reduce the length.",
                          "context_length_exceeded");
    }
    if (faults.content_refused) {
        return error_json(400, "The request was refused by the content policy.", "content_filter");
    }
    if (faults.reject_continuation && request.asks_continuation) {
        return error_json(400, "Unrecognized request argument supplied: continue_final_message");
    }
    return std::nullopt;
}

}  // namespace

asio::awaitable<bool> wait_while_hung(Engine& engine, net::Exchange& exchange, bool health) {
    auto limit = std::chrono::steady_clock::now() + kPatience;
    bool watching = false;
    while (health ? engine.health_hung() : engine.hung()) {
        if (!watching) exchange.on_client_gone([] {});
        watching = true;
        if (exchange.client_gone() || engine.stopping || std::chrono::steady_clock::now() > limit) co_return false;
        (void)co_await net::sleep_for(kSlice);
    }
    co_return true;
}

asio::awaitable<void> serve_generation(Engine& engine, Endpoint endpoint, net::Exchange& exchange) {
    RequestFaults faults = engine.draw_faults();
    if (faults.reset_before_headers) co_return exchange.abort();
    auto body = co_await exchange.read_body(kMaxBody);
    if (!body) co_return co_await respond_error(exchange, net::status_of(body.error().code), body.error().message);
    if (!key_fits(engine, exchange)) co_return co_await respond_error(exchange, 401, "Unauthorized");
    if (faults.no_answer) co_return co_await never_answer(engine, exchange);
    if (faults.error_status) co_return co_await respond_error(exchange, *faults.error_status, "simulated fault");
    if (faults.rate_limited) co_return co_await respond_rate_limited(exchange, faults.retry_after);

    const auto style = engine.options.continuation == "vllm" ? Continuation::Vllm : Continuation::LlamaCpp;
    auto request = parse_generation_request(endpoint, *body, style);
    if (!request) co_return co_await respond_error(exchange, 400, request.error().message);
    auto refused = refusal(faults, *request);
    if (refused) co_return co_await respond_json(exchange, 400, *std::move(refused));
    if (request->model.empty()) request->model = engine.options.model;
    if (!engine.serves(request->model)) {
        co_return co_await respond_error(exchange, 404, "The model `" + request->model + "` does not exist.");
    }
    auto plan = plan_output(*request, engine.profile);
    if (!plan) co_return co_await respond_error(exchange, 400, plan.error().message);

    auto feed = std::make_shared<TokenFeed>(co_await asio::this_coro::executor);
    Session session(engine, exchange, *std::move(request), *plan, std::move(faults), std::move(feed));
    co_await session.run();
}

}  // namespace stoker::twin
