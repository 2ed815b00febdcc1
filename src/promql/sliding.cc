#include "promql/sliding.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <vector>

#include "promql/kahan.h"
#include "promql/rates.h"

namespace stoker::promql {

namespace {

using Samples = std::span<const tsdb::Sample>;

// A queue in one piece of memory.
template <typename T>
class Queue {
public:
    void clear() {
        items_.clear();
        head_ = 0;
    }
    bool empty() const { return head_ == items_.size(); }
    std::size_t size() const { return items_.size() - head_; }
    const T& front() const { return items_[head_]; }
    const T& back() const { return items_.back(); }
    auto begin() const { return items_.begin() + static_cast<std::ptrdiff_t>(head_); }
    auto end() const { return items_.end(); }
    void push_back(T item) {
        if (head_ > 64 && head_ * 2 > items_.size()) {
            items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
            head_ = 0;
        }
        items_.push_back(item);
    }
    void pop_front() { ++head_; }
    void pop_back() { items_.pop_back(); }

private:
    std::vector<T> items_;
    std::size_t head_ = 0;
};

// Which part of a window is new.
class Progress {
public:
    void restart() { end_ = 0; }
    // The samples that no window before had.
    Samples fresh(Samples window, std::uint64_t first) {
        const std::uint64_t known = end_ > first ? end_ - first : 0;
        end_ = first + window.size();
        return window.subspan(static_cast<std::size_t>(known));
    }

private:
    std::uint64_t end_ = 0;
};

// Samples that stand apart from the one before them, which is in the window too.
template <typename Differs>
class Jumps {
public:
    struct Jump {
        std::uint64_t index;  // Of the later sample.
        double before;
    };
    void restart() {
        progress_.restart();
        steps_.clear();
    }
    void move(Samples window, std::uint64_t first) {
        const Samples fresh = progress_.fresh(window, first);
        std::size_t at = window.size() - fresh.size();
        for (at = std::max<std::size_t>(at, 1); at < window.size(); ++at) {
            const double before = window[at - 1].value;
            if (Differs()(before, window[at].value)) steps_.push_back({first + at, before});
        }
        while (!steps_.empty() && steps_.front().index <= first) steps_.pop_front();
    }
    const Queue<Jump>& steps() const { return steps_; }

private:
    Progress progress_;
    Queue<Jump> steps_;
};

struct Falls {
    bool operator()(double before, double now) const { return now < before; }
};
struct Changes {
    bool operator()(double before, double now) const {
        return now != before && !(std::isnan(now) && std::isnan(before));
    }
};

class SlidingRate : public SlidingFunction {
public:
    explicit SlidingRate(bool per_second) : per_second_(per_second) {}
    void restart() override { resets_.restart(); }
    std::optional<double> apply(const Window& window, std::uint64_t first) override {
        resets_.move(window.samples, first);
        if (window.samples.size() < 2) return std::nullopt;
        double rise = window.samples.back().value - window.samples.front().value;
        for (const auto& reset : resets_.steps()) rise += reset.before;
        return internal::extrapolated(window, rise, true, per_second_);
    }

private:
    bool per_second_;
    Jumps<Falls> resets_;
};

template <typename Differs>
class SlidingCount : public SlidingFunction {
public:
    void restart() override { steps_.restart(); }
    std::optional<double> apply(const Window& window, std::uint64_t first) override {
        steps_.move(window.samples, first);
        return static_cast<double>(steps_.steps().size());
    }

private:
    Jumps<Differs> steps_;
};

// The candidates for being the best, now or once better ones have left. NaN is one only where there is nothing else.
template <typename Better>
class SlidingBest : public SlidingFunction {
public:
    void restart() override {
        progress_.restart();
        candidates_.clear();
    }
    std::optional<double> apply(const Window& window, std::uint64_t first) override {
        std::uint64_t index = first + window.samples.size();
        const Samples fresh = progress_.fresh(window.samples, first);
        index -= fresh.size();
        for (const tsdb::Sample& sample : fresh) {
            const double value = sample.value;
            if (!std::isnan(value)) {
                while (!candidates_.empty() && Better()(value, candidates_.back().value)) candidates_.pop_back();
                candidates_.push_back({index, value});
            }
            ++index;
        }
        while (!candidates_.empty() && candidates_.front().index < first) candidates_.pop_front();
        return candidates_.empty() ? window.samples.back().value : candidates_.front().value;
    }

private:
    struct Candidate {
        std::uint64_t index;
        double value;
    };
    Progress progress_;
    Queue<Candidate> candidates_;
};

// Short windows are added up anew.
constexpr std::size_t kShort = 24;

// Adds with the rounding error beside: sums of sums lose no more than Kahan's does sample by sample.
struct Sum {
    double high = 0;
    double low = 0;

    void add(double value) {
        const double total = high + value;
        const double part = total - high;
        low += (high - (total - part)) + (value - part);
        high = total;
    }
    void add(const Sum& other) {
        add(other.high);
        low += other.low;
    }
};

// A queue that knows the sum of what it holds, as two stacks: what left the back stack's reach is turned over into sums
// from each sample to the newest of the front stack.
class SumQueue {
public:
    void clear() {
        front_.clear();
        back_.clear();
        back_sum_ = {};
    }
    void push(double value) {
        back_.push_back(value);
        back_sum_.add(value);
    }
    void pop() {
        if (front_.empty()) turn_over();
        front_.pop_back();
    }
    std::size_t size() const { return front_.size() + back_.size(); }
    Sum sum() const {
        if (front_.empty()) return back_sum_;
        Sum total = front_.back();
        total.add(back_sum_);
        return total;
    }

private:
    void turn_over() {
        Sum sum;
        while (!back_.empty()) {
            sum.add(back_.back());
            back_.pop_back();
            front_.push_back(sum);
        }
        back_sum_ = {};
    }

    std::vector<Sum> front_;
    std::vector<double> back_;
    Sum back_sum_;
};

class SlidingSum : public SlidingFunction {
public:
    explicit SlidingSum(bool mean) : mean_(mean) {}
    void restart() override {
        queue_.clear();
        first_ = 0;
    }
    std::optional<double> apply(const Window& window, std::uint64_t first) override {
        const Samples samples = window.samples;
        if (samples.size() <= kShort) return plain(samples);
        move(samples, first);
        const Sum sum = queue_.sum();
        // NaN, infinities, and sums near the end of doubles have rules of their own.
        if (!(std::abs(sum.high) < std::numeric_limits<double>::max() / 4)) return plain(samples);
        if (!mean_) return sum.high + sum.low;
        const auto count = static_cast<double>(samples.size());
        return sum.high / count + sum.low / count;
    }

private:
    void move(Samples samples, std::uint64_t first) {
        const std::uint64_t end = first_ + queue_.size();
        if (end <= first) {
            queue_.clear();
        } else {
            for (; first_ < first; ++first_) queue_.pop();
        }
        first_ = first;
        for (const tsdb::Sample& sample : samples.subspan(queue_.size())) queue_.push(sample.value);
    }

    std::optional<double> plain(Samples samples) const {
        if (mean_) {
            KahanMean mean;
            for (const tsdb::Sample& sample : samples) mean.add(sample.value);
            return mean.value();
        }
        KahanSum sum;
        for (const tsdb::Sample& sample : samples) sum.add(sample.value);
        return sum.value();
    }

    bool mean_;
    SumQueue queue_;
    std::uint64_t first_ = 0;  // Index of the queue's first.
};

struct Less {
    bool operator()(double a, double b) const { return a < b; }
};
struct Greater {
    bool operator()(double a, double b) const { return a > b; }
};

}  // namespace

std::unique_ptr<SlidingFunction> sliding_form(const Function& function) {
    const std::string_view name = function.name;
    if (name == "rate") return std::make_unique<SlidingRate>(true);
    if (name == "increase") return std::make_unique<SlidingRate>(false);
    if (name == "resets") return std::make_unique<SlidingCount<Falls>>();
    if (name == "changes") return std::make_unique<SlidingCount<Changes>>();
    if (name == "min_over_time") return std::make_unique<SlidingBest<Less>>();
    if (name == "max_over_time") return std::make_unique<SlidingBest<Greater>>();
    if (name == "sum_over_time") return std::make_unique<SlidingSum>(false);
    if (name == "avg_over_time") return std::make_unique<SlidingSum>(true);
    return nullptr;
}

}  // namespace stoker::promql
