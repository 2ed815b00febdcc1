#include "base/metrics.h"

#include <algorithm>
#include <type_traits>

#include "base/check.h"
#include "base/text.h"

namespace stoker::metrics {

Histogram::Histogram(const std::vector<double>& bounds)
    : bounds_(bounds), buckets_(std::make_unique<std::atomic<std::uint64_t>[]>(bounds.size() + 1)) {
    STOKER_CHECK(std::is_sorted(bounds_.begin(), bounds_.end()), "histogram bounds must ascend");
}

void Histogram::observe(double value) {
    // The first bound that is not below the value; NaN compares false with all and lands in +Inf's bucket.
    const auto bound = std::find_if(bounds_.begin(), bounds_.end(), [value](double limit) { return value <= limit; });
    buckets_[static_cast<std::size_t>(bound - bounds_.begin())].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
}

template <typename Metric>
Metric& Family<Metric>::with(const LabelValues& values) {
    STOKER_CHECK(values.size() == label_names_.size(), "one value for each label name");
    MutexLock lock(mutex_);
    auto& metric = metrics_[values];
    if (!metric) {
        if constexpr (std::is_same_v<Metric, Histogram>) {
            metric = std::make_unique<Histogram>(bounds_);
        } else {
            metric = std::make_unique<Metric>();
        }
    }
    return *metric;
}

template <typename Metric>
void Family<Metric>::remove(const LabelValues& values) {
    MutexLock lock(mutex_);
    metrics_.erase(values);
}

template <typename Metric>
void Family<Metric>::each(const std::function<void(const LabelValues&, const Metric&)>& visit) const {
    MutexLock lock(mutex_);
    for (const auto& [values, metric] : metrics_) visit(values, *metric);
}

template class Family<Counter>;
template class Family<Gauge>;
template class Family<Histogram>;

Family<Counter>& Registry::counter(const std::string& name, const std::string& help, std::vector<std::string> labels) {
    MutexLock lock(mutex_);
    auto& [known_help, counter, gauge, histogram] = entries_[name];
    STOKER_CHECK(!gauge && !histogram, "a metric has one kind");
    if (!counter) {
        known_help = help;
        counter = std::make_unique<Family<Counter>>(std::move(labels), std::vector<double>{});
    } else {
        STOKER_CHECK(counter->label_names() == labels, "a metric has one set of labels");
    }
    return *counter;
}

Family<Gauge>& Registry::gauge(const std::string& name, const std::string& help, std::vector<std::string> labels) {
    MutexLock lock(mutex_);
    auto& [known_help, counter, gauge, histogram] = entries_[name];
    STOKER_CHECK(!counter && !histogram, "a metric has one kind");
    if (!gauge) {
        known_help = help;
        gauge = std::make_unique<Family<Gauge>>(std::move(labels), std::vector<double>{});
    } else {
        STOKER_CHECK(gauge->label_names() == labels, "a metric has one set of labels");
    }
    return *gauge;
}

Family<Histogram>& Registry::histogram(const std::string& name, const std::string& help,
                                       std::vector<std::string> labels, std::vector<double> bounds) {
    MutexLock lock(mutex_);
    auto& [known_help, counter, gauge, histogram] = entries_[name];
    STOKER_CHECK(!counter && !gauge, "a metric has one kind");
    if (!histogram) {
        known_help = help;
        histogram = std::make_unique<Family<Histogram>>(std::move(labels), std::move(bounds));
    } else {
        STOKER_CHECK(histogram->label_names() == labels, "a metric has one set of labels");
    }
    return *histogram;
}

void Registry::on_gather(std::function<void()> update) {
    MutexLock lock(mutex_);
    updates_.push_back(std::move(update));
}

void Registry::update() const {
    std::vector<std::function<void()>> updates;
    {
        MutexLock lock(mutex_);
        updates = updates_;
    }
    // Outside the lock: an update may well look up a metric.
    for (const auto& run : updates) run();
}

std::vector<double> latency_bounds() {
    std::vector<double> bounds;
    constexpr int kDoublings = 18;
    for (int power = 0; power < kDoublings; ++power) {
        const double millis = static_cast<double>(1 << power);
        bounds.push_back(millis / 1000);
        bounds.push_back(millis * 1.5 / 1000);
    }
    return bounds;
}

}  // namespace stoker::metrics
