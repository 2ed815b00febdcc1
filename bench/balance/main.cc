// Every balancing policy under the same loads, on simulated engines in virtual time.
//
//   bench_balance [--trace FILE]... [--load FACTOR]... [--minutes N] [--seeds N] [--first-seed N] [--only POLICY]
//                 [--chat RATE] [--work TOKENS] [--profile NAME] [--update PAGE]
//
// Each FACTOR is an operating point, by which RATE and TOKENS are multiplied; without any there is one, 1. Of several
// the last table shows the p99 of first tokens by load, and the full tables are those of 1 alone, if it is among them.
// FILE is a trace in the format of the Azure LLM inference traces (CSV, may be gzipped), whose gaps are scaled so that
// it brings TOKENS a second (an answer's count thrice); RATE is that of new chats. Without FILE, requests are drawn
// from the quantiles of that trace. PAGE is docs/benchmarks.md.
#include <fmt/format.h>

#include <algorithm>
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
    std::vector<double> factors;
    int minutes = 10;
    int seeds = 1;
    int first_seed = 1;
    std::string only;
    double chat_rate = 12;  // New sessions a second.
    double work_rate = 110'000;
    std::string profile = "h100-8b";
    std::string page;
};

struct Case {
    std::string name;         // The same at every operating point.
    std::string title;        // With its rate.
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

Result<std::vector<Case>> make_cases(const Options& options, double factor, std::uint32_t max_context) {
    const Nanos length = std::chrono::minutes{options.minutes};
    const double chat_rate = options.chat_rate * factor;
    const double work_rate = options.work_rate * factor;
    std::vector<Case> cases;
    Case chat{"chats", fmt::format("Chats, {:g} new ones a second", chat_rate), {}};
    for (int i = 0; i < options.seeds; ++i) {
        chat.loads.push_back(
            chat_load(chat_rate, length, static_cast<std::uint64_t>(options.first_seed + i), max_context));
    }
    Case slow = chat;
    slow.name += ", one engine slow";
    slow.title += ", one engine at half speed";
    slow.slowdown = 2;
    cases.push_back(std::move(chat));
    cases.push_back(std::move(slow));
    for (const std::string& path : options.traces) {
        TRY(std::vector<twin::TraceRow> rows, read_trace(path));
        const double rate = rate_for(rows, work_rate);
        const std::string name = std::filesystem::path(path).filename().string();
        const std::string title = fmt::format("Azure trace {}, {:.0f} requests a second", name, rate);
        cases.push_back({name, title, {trace_load(name, std::move(rows), rate, length, 1, max_context)}});
    }
    if (options.traces.empty()) {
        const double rate = work_rate / 1800;
        Case drawn{"single requests", fmt::format("Single requests, {:.0f} a second", rate), {}};
        for (int i = 0; i < options.seeds; ++i) {
            drawn.loads.push_back(
                trace_load("drawn", {}, rate, length, static_cast<std::uint64_t>(options.first_seed + i), max_context));
        }
        cases.push_back(std::move(drawn));
    }
    return cases;
}

std::vector<Row> play(const Case& one, const Options& options, const twin::Profile& profile) {
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
    return rows;
}

void show(const std::string& part) {
    std::fputs(part.c_str(), stdout);
    std::fflush(stdout);
}

int fail(const Error& error) {
    return std::fputs((error.message + "\n").c_str(), stderr), 1;
}

int run(const Options& options) {
    const auto profile = twin::find_profile(options.profile);
    if (!profile) return fail(profile.error());
    std::string text;
    std::vector<Point> points;
    for (const double factor : options.factors) {
        const auto cases = make_cases(options, factor, profile->max_context);
        if (!cases) return fail(cases.error());
        for (const Case& one : *cases) {
            std::vector<Row> rows = play(one, options, *profile);
            const std::string part = fmt::format("\n### {}\n{}\n{}", one.title, table(rows), verdict(rows));
            show(part);
            if (factor == 1 || options.factors.size() == 1) text += part;
            points.push_back({one.name, factor, std::move(rows)});
        }
    }
    if (options.factors.size() > 1) {
        const std::string part = "\n### By load\n" + load_table(points);
        show(part);
        text += part;
    }
    if (options.page.empty()) return 0;
    const auto updated = update_page(options.page, text.substr(1));
    return updated ? 0 : fail(updated.error());
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
        else if (name == "--first-seed")
            options.first_seed = std::atoi(value.c_str());
        else if (name == "--load")
            options.factors.push_back(std::atof(value.c_str()));
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
    if (options.factors.empty()) options.factors.push_back(1);
    const bool loads = std::all_of(options.factors.begin(), options.factors.end(), [](double f) { return f > 0; });
    if (!loads || options.minutes < 1 || options.seeds < 1 || options.chat_rate <= 0 || options.work_rate <= 0) {
        return std::fputs("minutes, seeds, loads and rates must be above zero\n", stderr), 2;
    }
    return run(options);
}
