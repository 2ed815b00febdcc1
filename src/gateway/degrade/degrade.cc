#include "gateway/degrade/degrade.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/text.h"
#include "gateway/route/route_plan.h"
#include "wire/json_members.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

using wire::MemberFate;

constexpr std::string_view kChat = "/v1/chat/completions";
constexpr std::string_view kCompletions = "/v1/completions";

// The members that bound the length of an answer, by endpoint; the first one is added where there is none.
struct TokenMembers {
    std::string_view path;
    std::string_view added;
};
constexpr std::array kTokenMembers = {TokenMembers{kChat, "max_tokens"}, TokenMembers{kCompletions, "max_tokens"},
                                      TokenMembers{"/v1/messages", "max_tokens"},
                                      TokenMembers{"/v1/responses", "max_output_tokens"}};

bool bounds_tokens(std::string_view key) {
    return key == "max_tokens" || key == "max_completion_tokens" || key == "max_output_tokens";
}

// The body as the level wants it. Empty: as it is.
class BodyEdit {
public:
    BodyEdit(const LevelActions& actions, std::string_view path, std::string_view model)
        : actions_(actions), path_(path), model_(model) {}

    Result<std::string> apply(std::string_view body) {
        bool bounded = false;
        auto decide = [&](std::string_view key, std::string_view value) -> MemberFate {
            if (key == "model" && !model_.empty()) return replace("model", quote_json(model_));
            if (actions_.max_tokens > 0 && bounds_tokens(key)) {
                bounded = true;
                const auto asked = parse_integer(value);
                if (asked && *asked <= actions_.max_tokens) return {};
                return replace("max_tokens", std::to_string(actions_.max_tokens));
            }
            const auto& drop = actions_.drop;
            if (std::find(drop.begin(), drop.end(), key) == drop.end()) return {};
            done_.insert("drop");
            return {MemberFate::Kind::Drop, {}};
        };
        TRY(auto edited, wire::edit_members(body, decide));
        if (actions_.max_tokens == 0 || bounded) return edited;
        const auto* members = std::find_if(kTokenMembers.begin(), kTokenMembers.end(),
                                           [&](const TokenMembers& entry) { return entry.path == path_; });
        if (members == kTokenMembers.end()) return edited;
        done_.insert("max_tokens");
        edited.pop_back();  // Of an object that has a model at least.
        return edited + ",\"" + std::string(members->added) + "\":" + std::to_string(actions_.max_tokens) + "}";
    }

    const std::set<std::string_view>& done() const { return done_; }

private:
    MemberFate replace(std::string_view what, std::string value) {
        done_.insert(what);
        return {MemberFate::Kind::Replace, std::move(value)};
    }

    const LevelActions& actions_;
    const std::string_view path_;
    const std::string_view model_;
    std::set<std::string_view> done_;
};

// The level's own text as the answer of a model. Empty: this API has no place for it.
std::optional<net::Response> canned(RequestContext& context, const std::string& text) {
    const std::string_view path = context.exchange().request().path();
    const bool chat = path == kChat;
    if (!chat && path != kCompletions) return {};
    const bool stream = context.scan.stream;
    const std::string object = chat ? (stream ? "chat.completion.chunk" : "chat.completion") : "text_completion";
    std::string said = quote_json(text);
    if (chat) said = R"({"role":"assistant","content":)" + said + "}";
    const std::string_view key = chat ? (stream ? "delta" : "message") : "text";
    std::string body = R"({"id":)" + quote_json(context.id()) + R"(,"object":")" + object + R"(","created":)" +
                       std::to_string(to_millis(now()) / 1000) + R"(,"model":)" + quote_json(context.scan.model) +
                       R"(,"choices":[{"index":0,")" + std::string(key) + "\":" + said +
                       R"(,"logprobs":null,"finish_reason":"stop"}])";
    body += stream ? "}" : R"(,"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}})";
    net::Response response;
    response.headers.add("content-type", stream ? "text/event-stream" : "application/json");
    response.body = stream ? "data: " + body + "\n\ndata: [DONE]\n\n" : std::move(body);
    add_marks(response.headers, context.marks());
    return response;
}

asio::awaitable<void> turn_away(RequestContext& context, const LevelActions& actions, std::string why) {
    if (!actions.answer.empty()) {
        if (auto answer = canned(context, actions.answer)) {
            context.core().degradation.count(context.degradation, "answer");
            co_return co_await context.respond(*std::move(answer));
        }
    }
    context.core().degradation.count(context.degradation, "refuse");
    const auto clear = context.core().degradation.options().clear_after;
    net::Headers headers;
    headers.add("retry-after", std::to_string(std::chrono::ceil<std::chrono::seconds>(clear).count()));
    std::string message = std::move(why) + " while service is degraded (" +
                          std::string(to_string(context.degradation)) + "); try again later";
    co_await context.refuse(GatewayError::Degraded, std::move(message), std::move(headers));
}

// Why the level lets this request wait for better times; empty if it does not.
std::string reason_to_refuse(const RequestContext& context, const LevelActions& actions) {
    if (actions.refuse_up_to && context.identity->priority <= *actions.refuse_up_to) {
        return "requests of this priority are not served";
    }
    if (actions.max_prompt_bytes > 0 && context.scan.prompt_bytes > actions.max_prompt_bytes) {
        return "prompts of more than " + std::to_string(actions.max_prompt_bytes) + " bytes are not served";
    }
    return {};
}

}  // namespace

asio::awaitable<bool> degrade(RequestContext& context) {
    DegradationControl& control = context.core().degradation;
    if (!control.degraded()) co_return true;
    const ModelRoute& route = *context.plan.steps.front().route;
    const auto actions = control.of(route.pool->name, context.identity->tenant, context.degradation);
    if (!actions) co_return true;
    if (actions->cache_only) {  // Looked for as it was asked: an edited request would not be found.
        context.cache_only = true;
        co_return true;
    }
    std::string reason = reason_to_refuse(context, *actions);
    if (!reason.empty()) {
        co_await turn_away(context, *actions, std::move(reason));
        co_return false;
    }
    const auto smaller = actions->models.find(route.model);
    BodyEdit edit(*actions, context.exchange().request().path(),
                  smaller == actions->models.end() ? std::string_view() : smaller->second);
    auto edited = edit.apply(context.body);
    if (edited && !edit.done().empty()) {
        auto scan = wire::scan_request(*edited);
        if (scan) {
            context.body = *std::move(edited);
            context.scan = *std::move(scan);
        }
        for (const std::string_view what : edit.done()) control.count(context.degradation, what);
    }
    if (smaller == actions->models.end()) co_return true;
    context.plan = {};
    co_return co_await plan_route(context);
}

asio::awaitable<void> refuse_uncached(RequestContext& context) {
    DegradationLevel level{};
    const auto now_in_effect =
        context.core().degradation.of(context.plan.steps.front().route->pool->name, context.identity->tenant, level);
    // The level may have ended since; that it held when the request was looked at decides.
    LevelActions actions;
    if (now_in_effect) actions = *now_in_effect;
    co_await turn_away(context, actions, "only answers from the cache are given");
}

}  // namespace stoker::gateway
