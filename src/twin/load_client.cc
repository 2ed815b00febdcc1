#include "twin/load_client.h"

#include <algorithm>

#include "base/text.h"
#include "net/sse.h"
#include "wire/openai.h"

namespace stoker::twin {
namespace {

constexpr std::uint32_t kSharedTokens = 64;  // A conversation's common beginning.
constexpr std::size_t kMaxAnswer = std::size_t{16} << 20;

// Text of about `tokens` tokens: words of three letters and a space.
void append_prose(std::string& text, std::uint64_t seed, std::uint32_t tokens) {
    std::uint64_t state = seed * 0x9E3779B97F4A7C15ULL + 1;
    for (std::uint32_t i = 0; i < tokens; ++i) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        for (int shift : {33, 40, 47}) text += static_cast<char>('a' + (state >> shift) % 26);
        text += ' ';
    }
}

void note_usage(const wire::AnswerScan& scan, LoadOutcome& outcome) {
    if (!scan.usage) return;
    outcome.prompt_tokens = scan.usage->prompt_tokens;
    outcome.completion_tokens = scan.usage->completion_tokens;
}

class Listener {
public:
    explicit Listener(SteadyTime sent) : sent_(sent) {}

    void hear(const net::SseEvent& event) {
        if (wire::is_done(event.data)) {
            outcome.complete = true;
            return;
        }
        auto scan = wire::scan_answer(event.data);
        if (!scan) return;
        outcome.error_event = outcome.error_event || scan->has_error;
        note_usage(*scan, outcome);
        if (!scan->has_content) return;
        if (outcome.events++ == 0) outcome.first_token = std::chrono::steady_clock::now() - sent_;
    }

    LoadOutcome outcome;

private:
    const SteadyTime sent_;
};

}  // namespace

std::string load_request_body(const LoadRequest& request) {
    std::string prompt;
    std::uint32_t shared = std::min(request.prompt_tokens, kSharedTokens);
    append_prose(prompt, request.conversation, shared);
    append_prose(prompt, request.conversation + request.prompt_tokens, request.prompt_tokens - shared);
    std::string body = "{\"model\":" + quote_json(request.model) + ",\"messages\":[{\"role\":\"user\",\"content\":\"" +
                       prompt + "\"}],\"max_tokens\":" + std::to_string(std::max(1u, request.output_tokens));
    if (request.ignore_eos) body += ",\"ignore_eos\":true";
    if (request.stream) body += ",\"stream\":true,\"stream_options\":{\"include_usage\":true}";
    return body + "}";
}

boost::asio::awaitable<LoadOutcome> run_load_request(net::Client& client, net::Url origin, LoadRequest request,
                                                     LoadCancel* cancel) {
    const SteadyTime sent = std::chrono::steady_clock::now();
    Listener listener(sent);
    LoadOutcome& outcome = listener.outcome;
    const std::string body = load_request_body(request);
    net::ClientRequest message;
    message.method = "POST";
    message.target = "/v1/chat/completions";
    message.headers = {{"Content-Type", "application/json"}};
    if (!request.bearer.empty()) message.headers.add("Authorization", "Bearer " + request.bearer);
    message.body = body;
    net::Deadlines deadlines{.connect = Duration{2'000}, .head = request.patience, .between = request.patience};
    auto call = co_await client.send(origin, std::move(message), deadlines, cancel ? &cancel->token_ : nullptr);
    if (!call) {
        outcome.fault = net::fault_of(call.error());
        outcome.total = std::chrono::steady_clock::now() - sent;
        co_return outcome;
    }
    if (cancel) cancel->call_ = call->get();
    outcome.status = (*call)->head().status;
    if (request.stream && outcome.status == 200) {
        net::SseParser parser;
        const std::function<void(const net::SseEvent&)> hear = [&listener](const net::SseEvent& e) {
            listener.hear(e);
        };
        while (true) {
            auto piece = co_await (*call)->read_some();
            if (!piece) outcome.fault = net::fault_of(piece.error());
            if (!piece || piece->empty()) break;
            auto fed = parser.feed(*piece, hear);
            if (!fed) break;
        }
    } else {
        auto answer = co_await (*call)->read_all(kMaxAnswer);
        outcome.complete = answer.has_value();
        if (!answer) outcome.fault = net::fault_of(answer.error());
        if (answer && outcome.status == 200) {
            if (auto scan = wire::scan_answer(*answer)) note_usage(*scan, outcome);
            outcome.first_token = std::chrono::steady_clock::now() - sent;
        }
    }
    if (cancel) cancel->call_ = nullptr;
    outcome.total = std::chrono::steady_clock::now() - sent;
    co_return outcome;
}

}  // namespace stoker::twin
