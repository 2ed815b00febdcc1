#include "collect/scrape/http_get.h"

#include <algorithm>

namespace stoker::collect {
namespace {

constexpr Duration kLeast{1};

Duration left_until(SteadyTime end) {
    return std::max(kLeast, std::chrono::duration_cast<Duration>(end - std::chrono::steady_clock::now()));
}

std::string header(const net::Headers& headers, std::string_view name) {
    return std::string(headers.get(name).value_or(""));
}

}  // namespace

boost::asio::awaitable<Result<Page>> get(net::Client& client, net::Url url, GetOptions options, Abandon& abandon) {
    if (abandon.is_set()) co_return Error{Errc::Cancelled, "called off"};
    const SteadyTime end = std::chrono::steady_clock::now() + options.limit;
    net::ClientRequest request;
    request.target = url.path;
    request.headers = {{"Accept", options.accept}, {"User-Agent", "stoker"}};
    if (!options.bearer.empty()) request.headers.add("Authorization", "Bearer " + options.bearer);
    net::Deadlines deadlines{.connect = options.limit, .head = options.limit, .between = options.limit};
    auto sent = co_await client.send(url, std::move(request), deadlines, &abandon.token_);
    if (!sent) co_return std::move(sent).error();
    std::unique_ptr<net::Call> call = *std::move(sent);

    Page page{.status = call->head().status,
              .server = header(call->head().headers, "server"),
              .content_type = header(call->head().headers, "content-type"),
              .body = {}};
    abandon.call_ = call.get();
    Result<std::string_view> piece = std::string_view{};
    while (true) {
        call->set_between(left_until(end));
        piece = co_await call->read_some();
        if (!piece || piece->empty()) break;
        page.body += *piece;
        page.whole = page.body.size() <= options.max_body;
        if (!page.whole) break;
        if (std::chrono::steady_clock::now() >= end) {
            piece = Error{Errc::DeadlineExceeded, "the body did not end within " + format_duration(options.limit)};
            break;
        }
    }
    abandon.call_ = nullptr;
    if (!piece) co_return std::move(piece).error();
    if (!page.whole) page.body.resize(options.max_body);
    co_return page;
}

}  // namespace stoker::collect
