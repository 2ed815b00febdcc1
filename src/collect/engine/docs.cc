#include "collect/engine/docs.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "collect/engine/canonical_names.h"
#include "collect/engine/finding.h"

namespace stoker::collect {
namespace {

const char kIntroduction[] =
    R"(Stoker knows inference engines by adapters: files that say how one is recognised, where its metrics are and what they
mean. Those below ship with it; [extending.md](extending.md) shows how to add one. An engine's own metrics are stored
under their own names. Beside them stand the canonical `llm_engine_*` metrics, which mean the same whatever engine they
come from, so that rules, dashboards and the gateway's balancing need not know it.

The label `source` of a canonical metric says how far it can be trusted:

| `source` | |
|---|---|
| `native` | the engine's own number, in another unit at most |
| `derived` | computed from several of its numbers |
| `estimated` | nearly the same thing, or computed with an assumption: see the notes |

A metric that an engine does not give is absent, never 0. `model` is there where the engine tells its models apart. Of
tensor-parallel ranks, which all report the same, the largest counts; data-parallel engines behind one address add up.
Buckets of histograms are the engines' own, so quantiles of two kinds of engines are not exactly comparable.

`stoker engines check URL` shows what it makes of a running engine, and what looks wrong.
)";

const char kFindings[] = R"(
## What looks wrong

Each page of an engine is looked at for numbers that can't be true. What is found stands in `/api/v1/engines` and on the page with what to
do about it, and as the series `stoker_engine_finding{finding,severity}`, which is 1 while it holds and gone when it is over. Numbers are
never changed. `stoker engines check URL` looks several times at any engine, whether Stoker scrapes it or not; with `--ask` it sends a
request of 16 tokens and compares the counters with the answer's usage.

| finding | |
|---|---|
)";

// A cell: a table's separator and line breaks would end it.
std::string cell(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '|') out += '\\';
        out += c == '\n' ? ' ' : c;
    }
    return out;
}

std::string code(std::string_view text) {
    return "`" + cell(text) + "`";
}

std::string codes(const std::vector<std::string>& texts, const char* separator = ", ") {
    std::string out;
    for (const std::string& text : texts) out += (out.empty() ? "" : separator) + code(text);
    return out;
}

bool gives(const MetricRule& rule, const CanonicalName& canonical) {
    return find_canonical(rule.name) == &canonical;
}

// "`vllm`, `tgi` (derived)".
std::string givers(const Adapters& adapters, const CanonicalName& canonical) {
    std::string out;
    for (const Adapter& adapter : adapters.all()) {
        const auto rule = std::find_if(adapter.metrics.begin(), adapter.metrics.end(),
                                       [&](const MetricRule& one) { return gives(one, canonical); });
        if (rule == adapter.metrics.end()) continue;
        out += (out.empty() ? "" : ", ") + code(adapter.name);
        if (rule->source_or_default() != kNative) out += " (" + std::string(rule->source_or_default()) + ")";
    }
    // These two are made of what the engine answers beside its metrics.
    if (canonical.name == "llm_engine_info") return "all";
    if (canonical.name == "llm_engine_context_length_tokens") {
        for (const Adapter& adapter : adapters.all()) {
            if (!adapter.facts.context_length.empty()) out += (out.empty() ? "" : ", ") + code(adapter.name);
        }
    }
    return out;
}

std::string formula(const MetricRule& rule) {
    std::string out = codes(rule.from, " or ");
    for (const std::string& plus : rule.plus) out += " + " + code(plus);
    if (!rule.times.empty()) out += " × " + code(rule.times);
    if (!rule.divide_by.empty()) out += " ÷ " + code(rule.divide_by);
    if (rule.scale != 1) out += " × " + format_number(rule.scale);
    if (!rule.labels.empty()) out += ", its labels " + codes(rule.labels, " × ");
    if (!rule.count.empty()) out += ", names in its label " + code(rule.count);
    return out;
}

std::string notes(const MetricRule& rule) {
    std::string out;
    if (!rule.versions.empty()) out += "Versions " + code(rule.versions) + ". ";
    return out + cell(rule.note);
}

std::string section(const Adapter& adapter) {
    std::string out = fmt::format("\n### {}\n\n", adapter.title);
    out += fmt::format("Kind `{}`", adapter.name);
    if (!adapter.ports.empty()) out += ", looked for on port " + join(adapter.ports, " and ");
    if (!adapter.metrics_path.empty()) {
        out +=
            fmt::format(", metrics at `{}`{}", adapter.metrics_path, adapter.metrics_format == "json" ? " (JSON)" : "");
    }
    out += ".\n";
    if (!adapter.enable.empty()) out += "Switching its metrics on: " + adapter.enable + "\n";
    if (!adapter.capabilities.empty()) out += "It can do: " + join(adapter.capabilities, ", ") + ".\n";
    out += "\n| canonical | made of | source | notes |\n|---|---|---|---|\n";
    for (const MetricRule& rule : adapter.metrics) {
        out +=
            fmt::format("| `{}` | {} | {} | {} |\n", rule.name, formula(rule), rule.source_or_default(), notes(rule));
    }
    if (!adapter.missing.empty()) out += "\nNot given:\n\n";
    for (const MissingRule& missing : adapter.missing) {
        out += fmt::format("- `{}`: {}.{}\n", missing.name, missing.why, missing.fix.empty() ? "" : " " + missing.fix);
    }
    if (!adapter.quirks.empty()) out += "\nTraps:\n\n";
    for (const Quirk& quirk : adapter.quirks) {
        out += "- " + (quirk.versions.empty() ? "" : "versions " + code(quirk.versions) + ": ") + code(quirk.metric) +
               ": " + quirk.text + (quirk.fix.empty() ? "" : ". " + quirk.fix) + "\n";
    }
    return out;
}

}  // namespace

std::string engines_markdown(const Adapters& adapters) {
    std::string out = std::string("# Engines\n\n") + kIntroduction;
    out +=
        "\n## Canonical metrics\n\n| metric | type | unit | meaning | labels | given by |\n|---|---|---|---|---|---|\n";
    for (const CanonicalName& one : canonical_names()) {
        out += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", one.name, type_of(one.kind), one.unit,
                           cell(one.meaning), one.labels.empty() ? "" : code(one.labels), givers(adapters, one));
    }
    out += kFindings;
    for (int i = 0; i <= static_cast<int>(kLastFindingCode); ++i) {
        const auto finding = static_cast<FindingCode>(i);
        out += fmt::format("| `{}` | {} |\n", to_string(finding), meaning(finding));
    }
    out += "\n## By engine\n";
    for (const Adapter& adapter : adapters.all()) out += section(adapter);
    Adapter blank;
    out += "\n" + config::document("Keys of an adapter", [&blank](config::Fields& f) { describe(f, blank); });
    // One level down: it is a part of this page.
    std::size_t at = out.find("\n# Keys of an adapter");
    if (at != std::string::npos) out.insert(at + 1, "#");
    return out;
}

}  // namespace stoker::collect
