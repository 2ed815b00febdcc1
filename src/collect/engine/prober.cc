#include "collect/engine/prober.h"

#include <algorithm>

namespace stoker::collect {
namespace {

// What is still to ask once the kind is known from /v1/models and /metrics: where its version stands.
std::vector<std::string> further_paths(EngineKind kind) {
    switch (kind) {
        case EngineKind::Vllm:
        case EngineKind::TensorRtLlm:
            return {"/version"};
        case EngineKind::SgLang:
            return {"/get_server_info", "/server_info"};
        case EngineKind::Tgi:
            return {"/info"};
        case EngineKind::LlamaCpp:
            return {"/props"};
        case EngineKind::Ollama:
            return {"/api/version"};
        case EngineKind::LmDeploy:
            return {};
        default:
            break;
    }
    std::vector<std::string> rest;
    for (const auto& path : probe_paths()) {
        if (path != "/v1/models" && path != "/metrics") rest.push_back(path);
    }
    return rest;
}

boost::asio::awaitable<bool> ask(net::Client& client, net::Url url, std::string path, GetOptions options,
                                 std::vector<ProbeAnswer>& answers, Abandon& abandon) {
    url.path = path;
    auto page = co_await get(client, std::move(url), std::move(options), abandon);
    if (!page) co_return false;
    answers.push_back({std::move(path), page->status, std::move(page->server), std::move(page->body)});
    co_return true;
}

}  // namespace

boost::asio::awaitable<std::optional<EngineIdentity>> probe(net::Client& client, net::Url url, std::string bearer,
                                                            Duration limit, Abandon& abandon) {
    GetOptions options{.limit = limit, .max_body = kMaxProbeBody, .bearer = std::move(bearer)};
    std::vector<ProbeAnswer> answers;
    const bool somebody = co_await ask(client, url, "/v1/models", options, answers, abandon);
    if (!somebody) co_return std::nullopt;
    (void)co_await ask(client, url, "/metrics", options, answers, abandon);
    std::vector<std::string> further = further_paths(identify(answers).kind);
    for (std::string& path : further) {
        const bool answered = co_await ask(client, url, std::move(path), options, answers, abandon);
        if (!answered) break;
    }
    co_return identify(answers);
}

}  // namespace stoker::collect
