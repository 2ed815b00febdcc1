#include "collect/engine/inspector.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "base/text.h"

namespace stoker::collect {
namespace {

// How many looks in a row something must hold that a single look may see by chance.
constexpr int kZeroLooks = 3;
constexpr int kGatewayLooks = 5;
// A counter that fell is told for a minute at the usual interval: the next look alone would be too short to be seen.
constexpr int kFellLooks = 12;
// Counters remembered; a page with more is only looked at in part.
constexpr std::size_t kMaxCounters = 20'000;
// Tokens between two looks that no engine makes without a running request at any of several looks.
constexpr double kBusyTokens = 500;

constexpr char kRunning[] = "llm_engine_requests_running";
constexpr char kWaiting[] = "llm_engine_requests_waiting";
constexpr char kKvUsage[] = "llm_engine_kv_usage_ratio";
constexpr char kPrompt[] = "llm_engine_prompt_tokens_total";
constexpr char kGeneration[] = "llm_engine_generation_tokens_total";
constexpr char kFirstTokens[] = "llm_engine_time_to_first_token_seconds_count";
constexpr char kDurations[] = "llm_engine_request_duration_seconds_count";
constexpr char kFinished[] = "llm_engine_requests_finished_total";

// A counter that can't be 0 while another, of the same requests, is above this.
struct Pair {
    const char* zero;
    const char* evidence;
    double above;
};
constexpr Pair kPairs[] = {{kPrompt, kGeneration, 0},
                           {kGeneration, kFirstTokens, 1},
                           {kFirstTokens, kGeneration, 100},
                           {kFinished, kDurations, 0}};

std::string series_key(const ScrapePage::Sample& sample) {
    std::string key = sample.name;
    for (const auto& [name, value] : sample.labels) key.append(1, '\1').append(name).append(1, '\1').append(value);
    return key;
}

// Names of families whose samples only ever grow.
std::unordered_set<std::string> growing_families(const ScrapePage& page) {
    std::unordered_set<std::string> names;
    for (const auto& family : page.metadata) {
        const std::string& type = family.metadata.type;
        if (type == "counter") names.insert(std::string(without_total(family.family)));
        if (type != "histogram") continue;
        for (const char* part : {"_bucket", "_count"}) names.insert(family.family + part);
    }
    return names;
}

// Labels by which one number comes several times; those of data-parallel engines are told apart on purpose.
bool is_like_a_rank(std::string_view label) {
    const std::string name = to_lower(label);
    return (name.ends_with("rank") && !name.starts_with("dp")) || name == "pid" || name == "worker_id" ||
           name == "workerid";
}

}  // namespace

void Inspector::set_engine(std::shared_ptr<const CanonicalPlan> plan, const Adapter* adapter, EngineIdentity identity) {
    const bool same = identity == identity_ && adapter == adapter_;
    plan_ = std::move(plan);
    adapter_ = adapter;
    identity_ = std::move(identity);
    if (same) return;
    counters_.clear();
    totals_.clear();
    started_.reset();
    fell_.reset();
    gateway_.reset();
    kv_zero_ = running_zero_ = disagreements_ = standstills_ = 0;
}

void Inspector::add(FindingCode code, Severity severity, std::string metric, std::string text, std::string fix) {
    findings_.push_back({code, severity, std::move(metric), std::move(text), std::move(fix)});
}

void Inspector::look(const ScrapePage& page, const std::vector<Canonical::Value>& values,
                     std::optional<GatewayCount> gateway) {
    findings_.clear();
    if (adapter_ == nullptr && values.empty()) return;  // No engine: a database, a host.
    take_totals(values);
    if (adapter_ != nullptr && values.empty() && !adapter_->metrics.empty() && adapter_->metrics_format != "json" &&
        adapter_->name != kGenericEngine) {
        add(FindingCode::Empty, Severity::Warning, "",
            fmt::format("a metrics page of {} samples, and none of them is known of {}", page.samples.size(),
                        adapter_->title),
            enable());
    }
    look_at_series(page);
    look_at_counters(page);
    look_at_shares(values);
    look_at_zeros(gateway);
    look_at_gateway(gateway);
    look_at_quirks(page);
    gateway_ = gateway;
    std::stable_sort(findings_.begin(), findings_.end(),
                     [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
}

void Inspector::look_at_failure(int status, std::string_view body, const std::string& why) {
    findings_.clear();
    const std::string_view text = trim(body);
    const std::string where =
        adapter_ == nullptr || adapter_->metrics_path.empty()
            ? std::string("Find the path of its metrics, and name it in `collect.targets`.")
            : "The metrics of " + adapter_->title + " are at " + adapter_->metrics_path + ". " + enable();
    if (status == 200 && (text.starts_with('{') || text.starts_with('['))) {
        add(FindingCode::JsonPage, Severity::Error, "", "200 with JSON where a metrics page was expected", where);
    } else if (status == 200) {
        add(FindingCode::UnreadablePage, Severity::Error, "", "its metrics page can't be read: " + why,
            "Ask the engine's maintainers; a page is taken as a whole or not at all.");
    } else if (status == 401 || status == 403) {
        add(FindingCode::NoMetrics, Severity::Warning, "", "its metrics want a key: " + why,
            "Give the replica an `api_key`, or the target a `token`.");
    } else {
        add(FindingCode::NoMetrics, Severity::Warning, "", "it shows no metrics: " + why, where);
    }
}

void Inspector::take_totals(const std::vector<Canonical::Value>& values) {
    for (auto& [name, total] : totals_) total = {0, total.now, true};
    std::map<std::string, bool> seen;
    own_names_.clear();
    for (const auto& value : values) {
        if (value.name.ends_with("_bucket")) continue;
        totals_[value.name].now += value.value;
        seen[value.name] = true;
        own_names_.emplace(value.name, value.from);
    }
    std::erase_if(totals_, [&](const auto& entry) { return !seen.contains(entry.first); });
}

std::optional<double> Inspector::total(const std::string& name) const {
    const auto found = totals_.find(name);
    return found == totals_.end() ? std::nullopt : std::optional(found->second.now);
}

double Inspector::growth(const std::string& name) const {
    const auto found = totals_.find(name);
    return found == totals_.end() || !found->second.known_before ? 0 : found->second.now - found->second.before;
}

std::string Inspector::own_name(const std::string& canonical) const {
    const auto found = own_names_.find(canonical);
    return found == own_names_.end() ? canonical : found->second;
}

std::string Inspector::enable() const {
    return adapter_ == nullptr || adapter_->enable.empty() ? "See the engine's documentation."
                                                           : "Switching them on: " + adapter_->enable;
}

void Inspector::look_at_series(const ScrapePage& page) {
    std::unordered_set<std::string> seen;
    // By metric and label: the values of series that differ in that label only.
    std::map<std::pair<std::string, std::string>, std::map<std::string, std::vector<double>>> apart;
    for (const ScrapePage::Sample& sample : page.samples) {
        if (!seen.insert(series_key(sample)).second) {
            add(FindingCode::DuplicateSeries, Severity::Error, sample.name,
                "one series stands on the page twice; only one of its values can be kept",
                "Several processes of the engine write one page: see its documentation on Prometheus' multiprocess "
                "mode.");
            break;
        }
        if (plan_->uses(sample.name) == nullptr || sample.histogram) continue;
        for (const auto& [label, value] : sample.labels) {
            const bool known = adapter_ != nullptr && std::find(adapter_->ranks.begin(), adapter_->ranks.end(),
                                                                label) != adapter_->ranks.end();
            if (known || !is_like_a_rank(label)) continue;
            std::string rest;
            for (const auto& other : sample.labels)
                rest += other.first == label ? "" : other.first + "=" + other.second;
            apart[{sample.name, label}][rest].push_back(sample.value);
        }
    }
    std::map<std::string, std::pair<int, std::string>> same;  // By label: metrics that only repeat, and one of them.
    for (const auto& [where, groups] : apart) {
        bool repeats = false;
        bool differs = false;
        for (const auto& group : groups) {
            const std::vector<double>& values = group.second;
            const bool equal = std::equal(values.begin() + 1, values.end(), values.begin());
            repeats = repeats || (values.size() > 1 && equal && values.front() != 0);
            differs = differs || !equal;
        }
        if (repeats && !differs) {
            auto& [count, metric] = same[where.second];
            ++count;
            metric = where.first;
        }
    }
    for (const auto& [label, what] : same) {
        if (what.first < 2) continue;  // One metric may be equal by chance.
        add(FindingCode::DuplicateRanks, Severity::Warning, what.second,
            fmt::format("the same numbers come once for each `{}` and are added up", label),
            fmt::format("If these are parts of one engine, put `{}` into `ranks` of an adapter (docs/extending.md).",
                        label));
    }
}

void Inspector::look_at_counters(const ScrapePage& page) {
    const auto families = growing_families(page);
    std::unordered_map<std::string, double> now;
    std::optional<double> started;
    int fell = 0;
    int held = 0;
    std::string example;
    std::string metric;
    for (const ScrapePage::Sample& sample : page.samples) {
        if (sample.name == "process_start_time_seconds") started = sample.value;
        if (sample.histogram || now.size() >= kMaxCounters) continue;
        if (!families.contains(std::string(without_total(sample.name)))) continue;
        std::string key = series_key(sample);
        if (const auto before = counters_.find(key); before != counters_.end() && before->second > 0) {
            const bool less = sample.value < before->second;
            (less ? fell : held) += 1;
            if (less && example.empty()) {
                example = fmt::format("from {} to {}", format_number(before->second), format_number(sample.value));
                metric = sample.name;
            }
        }
        now.emplace(std::move(key), sample.value);
    }
    // Everything that counted begins anew with a process.
    const bool restarted = (started && started_ && *started != *started_) || held == 0;
    counters_ = std::move(now);
    started_ = started;
    if (fell > 0 && !restarted) {
        fell_ =
            Finding{FindingCode::CounterFell, Severity::Error, metric,
                    fmt::format("a counter fell {} without a restart, and {} others with it", example, fell - 1),
                    "Rates over it are too high. Behind one address must be one engine: a load balancer in front of "
                    "several, or several API processes with one page each, look like this. Scrape each by itself."};
        fell_looks_ = kFellLooks;
    }
    if (fell_ && fell_looks_-- > 0) findings_.push_back(*fell_);
}

void Inspector::look_at_shares(const std::vector<Canonical::Value>& values) {
    for (const auto& value : values) {
        if (!value.name.ends_with("_ratio") || (value.value >= 0 && value.value <= 1.0001)) continue;
        add(FindingCode::ShareOutOfRange, Severity::Error, value.from,
            format_number(value.value) + " is no share: 0 to 1 was expected",
            value.value > 1 && value.value <= 100
                ? "If these are percent, `scale: 0.01` in an adapter makes them a share (docs/extending.md)."
                : "Ask the engine's maintainers.");
    }
}

void Inspector::look_at_zeros(const std::optional<GatewayCount>& gateway) {
    for (const Pair& pair : kPairs) {
        const auto zero = total(pair.zero);
        const auto evidence = total(pair.evidence);
        if (!zero || *zero != 0 || !evidence || *evidence <= pair.above) continue;
        add(FindingCode::ConstantZero, Severity::Warning, own_name(pair.zero),
            fmt::format("is 0, and {} is {}", own_name(pair.evidence), format_number(*evidence)),
            "The engine does not count it in this version or with these options; use the gateway's own count.");
    }
    const auto running = total(kRunning);
    const auto kv = total(kKvUsage);
    const bool kv_idle = kv && *kv == 0 && running && *running > 0;
    kv_zero_ = kv_idle ? kv_zero_ + 1 : 0;
    if (kv_zero_ >= kZeroLooks) {
        add(FindingCode::ConstantZero, Severity::Warning, own_name(kKvUsage),
            fmt::format("is 0 at {} looks in a row while requests ran", kv_zero_),
            "Don't balance or scale by it. Is the KV cache's size fixed by an option, or the metric not kept up?");
    }
    const double grown = growth(kGeneration);
    const bool busy = grown >= kBusyTokens || (grown > 0 && gateway && gateway->outstanding >= 1);
    const bool idle = running && *running == 0 && total(kWaiting).value_or(0) == 0;
    running_zero_ = busy && idle ? running_zero_ + 1 : 0;
    if (running_zero_ >= kZeroLooks) {
        add(FindingCode::ConstantZero, Severity::Warning, own_name(kRunning),
            fmt::format("is 0 at {} looks in a row while tokens were made", running_zero_),
            "The engine looks idle to whoever balances by it; let the gateway's own count of requests decide.");
    }
}

void Inspector::look_at_gateway(const std::optional<GatewayCount>& gateway) {
    const auto running = total(kRunning);
    const auto generation = total(kGeneration);
    const bool says_idle = gateway && running && *running + total(kWaiting).value_or(0) == 0;
    disagreements_ = says_idle && gateway->outstanding >= 2 ? disagreements_ + 1 : 0;
    if (disagreements_ >= kGatewayLooks) {
        add(FindingCode::CountDisagrees, Severity::Warning, own_name(kRunning),
            fmt::format("says that nothing runs or waits, and the gateway waits for {} answers",
                        format_number(gateway->outstanding)),
            "The engine hangs, or what is scraped is another engine than what is asked.");
    }
    const bool answered = gateway && gateway_ && gateway->finished > gateway_->finished;
    const bool still = generation && growth(kGeneration) == 0 && growth(kPrompt) == 0;
    // A look without answers proves nothing, either way.
    if (!still || (gateway && growth(kGeneration) > 0)) standstills_ = 0;
    if (answered && still) ++standstills_;
    if (standstills_ >= kGatewayLooks) {
        add(FindingCode::CountDisagrees, Severity::Error, own_name(kGeneration),
            fmt::format("stands still at {} while the gateway got answers", format_number(*generation)),
            "Its counters are frozen, or what is scraped is another engine than what is asked.");
    }
}

void Inspector::look_at_quirks(const ScrapePage& page) {
    if (adapter_ == nullptr) return;
    for (const Quirk& quirk : adapter_->quirks) {
        const auto range = VersionRange::parse(quirk.versions);
        if (!range || !range->contains(identity_.version)) continue;
        const bool shown = std::any_of(page.samples.begin(), page.samples.end(),
                                       [&](const auto& sample) { return without_total(sample.name) == quirk.metric; });
        if (shown) add(FindingCode::Quirk, Severity::Note, quirk.metric, quirk.text, quirk.fix);
    }
}

}  // namespace stoker::collect
