// `stoker engines check`: asks one engine what Stoker would ask it, several times, and reports what it makes of it.
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/ask.h"
#include "app/engines_command.h"
#include "app/http_call.h"
#include "base/text.h"
#include "collect/engine/json_page.h"
#include "collect/engine/prober.h"
#include "collect/engine/report.h"
#include "net/client.h"

namespace stoker::app {
namespace {

namespace asio = boost::asio;
using collect::Canonical;
using collect::EngineReport;

constexpr Duration kAnswer{3'000};
constexpr std::chrono::seconds kWhoLimit{60};  // For all questions together.
constexpr Duration kAskLimit{60'000};
// How long an engine may take to count a request that it has answered.
constexpr std::chrono::seconds kCounted{5};
constexpr std::chrono::milliseconds kCountedStep{200};

asio::awaitable<void> probe_into(net::Client& client, net::Url url, std::string bearer,
                                 std::shared_ptr<const collect::Adapters> adapters, collect::Abandon& abandon,
                                 std::optional<collect::EngineIdentity>& found) {
    found = co_await collect::probe(client, std::move(url), std::move(bearer), kAnswer, std::move(adapters), abandon);
}

std::optional<collect::EngineIdentity> who_is_there(const net::Url& url, const std::string& token,
                                                    const std::shared_ptr<const collect::Adapters>& adapters) {
    asio::io_context loop;
    auto client = net::Client::create(loop);
    collect::Abandon abandon;  // Never used: each question has a limit.
    std::optional<collect::EngineIdentity> found;
    auto done = [&loop](const std::exception_ptr&) { loop.stop(); };
    asio::co_spawn(loop, probe_into(*client, url, token, adapters, abandon, found), done);
    loop.run_for(kWhoLimit);
    return found;
}

class Check {
public:
    Check(const EnginesCheckOptions& options, std::shared_ptr<const collect::Adapters> adapters)
        : options_(options), adapters_(std::move(adapters)) {}

    Result<EngineReport> run() {
        TRY(net::Url url, net::parse_url(options_.url));
        base_ = (url.tls ? "https://" : "http://") + url.host_header();
        report_.url = base_;
        progress("asking " + base_ + " who it is");
        net::Url root = url;
        root.path = "/";
        const auto identity = who_is_there(root, options_.token, adapters_);
        if (!identity) return Error{Errc::Unavailable, "nobody answers at " + base_ + "; is the engine running there?"};
        report_.identity = *identity;
        adapter_ = adapters_->find(identity->kind);
        if (adapter_ != nullptr) report_.title = adapter_->title;
        plan_ = collect::CanonicalPlan::make(adapters_, identity->kind, identity->version);
        inspector_.set_engine(plan_, adapter_, *identity);
        const std::string path = url.path != "/" ? url.path : adapters_->metrics_path(identity->kind);
        if (path.empty()) return std::move(report_);
        report_.metrics_url = base_ + path;
        look_several_times();
        if (options_.ask && !values_.empty()) ask();
        collect::take_values(report_, adapter_, values_);
        for (const auto& finding : inspector_.findings()) report_.findings.push_back(finding);
        return std::move(report_);
    }

private:
    void progress(const std::string& what) const {
        // Several looks take seconds.
        if (isatty(STDERR_FILENO) == 1) std::fprintf(stderr, "%s\n", what.c_str());
    }

    CallOptions with_token() const {
        CallOptions call;
        call.limit = kAnswer;
        if (!options_.token.empty()) call.headers.set("Authorization", "Bearer " + options_.token);
        return call;
    }

    void look_several_times() {
        for (int i = 0; i < options_.looks; ++i) {
            if (i > 0) std::this_thread::sleep_for(options_.interval);
            progress(fmt_look(i));
            look();
        }
    }

    std::string fmt_look(int i) const {
        return "look " + std::to_string(i + 1) + " of " + std::to_string(options_.looks) + " at " + report_.metrics_url;
    }

    void look() {
        ++report_.looks;
        auto answer = call_url(report_.metrics_url, with_token());
        if (!answer) return inspector_.look_at_failure(0, "", answer.error().message);
        std::string body = std::move(answer->body);
        std::string type(answer->headers.get("content-type").value_or(""));
        if (answer->status != 200) {
            return inspector_.look_at_failure(answer->status, body, "HTTP status " + std::to_string(answer->status));
        }
        if (adapter_ != nullptr && adapter_->metrics_format == "json") {
            auto page = collect::json_page(*adapter_, body);
            if (!page) return inspector_.look_at_failure(200, "", page.error().message);
            body = *std::move(page);
            type.clear();
        }
        const auto page = collect::read_page(body, collect::page_format(type), to_millis(now()), {});
        if (!page) return inspector_.look_at_failure(200, body, page.error().message);
        Canonical canonical(plan_);
        for (const auto& sample : page->samples) {
            if (!sample.histogram) canonical.add(sample.name, sample.labels, sample.value);
        }
        values_ = canonical.values();
        report_.samples = page->samples.size();
        inspector_.look(*page, values_);
    }

    std::optional<double> total(std::string_view name) const {
        std::optional<double> sum;
        for (const auto& value : values_) {
            if (value.name == name) sum = sum.value_or(0) + value.value;
        }
        return sum;
    }

    // One small request, whose answer says how many tokens it took.
    void ask() {
        progress("asking for 16 tokens");
        const auto prompt = total(kPrompt);
        const auto generation = total(kGeneration);
        CallOptions call = with_token();
        call.method = "POST";
        call.limit = kAskLimit;
        const std::string model = report_.identity.models.empty() ? "" : report_.identity.models.front();
        nlohmann::json message = {{"role", "user"}, {"content", "Count to ten."}};
        call.body =
            nlohmann::json{
                {"model", model}, {"max_tokens", 16}, {"messages", nlohmann::json::array({std::move(message)})}}
                .dump();
        const auto answer = call_url(base_ + "/v1/chat/completions", call);
        const auto said = answer ? nlohmann::json::parse(answer->body, nullptr, false) : nlohmann::json();
        if (!answer || answer->status != 200 || !said.is_object() || !said.contains("usage")) {
            report_.findings.push_back(
                {collect::FindingCode::CountDisagrees, collect::Severity::Warning, "",
                 "the request that was to be counted failed: " +
                     (answer ? "HTTP status " + std::to_string(answer->status) : answer.error().message),
                 "Give a token with --token if it wants one; without --ask nothing is sent."});
            return;
        }
        collect::AskedTokens tokens;
        tokens.prompt_known = prompt.has_value();
        tokens.generation_known = generation.has_value();
        const auto& usage = said["usage"];
        tokens.prompt_answered = usage.value("prompt_tokens", 0.0);
        tokens.generation_answered = usage.value("completion_tokens", 0.0);
        const auto limit = std::chrono::steady_clock::now() + kCounted;
        do {
            look();
            tokens.prompt_counted = total(kPrompt).value_or(0) - prompt.value_or(0);
            tokens.generation_counted = total(kGeneration).value_or(0) - generation.value_or(0);
            if (compare_tokens(tokens).empty()) return;
            std::this_thread::sleep_for(kCountedStep);
        } while (std::chrono::steady_clock::now() < limit);
        for (auto& finding : compare_tokens(tokens)) report_.findings.push_back(std::move(finding));
    }

    static constexpr std::string_view kPrompt = "llm_engine_prompt_tokens_total";
    static constexpr std::string_view kGeneration = "llm_engine_generation_tokens_total";

    const EnginesCheckOptions& options_;
    const std::shared_ptr<const collect::Adapters> adapters_;
    const collect::Adapter* adapter_ = nullptr;
    std::shared_ptr<const collect::CanonicalPlan> plan_;
    collect::Inspector inspector_;
    std::vector<Canonical::Value> values_;  // Of the last page.
    std::string base_;
    EngineReport report_;
};

}  // namespace

int engines_check(const EnginesCheckOptions& options) {
    const auto adapters = load_adapters(options.adapters);
    if (!adapters) return fail(adapters.error());
    const auto report = Check(options, *adapters).run();
    if (!report) return fail(report.error());
    const std::string text =
        options.output == Output::Json ? collect::report_json(*report) + "\n" : collect::report_text(*report);
    std::fputs(text.c_str(), stdout);
    return report->good() && !report->identity.kind.empty() ? 0 : 1;
}

}  // namespace stoker::app
