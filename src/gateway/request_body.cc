#include "gateway/request_body.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

asio::awaitable<void> refuse_unread(RequestContext& context, const Error& error) {
    switch (error.code) {
        case Errc::ResourceExhausted:
            co_return co_await context.refuse(
                GatewayError::BodyTooLarge,
                "the body is longer than " + std::to_string(context.core().options.max_body_bytes) + " bytes");
        case Errc::DeadlineExceeded:
            co_return co_await context.refuse(GatewayError::RequestTimeout, "the body did not come in time");
        case Errc::InvalidArgument:
            co_return co_await context.refuse(GatewayError::InvalidRequest, error.message);
        default:
            context.settle(Outcome::Cancelled, GatewayError::ClientClosed);
    }
}

asio::awaitable<void> refuse_body(RequestContext& context, const Error& error) {
    constexpr std::size_t kMostShown = 200;
    if (context.endpoint.path.empty()) {  // Nothing but a model's name would have made this an endpoint.
        co_return co_await context.refuse(GatewayError::UnknownPath,
                                          "there is nothing at " +
                                              std::string(context.exchange().request().path().substr(0, kMostShown)) +
                                              " for a request that names no model: " + error.message);
    }
    switch (static_cast<wire::RequestFault>(error.detail)) {
        case wire::RequestFault::MissingModel:
            co_return co_await context.refuse(GatewayError::MissingModel, error.message, {}, "model");
        case wire::RequestFault::WrongType:
            co_return co_await context.refuse(GatewayError::InvalidRequest, error.message);
        default:
            co_return co_await context.refuse(GatewayError::InvalidJson, error.message);
    }
}

// How much of a form is kept at most before the rest is passed on as it comes; it may still be tried on a second
// replica then.
constexpr std::size_t kFormHeld = 1024 * 1024;

std::string_view content_type(const RequestContext& context) {
    return context.exchange().request().headers.get("content-type").value_or("");
}

// What the body announces; empty if it comes in chunks.
std::optional<std::uint64_t> announced_length(const RequestContext& context) {
    const auto length = context.exchange().request().headers.get("content-length");
    const auto parsed = length ? parse_integer(trim(*length)) : std::nullopt;
    if (!parsed || *parsed < 0) return {};
    return static_cast<std::uint64_t>(*parsed);
}

Error form_error(wire::RequestFault fault, std::string message) {
    return {Errc::InvalidArgument, std::move(message), static_cast<std::uint16_t>(fault)};
}

// Takes what a form has told, whose first bytes are `held`. Errors: as of scan_request.
Result<Unit> understand_form(RequestContext& context, wire::FormScanner form, std::string held, bool whole) {
    if (whole && !form.done()) return form_error(wire::RequestFault::WrongType, "the form has no end");
    if (!form.model() || form.model()->empty()) {
        return form_error(wire::RequestFault::MissingModel, "the form must have a field 'model'");
    }
    context.scan.model = *form.model();
    context.scan.model_value = form.model_value();
    context.scan.model_bare = true;
    context.scan.stream = form.stream();
    context.scan.usage = wire::UsageAsk::Unusable;
    const std::uint64_t total = whole ? held.size() : *announced_length(context);
    if (!whole) {
        context.upload = std::make_unique<Upload>(context.exchange(), std::move(form), total - held.size());
    }
    context.note_body(std::move(held), total);
    return Unit{};
}

// Reads a form until its end, or until its model is known and it is too long to be kept.
asio::awaitable<Result<Unit>> read_form(RequestContext& context, wire::FormScanner form) {
    const std::size_t limit = context.core().options.max_body_bytes;
    const bool can_pass = announced_length(context).value_or(0) > kFormHeld;
    std::string held;
    while (true) {
        CO_TRY(const std::string_view piece, co_await context.exchange().read_some());
        if (piece.size() > limit - held.size()) co_return Error{Errc::ResourceExhausted, "the body is too long"};
        held += piece;
        if (!form.feed(piece)) {
            co_return form_error(wire::RequestFault::WrongType,
                                 std::string("the form is malformed: ") + form.problem());
        }
        const bool whole = piece.empty();
        if (whole || (can_pass && form.model() && held.size() >= kFormHeld)) {
            co_return understand_form(context, std::move(form), std::move(held), whole);
        }
    }
}

asio::awaitable<Result<Unit>> read_json(RequestContext& context) {
    CO_TRY(std::string body, co_await context.exchange().read_body(context.core().options.max_body_bytes));
    const std::size_t size = body.size();
    context.note_body(std::move(body), size);
    CO_TRY(context.scan, wire::scan_request(context.body));
    co_return Unit{};
}

}  // namespace

asio::awaitable<bool> read_request(RequestContext& context) {
    const std::string boundary = wire::form_boundary(content_type(context));
    Result<Unit> read = Unit{};
    if (boundary.empty()) {
        read = co_await read_json(context);
    } else {
        read = co_await read_form(context, wire::FormScanner(boundary));
    }
    if (!read) {
        const bool understood_wrongly = read.error().detail != 0;
        if (understood_wrongly) co_await refuse_body(context, read.error());
        if (!understood_wrongly) co_await refuse_unread(context, read.error());
        co_return false;
    }
    context.record().stream = context.scan.stream;
    co_return true;
}

}  // namespace stoker::gateway
