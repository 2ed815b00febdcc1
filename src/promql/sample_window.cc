#include "promql/sample_window.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace stoker::promql {

namespace {

using Samples = std::span<const tsdb::Sample>;

// The first at or after `at` whose time is past `time`. Looks close by first: windows mostly move a little.
std::size_t after(Samples samples, std::size_t at, std::int64_t time) {
    constexpr std::size_t kClose = 8;
    const std::size_t close = std::min(at + kClose, samples.size());
    while (at < close && samples[at].time <= time) ++at;
    if (at < close) return at;
    const auto later = [](std::int64_t limit, const tsdb::Sample& sample) { return limit < sample.time; };
    return static_cast<std::size_t>(
        std::upper_bound(samples.begin() + static_cast<std::ptrdiff_t>(at), samples.end(), time, later) -
        samples.begin());
}

bool stale(const tsdb::Sample& sample) {
    return tsdb::is_stale(sample.value);
}

}  // namespace

void SampleWindow::open(const tsdb::Series& series) {
    samples_ = series.walk(std::move(samples_));
    data_ = {};
    low_ = 0;
    high_ = 0;
    passed_ = 0;
    ended_ = false;
    met_more_ = false;
}

Samples SampleWindow::between(std::int64_t from, std::int64_t to) {
    for (;;) {
        high_ = after(data_, high_, to);
        low_ = std::min(after(data_, low_, from), high_);
        if (high_ < data_.size() || ended_) break;
        if (!fetch()) ended_ = true;
    }
    return data_.subspan(low_, high_ - low_);
}

// Appends the next block behind what the window still needs.
bool SampleWindow::fetch() {
    const bool keeps = low_ < data_.size();
    if (keeps) {
        // Before the block goes, which is when the next one is asked for.
        if (data_.data() == buffer_.data()) {
            buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(low_));
        } else {
            buffer_.assign(data_.begin() + static_cast<std::ptrdiff_t>(low_), data_.end());
        }
    } else {
        buffer_.clear();
    }
    passed_ += low_;
    high_ -= low_;
    low_ = 0;
    data_ = buffer_;
    for (;;) {
        const tsdb::SampleBlock block = samples_->next_block();
        if (block.samples.empty()) return false;
        if (!block.histograms.empty() || !block.starts.empty()) {
            met_more_ = true;
            return false;
        }
        if (!keeps && std::none_of(block.samples.begin(), block.samples.end(), stale)) {
            data_ = block.samples;
            return true;
        }
        const std::size_t before = buffer_.size();
        std::remove_copy_if(block.samples.begin(), block.samples.end(), std::back_inserter(buffer_), stale);
        data_ = buffer_;
        if (buffer_.size() > before) return true;
    }
}

}  // namespace stoker::promql
