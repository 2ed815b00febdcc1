// Stoker's own metrics: counters, gauges and histograms by label, exposed on /metrics and written into the store.
//
// A handle returned by with() stays valid as long as the Registry; hot paths look it up once and keep it. Updates are
// lock-free; with() takes a lock. Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/sync.h"

namespace stoker::metrics {

class Counter {
public:
    // REQUIRES: amount >= 0.
    void add(double amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
    double value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<double> value_{0};
};

class Gauge {
public:
    void set(double value) { value_.store(value, std::memory_order_relaxed); }
    void add(double amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
    double value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<double> value_{0};
};

class Histogram {
public:
    // REQUIRES: `bounds` ascending; +Inf is added.
    explicit Histogram(const std::vector<double>& bounds);
    void observe(double value);

    const std::vector<double>& bounds() const { return bounds_; }
    // Observations in bucket `index` alone, not cumulative; index bounds().size() is +Inf.
    std::uint64_t in_bucket(std::size_t index) const { return buckets_[index].load(std::memory_order_relaxed); }
    double sum() const { return sum_.load(std::memory_order_relaxed); }

private:
    std::vector<double> bounds_;
    std::unique_ptr<std::atomic<std::uint64_t>[]> buckets_;
    std::atomic<double> sum_{0};
};

using LabelValues = std::vector<std::string>;

// All metrics of one name. The label values of with() stand in the order of the names given to the Registry.
template <typename Metric>
class Family {
public:
    Family(std::vector<std::string> label_names, std::vector<double> bounds)
        : label_names_(std::move(label_names)), bounds_(std::move(bounds)) {}

    // The metric with these label values, made on first use. REQUIRES: as many values as there are label names.
    Metric& with(const LabelValues& values = {});

    // Forgets one metric (a replica that is gone); handles to it must not be used any more.
    void remove(const LabelValues& values);

    const std::vector<std::string>& label_names() const { return label_names_; }
    void each(const std::function<void(const LabelValues&, const Metric&)>& visit) const;

private:
    const std::vector<std::string> label_names_;
    const std::vector<double> bounds_;
    mutable Mutex mutex_;
    std::map<LabelValues, std::unique_ptr<Metric>> metrics_ GUARDED_BY(mutex_);
};

// One value as the exposition carries it, histograms already split into _bucket, _sum and _count.
struct Exposed {
    std::string_view name;
    const std::vector<std::pair<std::string, std::string>>& labels;
    double value;
};

class Registry {
public:
    // Registers a family, or returns the one registered under that name before.
    // REQUIRES: the same kind and labels each time; `name` and `help` follow Prometheus' rules.
    Family<Counter>& counter(const std::string& name, const std::string& help, std::vector<std::string> labels = {});
    Family<Gauge>& gauge(const std::string& name, const std::string& help, std::vector<std::string> labels = {});
    Family<Histogram>& histogram(const std::string& name, const std::string& help, std::vector<std::string> labels,
                                 std::vector<double> bounds);

    // Called before each gathering, to bring gauges up to date that nobody updates as they change.
    void on_gather(std::function<void()> update);

    // Prometheus text format 0.0.4, families in order of name.
    std::string text() const;

    // Every sample that text() would show.
    void each_sample(const std::function<void(const Exposed&)>& visit) const;

private:
    struct Entry {
        std::string help;
        std::unique_ptr<Family<Counter>> counter;
        std::unique_ptr<Family<Gauge>> gauge;
        std::unique_ptr<Family<Histogram>> histogram;
    };

    void update() const;

    mutable Mutex mutex_;
    std::map<std::string, Entry> entries_ GUARDED_BY(mutex_);
    std::vector<std::function<void()>> updates_ GUARDED_BY(mutex_);
};

// Bucket bounds in seconds for request latencies: 1 ms to 197 s, doubling with a midpoint.
std::vector<double> latency_bounds();

}  // namespace stoker::metrics
