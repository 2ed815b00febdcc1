#include "collect/engine/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace stoker::collect {
namespace {

using nlohmann::json;

std::string label_text(const SampleBatch::Pairs& labels) {
    std::string out;
    for (const auto& [name, value] : labels) {
        if (name == "source" || name == "le") continue;
        out += (out.empty() ? "" : ",") + name + "=" + quote_json(value);
    }
    return out;
}

std::string source_of(const SampleBatch::Pairs& labels) {
    for (const auto& [name, value] : labels) {
        if (name == "source") return value;
    }
    return "";
}

// "12 requests, mean 0.0345 s" of a histogram's count and sum.
struct Spread {
    double count = 0;
    double sum = 0;
};

json finding_json(const Finding& finding) {
    return {{"finding", to_string(finding.code)},
            {"severity", to_string(finding.severity)},
            {"metric", finding.metric},
            {"text", finding.text},
            {"fix", finding.fix}};
}

std::string sentence(std::string text) {
    if (!text.empty() && text.back() != '.' && text.back() != '`') text += '.';
    return text;
}

}  // namespace

bool EngineReport::good() const {
    return std::none_of(findings.begin(), findings.end(), [](const auto& f) { return f.severity != Severity::Note; });
}

void take_values(EngineReport& report, const Adapter* adapter, const std::vector<Canonical::Value>& values) {
    report.recognised.clear();
    report.missing.clear();
    std::map<std::pair<std::string, std::string>, Spread> spreads;  // By base name and labels.
    std::map<std::string, bool> given;
    for (const Canonical::Value& value : values) {
        const CanonicalName* canonical = find_canonical(value.name);
        const bool part = canonical == nullptr || canonical->name != value.name;
        const std::string base = !part ? value.name : value.name.substr(0, value.name.rfind('_'));
        given[base] = true;
        const std::string labels = label_text(value.labels);
        if (!part) {
            report.recognised.push_back(
                {value.name, labels, format_number(value.value), source_of(value.labels), value.from});
            continue;
        }
        const auto [spread, fresh] = spreads.try_emplace({base, labels});
        if (fresh) report.recognised.push_back({base, labels, "", source_of(value.labels), value.from});
        if (value.name.ends_with("_count")) spread->second.count = value.value;
        if (value.name.ends_with("_sum")) spread->second.sum = value.value;
    }
    for (auto& line : report.recognised) {
        const auto spread = spreads.find({line.name, line.labels});
        if (spread == spreads.end()) continue;
        const auto& [count, sum] = spread->second;
        line.value = count > 0 ? fmt::format("{} times, mean {:.4g} s", format_number(count), sum / count) : "0 times";
    }
    if (adapter == nullptr) return;
    std::map<std::string, MissingRule> missing;
    for (const MetricRule& rule : adapter->metrics) {
        const CanonicalName* canonical = find_canonical(rule.name);
        const std::string name(canonical == nullptr ? rule.name : canonical->name);
        if (!given.contains(name))
            missing.try_emplace(name, MissingRule{name, "its page has none of what it is made of", ""});
    }
    for (const MissingRule& rule : adapter->missing) {
        if (!given.contains(rule.name)) missing.insert_or_assign(rule.name, rule);
    }
    for (auto& [name, rule] : missing) report.missing.push_back(std::move(rule));
}

std::vector<Finding> compare_tokens(const AskedTokens& tokens) {
    std::vector<Finding> found;
    const auto compare = [&found](const char* metric, double answered, double counted) {
        if (counted == answered) return;
        const bool more = counted > answered;
        // Others may use the engine at the same time; nobody can take tokens away.
        found.push_back(
            {FindingCode::CountDisagrees, more ? Severity::Note : Severity::Warning, metric,
             fmt::format("grew by {} over a request whose answer says {}", format_number(counted),
                         format_number(answered)),
             more ? "If nobody else used the engine meanwhile, it counts too much; ask again when it is idle."
                  : "Its counter or its usage is wrong, or what is scraped is another engine than what is asked."});
    };
    if (tokens.prompt_known) {
        compare("llm_engine_prompt_tokens_total", tokens.prompt_answered, tokens.prompt_counted);
    }
    if (tokens.generation_known) {
        compare("llm_engine_generation_tokens_total", tokens.generation_answered, tokens.generation_counted);
    }
    return found;
}

std::string report_json(const EngineReport& report) {
    json recognised = json::array();
    for (const auto& line : report.recognised) {
        recognised.push_back({{"name", line.name},
                              {"labels", line.labels},
                              {"value", line.value},
                              {"source", line.source},
                              {"from", line.from}});
    }
    json missing = json::array();
    for (const auto& rule : report.missing) {
        missing.push_back({{"name", rule.name}, {"why", rule.why}, {"fix", rule.fix}});
    }
    json findings = json::array();
    for (const auto& finding : report.findings) findings.push_back(finding_json(finding));
    const EngineIdentity& who = report.identity;
    return json{{"url", report.url},
                {"metrics_url", report.metrics_url},
                {"kind", who.kind},
                {"title", report.title},
                {"version", who.version},
                {"models", who.models},
                {"quantization", who.quantization},
                {"dtype", who.dtype},
                {"context_length", who.context_length > 0 ? json(who.context_length) : json(nullptr)},
                {"samples", report.samples},
                {"looks", report.looks},
                {"good", report.good()},
                {"recognised", std::move(recognised)},
                {"missing", std::move(missing)},
                {"findings", std::move(findings)}}
        .dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string report_text(const EngineReport& report) {
    const EngineIdentity& who = report.identity;
    std::string out = report.url + ": ";
    out += report.title.empty() ? "not recognised" : report.title + (who.version.empty() ? "" : " " + who.version);
    if (!who.models.empty()) out += ", serves " + join(who.models, ", ");
    if (!who.quantization.empty()) out += ", " + who.quantization;
    if (!who.dtype.empty()) out += ", " + who.dtype;
    if (who.context_length > 0) out += fmt::format(", context {} tokens", who.context_length);
    out += "\n";
    if (!report.metrics_url.empty()) {
        out += fmt::format("metrics at {}: {} samples, looked at {} times\n", report.metrics_url, report.samples,
                           report.looks);
    }
    if (!report.recognised.empty()) out += "\nRecognised\n";
    std::size_t width = 0;
    for (const auto& line : report.recognised) {
        width = std::max(width, line.name.size() + (line.labels.empty() ? 0 : line.labels.size() + 2));
    }
    for (const auto& line : report.recognised) {
        const std::string name = line.name + (line.labels.empty() ? "" : "{" + line.labels + "}");
        out += fmt::format("  {:<{}}  {}  ({}, {})\n", name, width, line.value, line.source, line.from);
    }
    if (!report.missing.empty()) out += "\nMissing\n";
    for (const auto& rule : report.missing) {
        out += fmt::format("  {}: {}{}\n", rule.name, sentence(rule.why), rule.fix.empty() ? "" : " " + rule.fix);
    }
    out += report.good() ? "\nNothing looks wrong.\n" : "\nLooks wrong\n";
    for (const auto& finding : report.findings) {
        out += fmt::format("  {} {}{}: {}\n", to_string(finding.severity), to_string(finding.code),
                           finding.metric.empty() ? "" : " " + finding.metric, sentence(finding.text));
        if (!finding.fix.empty()) out += "      " + finding.fix + "\n";
    }
    return out;
}

}  // namespace stoker::collect
