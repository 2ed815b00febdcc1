// URLs, targets and queries from outside: no crash, and what is accepted is read the same when written again.
#include "base/check.h"
#include "net/http.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::net;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    std::string again;
    const auto pairs = parse_query(text);
    for (const auto& [key, value] : pairs) again += url_encode(key) + "=" + url_encode(value) + "&";
    STOKER_CHECK(parse_query(again) == pairs, "a query changed by encoding it");

    if (const auto url = parse_url(text)) {
        const auto second = parse_url((url->tls ? "https://" : "http://") + url->host_header() + url->path);
        STOKER_CHECK(
            second.has_value() && second->host == url->host && second->port == url->port && second->path == url->path,
            "a URL changed by writing it");
    }
    RequestHead head;
    head.target = text;
    STOKER_CHECK(!head.path().empty());
    (void)head.query();
    return 0;
}
