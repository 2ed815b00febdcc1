#include "net/parser.h"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstring>
#include <limits>
#include <type_traits>

namespace stoker::net::internal {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

// More fields than any client sends; each costs an allocation or two.
constexpr std::size_t kMaxFields = 256;

std::string_view view(beast::string_view text) {
    return {text.data(), text.size()};
}

// Continuation lines (obs-fold) are read differently by different servers; nobody sends them honestly.
bool has_folded_line(std::string_view head) {
    const char* at = head.data();
    const char* end = head.data() + head.size();
    while (at < end && (at = static_cast<const char*>(std::memchr(at, '\n', end - at))) != nullptr) {
        if (++at < end && (*at == ' ' || *at == '\t')) return true;
    }
    return false;
}

// Beast's grammar, filling our types. Constructed anew for each message, in place.
template <typename Head>
class Grammar final : public http::basic_parser<std::is_same_v<Head, RequestHead>> {
    static constexpr bool kRequest = std::is_same_v<Head, RequestHead>;
    using ErrorCode = beast::error_code;
    using Text = beast::string_view;

public:
    Head* head = nullptr;  // Where fields go; null once the head is complete, so that trailers go nowhere.
    std::string_view piece;
    std::size_t fields = 0;
    std::size_t transfer_encodings = 0;
    int minor = 1;
    Expectation expectation = Expectation::None;

private:
    void on_request_impl(http::verb, Text method, Text target, int version, ErrorCode& ec) override {
        ec = {};
        if constexpr (kRequest) {
            head->method.assign(method.data(), method.size());
            head->target.assign(target.data(), target.size());
        }
        set_version(version, ec);
    }

    void on_response_impl(int status, Text, int version, ErrorCode& ec) override {
        ec = {};
        if constexpr (!kRequest) head->status = status;
        set_version(version, ec);
    }

    void set_version(int version, ErrorCode& ec) {
        minor = version % 10;
        if (version != 10 && version != 11) ec = http::error::bad_version;
    }

    void on_field_impl(http::field field, Text name, Text value, ErrorCode& ec) override {
        ec = {};
        if (++fields > kMaxFields) {
            ec = http::error::header_limit;
            return;
        }
        if (head == nullptr) return;
        if (field == http::field::transfer_encoding) check_transfer_encoding(value, ec);
        if (field == http::field::expect) {
            expectation = beast::iequals(value, "100-continue") ? Expectation::Continue : Expectation::Unknown;
        }
        head->headers.add(std::string(view(name)), std::string(view(value)));
    }

    // Only "chunked", once, and not in HTTP/1.0: anything else leaves the body's end in doubt.
    void check_transfer_encoding(Text value, ErrorCode& ec) {
        if (++transfer_encodings > 1 || minor == 0 || !beast::iequals(value, "chunked")) {
            ec = http::error::bad_transfer_encoding;
        }
    }

    void on_header_impl(ErrorCode& ec) override { ec = {}; }
    void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode& ec) override { ec = {}; }
    std::size_t on_body_impl(Text body, ErrorCode& ec) override { return take(body, ec); }
    void on_chunk_header_impl(std::uint64_t, Text, ErrorCode& ec) override { ec = {}; }
    std::size_t on_chunk_body_impl(std::uint64_t, Text body, ErrorCode& ec) override { return take(body, ec); }
    void on_finish_impl(ErrorCode& ec) override { ec = {}; }

    std::size_t take(Text body, ErrorCode& ec) {
        ec = {};
        piece = view(body);
        return body.size();
    }
};

ParseState state_of(const beast::error_code& ec) {
    if (ec == http::error::need_more) return ParseState::NeedMore;
    if (ec == http::error::header_limit) return ParseState::HeadTooLarge;
    return ParseState::Malformed;
}

}  // namespace

template <typename Head>
class MessageParser<Head>::Impl {
public:
    explicit Impl(std::size_t limit) : max_head_bytes(limit) { start(); }

    void start() {
        head_bytes = 0;
        grammar.emplace();
        grammar->eager(false);
        grammar->body_limit(boost::none);
        const std::size_t limit = std::min<std::size_t>(max_head_bytes, std::numeric_limits<std::uint32_t>::max());
        grammar->header_limit(static_cast<std::uint32_t>(limit));
    }

    const std::size_t max_head_bytes;
    std::size_t head_bytes = 0;  // Consumed of the head under way.
    std::optional<Grammar<Head>> grammar;
};

template <typename Head>
MessageParser<Head>::MessageParser(std::size_t max_head_bytes) : impl_(std::make_unique<Impl>(max_head_bytes)) {}

template <typename Head>
MessageParser<Head>::~MessageParser() = default;

template <typename Head>
void MessageParser<Head>::reset() {
    impl_->start();
}

template <typename Head>
void MessageParser<Head>::expect_no_body() {
    impl_->grammar->skip(true);
}

template <typename Head>
ParseStep MessageParser<Head>::parse_head(std::string_view bytes, Head& head) {
    auto& grammar = *impl_->grammar;
    ParseStep step;
    if (bytes.empty()) return {ParseState::NeedMore};
    if (!grammar.got_some()) head.headers.clear();
    grammar.head = &head;
    beast::error_code ec;
    step.consumed = grammar.put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
    grammar.head = nullptr;
    if (ec) step.state = state_of(ec);
    // A field is consumed whole or not at all, so no fold hides between two calls.
    if (has_folded_line(bytes.substr(0, step.consumed))) step.state = ParseState::Malformed;
    // Beast limits what is left of the head each time; we mean all of it.
    impl_->head_bytes += step.consumed;
    if (impl_->head_bytes > impl_->max_head_bytes && step.state != ParseState::Malformed) {
        step.state = ParseState::HeadTooLarge;
    }
    return step;
}

template <typename Head>
ParseStep MessageParser<Head>::parse_body(std::string_view bytes) {
    auto& grammar = *impl_->grammar;
    ParseStep step;
    while (!grammar.is_done()) {
        if (step.consumed == bytes.size()) {
            step.state = ParseState::NeedMore;
            break;
        }
        beast::error_code ec;
        grammar.piece = {};
        const auto rest = bytes.substr(step.consumed);
        step.consumed += grammar.put(boost::asio::const_buffer(rest.data(), rest.size()), ec);
        step.piece = grammar.piece;
        if (ec) step.state = state_of(ec);
        if (ec || !step.piece.empty()) break;
    }
    return step;
}

template <typename Head>
bool MessageParser<Head>::finish_at_eof() {
    auto& grammar = *impl_->grammar;
    if (!grammar.is_header_done()) return false;
    if (grammar.is_done()) return true;
    beast::error_code ec;
    grammar.put_eof(ec);
    return !ec && grammar.is_done();
}

template <typename Head>
bool MessageParser<Head>::done() const {
    return impl_->grammar->is_done();
}

template <typename Head>
bool MessageParser<Head>::keep_alive() const {
    return impl_->grammar->keep_alive();
}

template <typename Head>
bool MessageParser<Head>::chunked() const {
    return impl_->grammar->chunked();
}

template <typename Head>
std::optional<std::uint64_t> MessageParser<Head>::content_length() const {
    const auto length = impl_->grammar->content_length();
    return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
}

template <typename Head>
int MessageParser<Head>::minor_version() const {
    return impl_->grammar->minor;
}

template <typename Head>
Expectation MessageParser<Head>::expectation() const {
    return impl_->grammar->expectation;
}

template class MessageParser<RequestHead>;
template class MessageParser<ResponseHead>;

}  // namespace stoker::net::internal
