#include "twin/extras.h"

#include <nlohmann/json.hpp>
#include <string>

#include "base/text.h"
#include "twin/session.h"

namespace stoker::twin {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMaxBody = std::size_t{128} << 20;

std::size_t tokens_of(std::size_t bytes) {
    return (bytes + 3) / 4;
}

std::size_t text_bytes(const nlohmann::json& value) {
    if (value.is_string()) return value.get_ref<const std::string&>().size();
    std::size_t bytes = 0;
    if (value.is_structured()) {
        for (const auto& inner : value) bytes += text_bytes(inner);
    }
    return bytes;
}

std::string tokenized(const nlohmann::json& request) {
    const std::size_t count = tokens_of(text_bytes(request.value("prompt", nlohmann::json())) +
                                        text_bytes(request.value("messages", nlohmann::json())));
    nlohmann::json tokens = nlohmann::json::array();
    for (std::size_t i = 0; i < count; ++i) tokens.push_back(i);
    return nlohmann::json{{"count", count}, {"max_model_len", 2048}, {"tokens", tokens}}.dump();
}

// The longer a document, the more relevant.
std::string reranked(const nlohmann::json& request) {
    nlohmann::json results = nlohmann::json::array();
    std::size_t bytes = text_bytes(request.value("query", nlohmann::json()));
    const auto documents = request.value("documents", nlohmann::json::array());
    for (std::size_t i = 0; i < documents.size(); ++i) {
        const std::size_t size = text_bytes(documents[i]);
        bytes += size;
        results.push_back({{"index", i}, {"relevance_score", 1.0 - 1.0 / (1.0 + static_cast<double>(size))}});
    }
    return nlohmann::json{{"id", "rerank-0"}, {"results", results}, {"usage", {{"total_tokens", tokens_of(bytes)}}}}
        .dump();
}

// The value of a form's plain field; empty if it is not there.
std::string form_field(std::string_view body, std::string_view name) {
    const std::string mark = "name=\"" + std::string(name) + "\"\r\n\r\n";
    const std::size_t at = body.find(mark);
    if (at == std::string_view::npos) return {};
    const std::size_t begin = at + mark.size();
    return std::string(body.substr(begin, body.find("\r\n", begin) - begin));
}

std::string transcribed(std::string_view body) {
    return nlohmann::json{
        {"text", "heard " + std::to_string(body.size()) + " bytes"},
        {"usage", {{"type", "tokens"}, {"input_tokens", 14}, {"output_tokens", 3}, {"total_tokens", 17}}}}
        .dump();
}

std::string counted(const nlohmann::json& request) {
    const std::size_t bytes =
        text_bytes(request.value("messages", nlohmann::json())) + text_bytes(request.value("system", nlohmann::json()));
    return nlohmann::json{{"input_tokens", tokens_of(bytes)}}.dump();
}

net::Response spoken() {
    net::Response response;
    response.headers.add("Content-Type", "audio/pcm");
    for (int i = 0; i < 4096; ++i) response.body += static_cast<char>(i);
    return response;
}

std::string answer_to(std::string_view path, const nlohmann::json& request, std::string_view body) {
    if (path == "/v1/audio/transcriptions") return transcribed(body);
    if (path == "/tokenize") return tokenized(request);
    if (path.ends_with("rerank")) return reranked(request);
    return counted(request);
}

std::string asked_model(const nlohmann::json& request, std::string_view body, const std::string& otherwise) {
    const std::string field = form_field(body, "model");
    if (!field.empty()) return field;
    const auto named = request.find("model");
    return named != request.end() && named->is_string() ? named->get<std::string>() : otherwise;
}

}  // namespace

asio::awaitable<void> serve_extra(Engine& engine, net::Exchange& exchange) {
    const std::string path(exchange.request().path());
    auto body = co_await exchange.read_body(kMaxBody);
    if (!body) co_return co_await respond_error(exchange, net::status_of(body.error().code), body.error().message);
    const bool form = path == "/v1/audio/transcriptions";
    const auto request = form ? nlohmann::json::object() : nlohmann::json::parse(*body, nullptr, false);
    if (!request.is_object()) co_return co_await respond_error(exchange, 400, "bad JSON");
    const std::string model = asked_model(request, *body, engine.options.model);
    if (model != engine.options.model) {
        co_return co_await respond_error(exchange, 404, "The model `" + model + "` does not exist.");
    }
    if (path == "/v1/audio/speech") {
        (void)co_await exchange.respond(spoken());
        co_return;
    }
    std::string answer = answer_to(path, request, *body);
    co_await respond_json(exchange, 200, std::move(answer));
}

}  // namespace stoker::twin
