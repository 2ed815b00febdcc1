// Every balancing policy under the same loads, on simulated engines in virtual time.
//
//   bench_balance [--trace FILE]... [--minutes N] [--seeds N] [--only POLICY] [--chat RATE] [--work TOKENS]
//                 [--profile NAME] [--update PAGE]
//
// FILE is a trace in the format of the Azure LLM inference traces (CSV, may be gzipped), whose gaps are scaled so that
// it brings TOKENS a second (an answer's count thrice); RATE is that of new chats. Without FILE, requests are drawn
// from the quantiles of that trace. PAGE is docs/benchmarks.md.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "report.h"

namespace {

using namespace stoker;  // NOLINT: a program, not a library.
using namespace stoker::bench_balance;

struct Options {
    std::vector<std::string> traces;
    int minutes = 10;
    int seeds = 1;
    std::string only;
    double chat_rate = 12;  // New sessions a second.
    double work_rate = 110'000;
    std::string profile = "h100-8b";
    std::string page;
};

struct Case {
    std::string title;
    std::vector<Load> loads;  // One for each seed.
    double slowdown = 1;
};

// Requests a second at which the rows bring so many prompt and answer tokens; an answer's token costs as much as
// `kAnswerWeight` of a prompt.
double rate_for(const std::vector<twin::TraceRow>& rows, double tokens_per_second) {
    constexpr double kAnswerWeight = 3;
    double tokens = 0;
    for (const auto& row : rows) tokens += row.prompt_tokens + kAnswerWeight * row.output_tokens;
    return tokens_per_second * static_cast<double>(rows.size()) / tokens;
}

Result<std::vector<Case>> make_cases(const Options& options, std::uint32_t max_context) {
    const Nanos length = std::chrono::minutes{options.minutes};
    std::vector<Case> cases;
    Case chat{fmt::format("Chats, {:g} new ones a second", options.chat_rate), {}};
    for (int seed = 1; seed <= options.seeds; ++seed) {
        chat.loads.push_back(chat_load(options.chat_rate, length, static_cast<std::uint64_t>(seed), max_context));
    }
    Case slow = chat;
    slow.title += ", one engine at half speed";
    slow.slowdown = 2;
    cases.push_back(std::move(chat));
    cases.push_back(std::move(slow));
    for (const std::string& path : options.traces) {
        TRY(std::vector<twin::TraceRow> rows, read_trace(path));
        const double rate = rate_for(rows, options.work_rate);
        const std::string name = std::filesystem::path(path).filename().string();
        const std::string title = fmt::format("Azure trace {}, {:.0f} requests a second", name, rate);
        cases.push_back({title, {trace_load(name, std::move(rows), rate, length, 1, max_context)}});
    }
    if (options.traces.empty()) {
        const double rate = options.work_rate / 1800;
        Case drawn{fmt::format("Single requests, {:.0f} a second", rate), {}};
        for (int seed = 1; seed <= options.seeds; ++seed) {
            drawn.loads.push_back(trace_load("drawn", {}, rate, length, static_cast<std::uint64_t>(seed), max_context));
        }
        cases.push_back(std::move(drawn));
    }
    return cases;
}

std::string play(const Case& one, const Options& options, const twin::Profile& profile) {
    std::vector<Row> rows;
    for (const gateway::BalanceKind kind : gateway::all_balance_kinds()) {
        if (!options.only.empty() && options.only != to_string(kind)) continue;
        gateway::BalanceOptions balance;
        balance.kind = kind;
        PoolOptions pool;
        pool.profile = profile;
        pool.slowdown = one.slowdown;
        pool.warm_up = std::chrono::minutes{options.minutes} / 10;
        Row row{kind, {}};
        for (const Load& load : one.loads) row.outcome.add(replay(load, pool, balance));
        rows.push_back(std::move(row));
    }
    return fmt::format("\n### {}\n{}\n{}", one.title, table(rows), verdict(rows));
}

int run(const Options& options) {
    const auto profile = twin::find_profile(options.profile);
    if (!profile) return std::fputs((profile.error().message + "\n").c_str(), stderr), 1;
    const auto cases = make_cases(options, profile->max_context);
    if (!cases) return std::fputs((cases.error().message + "\n").c_str(), stderr), 1;
    std::string text;
    for (const Case& one : *cases) {
        const std::string part = play(one, options, *profile);
        std::fputs(part.c_str(), stdout);
        std::fflush(stdout);
        text += part;
    }
    if (options.page.empty()) return 0;
    const auto updated = update_page(options.page, text.substr(1));
    if (!updated) return std::fputs((updated.error().message + "\n").c_str(), stderr), 1;
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; i += 2) {
        const std::string name = argv[i];
        const std::string value = i + 1 < argc ? argv[i + 1] : "";
        if (name == "--trace")
            options.traces.push_back(value);
        else if (name == "--minutes")
            options.minutes = std::atoi(value.c_str());
        else if (name == "--seeds")
            options.seeds = std::atoi(value.c_str());
        else if (name == "--only")
            options.only = value;
        else if (name == "--chat")
            options.chat_rate = std::atof(value.c_str());
        else if (name == "--work")
            options.work_rate = std::atof(value.c_str());
        else if (name == "--profile")
            options.profile = value;
        else if (name == "--update")
            options.page = value;
        else
            return std::fprintf(stderr, "%s: unknown; see the head of bench/balance/main.cc\n", argv[i]), 2;
    }
    if (options.minutes < 1 || options.seeds < 1 || options.chat_rate <= 0 || options.work_rate <= 0) {
        return std::fputs("minutes, seeds and rates must be above zero\n", stderr), 2;
    }
    return run(options);
}
