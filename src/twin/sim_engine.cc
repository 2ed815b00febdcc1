#include "twin/sim_engine.h"

#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "net/async.h"
#include "net/server.h"
#include "twin/answer.h"
#include "twin/engine.h"
#include "twin/extras.h"
#include "twin/session.h"

namespace stoker::twin {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMaxFaultBody = 64 * 1024;
constexpr Duration kStopGrace{500};

std::string models_json(const Engine& engine) {
    std::string name = quote_json(engine.options.model);
    // TGI names the model itself as its owner.
    const std::string owner = engine.dialect.owner.empty() ? name : quote_json(std::string(engine.dialect.owner));
    std::string text = "{\"object\":\"list\",\"data\":[{\"id\":" + name +
                       ",\"object\":\"model\",\"created\":1700000000,\"owned_by\":" + owner + ",\"root\":" + name +
                       ",\"parent\":null,\"max_model_len\":" + std::to_string(engine.profile.max_context) + "}";
    for (const std::string& adapter : engine.adapters()) {
        text += ",{\"id\":" + quote_json(adapter) +
                ",\"object\":\"model\",\"created\":1700000000,\"owned_by\":" + owner +
                ",\"root\":" + quote_json("/adapters/" + adapter) + ",\"parent\":" + name + ",\"max_model_len\":null}";
    }
    return text + "]}";
}

// As vLLM takes them with VLLM_ALLOW_RUNTIME_LORA_UPDATING.
asio::awaitable<void> change_adapters(Engine& engine, net::Exchange& exchange) {
    auto body = co_await exchange.read_body(kMaxFaultBody);
    if (!body) co_return co_await respond_error(exchange, net::status_of(body.error().code), body.error().message);
    const auto asked = nlohmann::json::parse(*body, nullptr, false);
    const std::string name = asked.is_object() ? asked.value("lora_name", "") : "";
    if (name.empty()) co_return co_await respond_error(exchange, 400, "'lora_name' needs to be provided.");
    const bool load = exchange.request().path() == "/v1/load_lora_adapter";
    const bool changed = load ? engine.load_adapter(name) : engine.unload_adapter(name);
    if (!changed && load) co_return co_await respond_error(exchange, 400, "The adapter '" + name + "' is loaded.");
    if (!changed) co_return co_await respond_error(exchange, 404, "The adapter '" + name + "' cannot be found.");
    co_await respond_json(exchange, 200, quote_json("LoRA adapter '" + name + (load ? "' added." : "' removed.")));
}

std::string profile_json(const Engine& engine) {
    const Profile& profile = engine.profile;
    return nlohmann::json{{"profile", profile.name},
                          {"summary", profile.summary},
                          {"model", engine.options.model},
                          {"kv_blocks", profile.kv_blocks},
                          {"block_tokens", profile.block_tokens},
                          {"max_batch", profile.max_batch},
                          {"max_context", profile.max_context},
                          {"default_output", profile.default_output}}
        .dump();
}

std::optional<FaultKind> kind_named(std::string_view name) {
    for (int i = 0; i <= static_cast<int>(kLastFaultKind); ++i) {
        if (to_string(static_cast<FaultKind>(i)) == name) return static_cast<FaultKind>(i);
    }
    return std::nullopt;
}

// A crash that nobody gave conditions to happens now, not with the next request.
bool is_immediate_crash(const Fault& fault) {
    return fault.kind == FaultKind::Crash && !fault.after_tokens && !fault.count && fault.probability >= 1;
}

asio::awaitable<void> post_fault(Engine& engine, net::Exchange& exchange) {
    auto body = co_await exchange.read_body(kMaxFaultBody);
    if (!body) co_return co_await respond_error(exchange, net::status_of(body.error().code), body.error().message);
    auto fault = parse_fault(*body);
    if (!fault) co_return co_await respond_error(exchange, 400, fault.error().message);
    if (is_immediate_crash(*fault)) {
        co_await respond_json(exchange, 200, "{\"faults\":[{\"kind\":\"crash\"}]}");
        engine.crash();
        co_return;
    }
    engine.add_fault(*std::move(fault));
    co_await respond_json(exchange, 200, engine.faults_json());
}

asio::awaitable<void> delete_faults(Engine& engine, net::Exchange& exchange) {
    std::optional<FaultKind> kind;
    for (const auto& [key, value] : net::parse_query(exchange.request().query())) {
        kind = key == "kind" ? kind_named(value) : std::nullopt;
        if (!kind) co_return co_await respond_error(exchange, 400, "unknown " + key + " '" + value + "'");
    }
    if (!engine.clear_faults(kind)) co_return co_await respond_error(exchange, 404, "that fault is not set");
    co_await respond_json(exchange, 200, engine.faults_json());
}

asio::awaitable<void> serve_faults(Engine& engine, net::Exchange& exchange) {
    const std::string& method = exchange.request().method;
    if (method == "POST") co_return co_await post_fault(engine, exchange);
    if (method == "DELETE") co_return co_await delete_faults(engine, exchange);
    if (method == "GET") co_return co_await respond_json(exchange, 200, engine.faults_json());
    co_await respond_error(exchange, 405, "Method Not Allowed");
}

asio::awaitable<void> serve_state(Engine& engine, net::Exchange& exchange) {
    bool up = co_await wait_while_hung(engine, exchange, true);
    if (!up) co_return exchange.abort();
    net::Response response;
    if (!engine.dialect.server.empty()) response.headers.add("Server", std::string(engine.dialect.server));
    const std::string_view path = exchange.request().path();
    const auto state = dialect_state(engine.dialect, path, engine.facts());
    std::string type = "application/json";
    if (path == "/v1/models") {
        response.body = models_json(engine);
    } else if (path == engine.dialect.metrics_path) {
        Engine::MetricsPage page = engine.metrics_page();
        response.status = page.status;
        response.body = std::move(page.body);
        if (!page.json) type = "text/plain; version=0.0.4; charset=utf-8";
    } else if (state) {
        response.body = *state;
        if (path == "/") type = "text/plain; charset=utf-8";
    } else if (path != "/health" && path != "/ping") {
        co_return co_await respond_error(exchange, 404, "Not Found");
    }
    if (!response.body.empty()) response.headers.add("Content-Type", std::move(type));
    (void)co_await exchange.respond(std::move(response));
}

enum class Route : std::uint8_t {
    Chat,
    Completion,
    Embedding,
    Messages,
    Responses,
    Extra,
    State,
    Faults,
    Requests,
    Profile,
    Adapters
};

std::optional<Route> route_of(std::string_view path) {
    static const std::map<std::string_view, Route> routes = {
        {"/v1/chat/completions", Route::Chat},
        {"/v1/completions", Route::Completion},
        {"/v1/embeddings", Route::Embedding},
        {"/v1/messages", Route::Messages},
        {"/v1/responses", Route::Responses},
        {"/v1/messages/count_tokens", Route::Extra},
        {"/tokenize", Route::Extra},
        {"/v1/rerank", Route::Extra},
        {"/rerank", Route::Extra},
        {"/v1/audio/transcriptions", Route::Extra},
        {"/v1/audio/speech", Route::Extra},
        {"/v1/load_lora_adapter", Route::Adapters},
        {"/v1/unload_lora_adapter", Route::Adapters},
        {"/v1/models", Route::State},
        {"/health", Route::State},
        {"/ping", Route::State},
        {"/sim/faults", Route::Faults},
        {"/sim/requests", Route::Requests},
        {"/sim/profile", Route::Profile},
    };
    auto found = routes.find(path);
    return found == routes.end() ? std::nullopt : std::optional(found->second);
}

// Whether the dialect has an endpoint of its own there.
bool speaks(const Engine& engine, std::string_view path) {
    return path == engine.dialect.metrics_path || dialect_state(engine.dialect, path, engine.facts()).has_value();
}

asio::awaitable<void> serve(Engine& engine, net::Exchange& exchange) {
    const std::string_view path = exchange.request().path();
    std::optional<Route> route = route_of(path);
    if (!route && speaks(engine, path)) route = Route::State;
    if (!route) co_return co_await respond_error(exchange, 404, "Not Found");
    if (*route == Route::Faults) co_return co_await serve_faults(engine, exchange);
    bool generation = *route == Route::Chat || *route == Route::Completion || *route == Route::Embedding ||
                      *route == Route::Messages || *route == Route::Responses || *route == Route::Extra ||
                      *route == Route::Adapters;
    const std::string& method = exchange.request().method;
    if (generation ? method != "POST" : method != "GET" && method != "HEAD") {
        co_return co_await respond_error(exchange, 405, "Method Not Allowed");
    }
    switch (*route) {
        case Route::Chat:
            co_return co_await serve_generation(engine, Endpoint::Chat, exchange);
        case Route::Completion:
            co_return co_await serve_generation(engine, Endpoint::Completion, exchange);
        case Route::Embedding:
            co_return co_await serve_generation(engine, Endpoint::Embedding, exchange);
        case Route::Messages:
            co_return co_await serve_generation(engine, Endpoint::Messages, exchange);
        case Route::Responses:
            co_return co_await serve_generation(engine, Endpoint::Responses, exchange);
        case Route::Extra:
            co_return co_await serve_extra(engine, exchange);
        case Route::Adapters:
            co_return co_await change_adapters(engine, exchange);
        case Route::Requests:
            co_return co_await respond_json(exchange, 200, engine.requests_json());
        case Route::Profile:
            co_return co_await respond_json(exchange, 200, profile_json(engine));
        default:
            co_return co_await serve_state(engine, exchange);
    }
}

class SimEngineImpl : public SimEngine {
public:
    SimEngineImpl(SimOptions options, Profile profile, Dialect dialect)
        : engine_(std::make_unique<Engine>(std::move(options), std::move(profile), dialect)) {}
    ~SimEngineImpl() override { stop(); }

    Result<Unit> start(net::Loops& loops, metrics::Registry& registry) {
        net::ServerOptions options;
        options.name = "sim-engine";
        options.listen = engine_->options.listen;
        options.error_response = [](int status, Errc, std::string_view message) {
            return net::Response{.status = status,
                                 .headers = {{"Content-Type", "application/json"}},
                                 .body = error_json(status, message)};
        };
        if (!engine_->profile.instant()) {
            Engine* engine = engine_.get();
            engine_->loop = std::make_shared<EngineLoop>(loops.at(0), engine_->profile, engine_->metrics,
                                                         [engine] { return engine->condition(); });
        }
        auto handler = [engine = engine_.get()](net::Exchange& exchange) { return serve(*engine, exchange); };
        TRY(server_, net::Server::open(loops, std::move(options), handler, registry));
        if (engine_->loop) engine_->loop->start();
        return Unit{};
    }

    std::string address() const override { return server_->address(); }

    void stop() override {
        if (!server_) return;
        engine_->stopping = true;
        server_->stop(kStopGrace);
        if (engine_->loop) engine_->loop->stop();
        server_.reset();
    }

private:
    std::unique_ptr<Engine> engine_;
    std::unique_ptr<net::Server> server_;
};

}  // namespace

Result<std::unique_ptr<SimEngine>> SimEngine::open(net::Loops& loops, SimOptions options, metrics::Registry& registry) {
    TRY(Profile profile, find_profile(options.profile));
    if (options.default_output > 0) profile.default_output = options.default_output;
    if (options.continuation != "vllm" && options.continuation != "llama.cpp") {
        return Error{Errc::InvalidArgument, "no continuation '" + options.continuation + "'; known: vllm, llama.cpp"};
    }
    TRY(Dialect dialect, find_dialect(options.dialect));
    auto engine = std::make_unique<SimEngineImpl>(std::move(options), std::move(profile), dialect);
    TRY_UNIT(engine->start(loops, registry));
    return std::unique_ptr<SimEngine>(std::move(engine));
}

}  // namespace stoker::twin
