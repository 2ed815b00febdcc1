#include "collect/engine/prober.h"

namespace stoker::collect {
namespace {

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
                                                            Duration limit, std::shared_ptr<const Adapters> adapters,
                                                            Abandon& abandon) {
    GetOptions options{.limit = limit, .max_body = kMaxProbeBody, .bearer = std::move(bearer)};
    std::vector<ProbeAnswer> answers;
    for (const std::string_view path : kFirstQuestions) {
        const bool answered = co_await ask(client, url, std::string(path), options, answers, abandon);
        if (!answered && answers.empty()) co_return std::nullopt;
    }
    std::string kind = identify(*adapters, answers).kind;
    // What merely speaks OpenAI's API may turn out to be an engine that says so elsewhere.
    if (kind == kGenericEngine) kind.clear();
    std::vector<std::string> further = further_questions(*adapters, kind);
    for (std::string& path : further) {
        const bool answered = co_await ask(client, url, std::move(path), options, answers, abandon);
        if (!answered) break;
    }
    co_return identify(*adapters, answers);
}

}  // namespace stoker::collect
