#include "tsdb/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_set>

#include "tsdb/store_impl.h"

namespace stoker::tsdb {

namespace {

constexpr std::size_t kMostLooked = 100'000;  // Series that a text is made from: the newest.
constexpr std::size_t kMostLabels = 3;        // Labels that it names.

// "" for series without one: nothing counts them. Job and instance can't hold the byte between them.
std::string target_of(std::string_view job, std::string_view instance) {
    if (job.empty() && instance.empty()) {
        return {};
    }
    std::string key(job);
    key += '\0';
    key += instance;
    return key;
}
std::string target_of(const Labels& labels) {
    return target_of(labels.get("job"), labels.get("instance"));
}

std::string_view value_of(std::span<const LabelRef> labels, std::string_view name) {
    for (const LabelRef& ref : labels) {
        if (*ref.name == name) {
            return *ref.value;
        }
    }
    return {};
}

metrics::Counter& refused_by(metrics::Registry& registry, const std::string& limit) {
    return registry
        .counter("stoker_tsdb_limit_refused_total", "Samples of new series that a limit on series kept out, by limit.",
                 {"limit"})
        .with({limit});
}

// 9412 as 9,412.
std::string with_commas(std::size_t number) {
    std::string text = std::to_string(number);
    for (std::size_t at = text.size(); at > 3;) {
        at -= 3;
        text.insert(at, ",");
    }
    return text;
}

}  // namespace

SeriesLimits::SeriesLimits(const StoreOptions& options, metrics::Registry& registry)
    : most_(options.max_series),
      per_target_(options.max_series_per_target),
      per_tenant_(options.max_series_per_tenant),
      refused_total_(refused_by(registry, "total")),
      refused_target_(refused_by(registry, "target")),
      refused_tenant_(refused_by(registry, "tenant")) {}

std::size_t SeriesLimits::count_of(const Counts& counts, const std::string& key) {
    const auto found = counts.find(key);
    return found == counts.end() ? 0 : found->second;
}

void SeriesLimits::change(Counts& counts, const std::string& key, bool more) {
    if (key.empty()) {
        return;
    }
    if (more) {
        ++counts[key];
    } else if (const auto found = counts.find(key); found != counts.end() && --found->second == 0) {
        counts.erase(found);
    }
}

void SeriesLimits::change_all(const std::string& target, const std::string& tenant, bool more) {
    MutexLock lock(mutex_);
    if (per_target_ != 0) {
        change(targets_, target, more);
    }
    if (per_tenant_ != 0) {
        change(tenants_, tenant, more);
    }
}

bool SeriesLimits::admit(const Labels& labels) {
    if (series_.load(std::memory_order_relaxed) >= most_) {
        refused_total_.add();
        return false;
    }
    if (by_label()) {
        const std::string target = target_of(labels);
        const std::string tenant(labels.get("tenant"));
        MutexLock lock(mutex_);
        if (per_target_ != 0 && !target.empty() && count_of(targets_, target) >= per_target_) {
            refused_target_.add();
            return false;
        }
        if (per_tenant_ != 0 && !tenant.empty() && count_of(tenants_, tenant) >= per_tenant_) {
            refused_tenant_.add();
            return false;
        }
        if (per_target_ != 0) {
            change(targets_, target, true);
        }
        if (per_tenant_ != 0) {
            change(tenants_, tenant, true);
        }
    }
    series_.fetch_add(1, std::memory_order_relaxed);
    return true;
}

void SeriesLimits::count(std::span<const LabelRef> labels) {
    series_.fetch_add(1, std::memory_order_relaxed);
    if (by_label()) {
        change_all(target_of(value_of(labels, "job"), value_of(labels, "instance")),
                   std::string(value_of(labels, "tenant")), true);
    }
}

void SeriesLimits::release(std::span<const LabelRef> labels) {
    series_.fetch_sub(1, std::memory_order_relaxed);
    if (by_label()) {
        change_all(target_of(value_of(labels, "job"), value_of(labels, "instance")),
                   std::string(value_of(labels, "tenant")), false);
    }
}

std::optional<ReachedLimit> SeriesLimits::reached(const Labels& labels) const {
    if (series() >= most_) {
        return ReachedLimit{"max_series", most_, {}};
    }
    const std::string target = target_of(labels);
    const std::string tenant(labels.get("tenant"));
    MutexLock lock(mutex_);
    if (per_target_ != 0 && !target.empty() && count_of(targets_, target) >= per_target_) {
        return ReachedLimit{"max_series_per_target",
                            per_target_,
                            {{"job", Matcher::Op::Equal, std::string(labels.get("job"))},
                             {"instance", Matcher::Op::Equal, std::string(labels.get("instance"))}}};
    }
    if (per_tenant_ != 0 && !tenant.empty() && count_of(tenants_, tenant) >= per_tenant_) {
        return ReachedLimit{"max_series_per_tenant", per_tenant_, {{"tenant", Matcher::Op::Equal, tenant}}};
    }
    return std::nullopt;
}

std::optional<std::string> LimitTexts::find(const std::string& key, std::int64_t now) const {
    MutexLock lock(mutex_);
    const auto found = said_.find(key);
    if (found == said_.end() || now - found->second.time > kKeepMillis) {
        return std::nullopt;
    }
    return found->second.text;
}

void LimitTexts::put(const std::string& key, std::string text, std::int64_t now) {
    MutexLock lock(mutex_);
    if (said_.size() >= kMost) {
        said_.clear();
    }
    said_.insert_or_assign(key, Said{std::move(text), now});
}

// The labels with the most values among the series that a limit counts: what grows there is one of them.
std::string StoreImpl::largest_labels(const std::vector<Matcher>& matchers) const {
    const auto compiled = compile_all(matchers);
    if (!compiled) {
        return {};
    }
    Postings ids = index_.select(*compiled);
    if (ids.size() > kMostLooked) {
        ids.erase(ids.begin(), ids.end() - static_cast<std::ptrdiff_t>(kMostLooked));
    }
    std::map<std::string, std::unordered_set<std::string>> values;
    for (const SeriesId id : ids) {
        Shard& shard = *shards_[shard_of_id(id)];
        MutexLock lock(shard.mutex());
        if (const MemSeries* series = shard.find(id)) {
            for (const LabelRef& ref : series->labels()) {
                values[*ref.name].insert(*ref.value);
            }
        }
    }
    std::vector<std::pair<std::size_t, std::string>> sizes;
    sizes.reserve(values.size());
    for (const auto& [name, of_label] : values) {
        sizes.emplace_back(of_label.size(), name);
    }
    std::sort(sizes.rbegin(), sizes.rend());
    std::string text;
    for (std::size_t i = 0; i < std::min(sizes.size(), kMostLabels); ++i) {
        const auto& [size, name] = sizes[i];
        text += fmt::format("{}label {} has {} {}", i == 0 ? "" : ", ", name, with_commas(size),
                            size == 1 ? "value" : "values");
    }
    return text;
}

std::string StoreImpl::explain_limit(const Labels& labels) const {
    const auto reached = limits_.reached(labels);
    if (!reached) {
        return "a limit on series was reached";  // There was none left when it was tried, and there is now.
    }
    std::string whose;
    for (const Matcher& matcher : reached->matchers) {
        whose += fmt::format("{}{}=\"{}\"", whose.empty() ? " of " : ", ", matcher.name, matcher.value);
    }
    const std::string key = reached->option + whose;
    const std::int64_t time = to_millis(now());
    if (auto said = limit_texts_.find(key, time)) {
        return *std::move(said);
    }
    std::string text = fmt::format("{} is reached: {} series{}; {}", reached->option, with_commas(reached->most), whose,
                                   largest_labels(reached->matchers));
    limit_texts_.put(key, text, time);
    return text;
}

}  // namespace stoker::tsdb
