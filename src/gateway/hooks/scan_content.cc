#include "gateway/hooks/scan_content.h"

#include <utility>

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

ScanSubject subject_of(const RequestContext& context) {
    return {.request_id = context.id(),
            .path = context.exchange().request().path(),
            .tenant = context.identity->tenant,
            .key_id = context.identity->key_id,
            .model = context.scan.model};
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

std::unique_ptr<StreamScanner> scan_stream(RequestContext& context) {
    ContentScanner* scanner = context.core().options.scanner.get();
    return scanner == nullptr ? nullptr : scanner->on_stream(subject_of(context));
}

}  // namespace stoker::gateway
