#include "gateway/hooks/scan_content.h"

#include <utility>

#include "net/sse.h"
#include "wire/openai.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

ScanSubject subject_of(const RequestContext& context, AnswerSource source = AnswerSource::None) {
    return {.request_id = context.id(),
            .path = context.exchange().request().path(),
            .tenant = context.identity->tenant,
            .key_id = context.identity->key_id,
            .model = context.scan.model,
            .source = source};
}

}  // namespace

asio::awaitable<bool> scan_content(RequestContext& context) {
    ContentScanner* scanner = context.core().options.scanner.get();
    if (scanner == nullptr) co_return true;
    ScanVerdict verdict = scanner->on_request(subject_of(context), context.body);
    if (verdict.allow) co_return true;
    co_await context.refuse(GatewayError::ContentBlocked, std::move(verdict.reason));
    co_return false;
}

std::unique_ptr<AnswerScanner> scan_answer_of(RequestContext& context, AnswerSource source) {
    ContentScanner* scanner = context.core().options.scanner.get();
    if (scanner == nullptr || context.inner()) return nullptr;
    return scanner->on_answer(subject_of(context, source));
}

ScanVerdict scan_whole(AnswerScanner* scanner, bool stream, std::string_view body) {
    if (scanner == nullptr) return {};
    if (!stream) return scanner->on_body(body);
    ScanVerdict verdict;
    const auto look = [scanner, &verdict](const net::SseEvent& event) {
        if (verdict.allow && !event.data.empty() && !wire::is_done(event.data)) verdict = scanner->on_event(event.data);
    };
    net::SseParser parser(body.size() + 1);
    (void)parser.feed(body, look);
    parser.finish(look);
    return verdict;
}

asio::awaitable<bool> scan_answer(RequestContext& context, AnswerSource source, std::string_view body) {
    const auto scanner = scan_answer_of(context, source);
    ScanVerdict verdict = scan_whole(scanner.get(), context.scan.stream, body);
    if (verdict.allow) co_return true;
    co_await context.refuse(GatewayError::ContentBlocked, std::move(verdict.reason));
    co_return false;
}

}  // namespace stoker::gateway
