// The part of an attempt that passes on an answer which is no stream of events.
#include <utility>

#include "base/text.h"
#include "gateway/admission/admission_stage.h"
#include "gateway/hooks/scan_content.h"
#include "gateway/route/stored_response.h"
#include "gateway/upstream/attempt.h"
#include "wire/refusal.h"

namespace stoker::gateway {
namespace asio = boost::asio;
using internal::clock_now;
namespace {

// The end of what was seen so far, bounded.
void keep_tail(std::string& tail, std::string_view piece, std::size_t limit) {
    if (piece.size() >= limit) {
        tail.assign(piece.substr(piece.size() - limit));
        return;
    }
    if (tail.size() + piece.size() > 2 * limit) tail.erase(0, tail.size() - limit);
    tail.append(piece);
}

}  // namespace

bool internal::is_json(const net::ResponseHead& head) {
    const auto type = head.headers.get("content-type");
    return type && to_lower(*type).find("json") != std::string::npos;
}

namespace {

// Sound and pictures are heard and shown as they come.
bool is_media(const net::ResponseHead& head) {
    const std::string type = to_lower(head.headers.get("content-type").value_or(""));
    return type.starts_with("audio/") || type.starts_with("video/") || type.starts_with("image/");
}

}  // namespace

// An answer up to hold_answer_bytes is kept back until it is whole, so that one that breaks off is tried elsewhere. A
// longer one is passed on as it comes, and only its end is kept, where engines put the usage.
asio::awaitable<AttemptResult> Attempt::relay_whole() {
    const GatewayOptions& options = context_.core().options;
    const std::size_t most_held = is_media(call_->head()) ? 0 : options.hold_answer_bytes;
    const auto scanner = scan_answer_of(context_, AnswerSource::Engine);
    std::string held;
    std::string tail;
    bool passing = false;
    while (true) {
        call_->set_between(remaining(limits_.total));
        const auto piece = co_await call_->read_some();
        if (!piece) {
            if (!passing) co_return fail_with(piece.error());
            if (active_.cut == GatewayError::ClientClosed) co_return client_left();
            turn_.failed("body_cut");
            co_return co_await break_passed(GatewayError::StreamCut, "body_cut");
        }
        if (piece->empty()) break;
        turn_.progress(clock_now());
        if (passing) {
            if (!scan_whole(scanner.get(), false, *piece).allow) {
                co_return co_await break_passed(GatewayError::ContentBlocked, info(GatewayError::ContentBlocked).code);
            }
            keep_tail(tail, *piece, options.usage_tail_bytes);
            const bool sent = co_await send_on(*piece);
            if (!sent) co_return client_left();
            continue;
        }
        held += *piece;
        if (held.size() <= most_held) continue;
        passing = true;
        const bool mine = claim();
        if (!mine) co_return lost();
        ScanVerdict verdict = scan_whole(scanner.get(), false, held);
        if (!verdict.allow) co_return co_await block_answer(std::move(verdict.reason));
        const bool begun = co_await start_answer();
        if (!begun) co_return client_left();
        const bool sent = co_await send_on(held);
        if (!sent) co_return client_left();
        keep_tail(tail, held, options.usage_tail_bytes);
        held = {};
    }
    if (passing) co_return co_await end_passed(tail);
    co_return co_await deliver_held(std::move(held), scanner.get());
}

// An answer that the client has a part of, and that nobody can make whole.
asio::awaitable<AttemptResult> Attempt::break_passed(GatewayError error, std::string_view cause) {
    call_->cancel();
    context_.record().replica = target_.replica->id();
    context_.note_failing(error);
    context_.exchange().abort();
    co_return delivered(Outcome::Truncated, status_, info(error).code, cause);
}

// What the replica said is not to be said. It has done its part, and no other is asked.
asio::awaitable<AttemptResult> Attempt::block_answer(std::string reason) {
    call_->cancel();
    cause_ = info(GatewayError::ContentBlocked).code;
    co_await context_.refuse(GatewayError::ContentBlocked, std::move(reason));
    AttemptResult refused;
    refused.delivered = true;
    co_return refused;
}

asio::awaitable<AttemptResult> Attempt::end_passed(std::string_view tail) {
    AnswerFacts facts;
    facts.usage = wire::find_usage_in_tail(tail);
    context_.take_facts(facts);
    context_.enter_tokens(active_, facts, false, 0);
    if (context_.client_gone()) co_return client_left();
    if (facts.usage) note_whole_answer(context_, clock_now() - sent_at_, facts.usage->completion_tokens);
    auto result = delivered(Outcome::Ok, status_, "", "");
    conclude();
    context_.account();
    (void)co_await context_.exchange().finish();
    co_return result;
}

asio::awaitable<AttemptResult> Attempt::deliver_held(std::string body, AnswerScanner* scanner) {
    const SteadyTime whole_at = clock_now();
    turn_.whole_answer(whole_at);
    const auto scan = wire::scan_answer(context_.endpoint.dialect, body);
    if (status_ == 200 && internal::is_json(call_->head()) && !scan) {
        co_return fail(judge_fault(net::Fault::MalformedBody), "the replica's answer is not JSON", "malformed_answer");
    }
    const bool mine = claim();
    if (!mine) co_return lost();
    AnswerFacts facts;
    if (scan) {
        facts.usage = scan->usage;
        facts.finish_reason = wire::unescape(scan->finish_reason);
    }
    context_.enter_tokens(active_, facts, false, 0);
    ScanVerdict verdict = scan_whole(status_ == 200 ? scanner : nullptr, false, body);
    if (!verdict.allow) {
        context_.take_facts(facts);
        if (facts.usage) context_.note_attempt_tokens(active_, 0, facts.usage->completion_tokens, "blocked");
        co_return co_await block_answer(std::move(verdict.reason));
    }
    if (wire::is_filtered(facts.finish_reason) && context_.has_fallback(FallbackCause::ContentRefused)) {
        net::Response refusal{status_, client_headers(call_->head(), context_.marks()), std::move(body)};
        co_return hold(FallbackCause::ContentRefused, std::move(refusal), std::move(facts));
    }
    context_.take_facts(facts);  // Before the headers, which tell what is left after it.
    net::Response response{status_, client_headers(call_->head(), context_.marks()), std::move(body)};
    if (status_ == 200) note_response(context_, response.body);
    if (facts.usage) {
        const std::int64_t made = facts.usage->completion_tokens;
        const bool gone = context_.client_gone();
        context_.note_attempt_tokens(active_, gone ? 0 : made, gone ? made : 0, internal::kClientLeft);
        note_whole_answer(context_, whole_at - sent_at_, made);
    }
    cause_.clear();
    context_.core().metrics.overhead_after().observe(std::chrono::duration<double>(clock_now() - whole_at).count());
    conclude();
    co_await context_.respond(std::move(response));
    AttemptResult result;
    result.delivered = true;
    co_return result;
}

}  // namespace stoker::gateway
