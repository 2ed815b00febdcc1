#include "model.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace stoker::crash {

namespace {

constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max() / 2;
constexpr std::size_t kMostViolations = 20;

void add(std::vector<std::string>& violations, std::string text) {
    if (violations.size() < kMostViolations) {
        violations.push_back(std::move(text));
    }
}

bool is_right(const tsdb::Labels& labels, const tsdb::Sample& sample, const tsdb::HistogramPtr& histogram) {
    if (!is_histogram_series(labels)) {
        return histogram == nullptr && std::bit_cast<std::uint64_t>(sample.value) ==
                                           std::bit_cast<std::uint64_t>(value_of(labels, sample.time));
    }
    const auto want = histogram_of(labels, sample.time);
    return histogram != nullptr && histogram->count == want->count && histogram->sum == want->sum &&
           histogram->positive == want->positive && histogram->positive_spans == want->positive_spans;
}

}  // namespace

void Model::take(const Record& record) {
    highest_step_ = std::max(highest_step_, record.step);
    if (record.op == Op::Ready) {
        return;
    }
    if (record.phase == Phase::Begin) {
        begun_[record.thread] = record;
        return;
    }
    begun_.erase(record.thread);
    apply(record, record.phase == Phase::Done ? State::Sure : State::Unsure);
    acknowledged_ += record.phase == Phase::Done ? 1 : 0;
}

void Model::killed() {
    for (const auto& [thread, record] : begun_) {
        apply(record, State::Unsure);
    }
    begun_.clear();
}

void Model::apply(const Record& record, State state) {
    switch (record.op) {
        case Op::Append:
            for (const auto& one : batch_of(record.thread, record.step)) {
                const auto hidden = hidden_.find(one.labels);
                const bool sure = hidden == hidden_.end() || !tsdb::contains(hidden->second, one.sample.time);
                series_[one.labels][one.sample.time] = sure ? state : State::Unsure;
            }
            break;
        case Op::Exemplars:
            (state == State::Sure ? exemplars_ : maybe_exemplars_).insert(record.step);
            break;
        case Op::Delete: {
            Times& times = series_[deleted_series(record.step)];
            tsdb::add_interval(hidden_[deleted_series(record.step)],
                               {kStart + record.from * kStep, kStart + std::min(record.to, record.step) * kStep});
            const auto first = times.lower_bound(kStart + record.from * kStep);
            const auto last = times.upper_bound(kStart + record.to * kStep);
            if (state == State::Sure) {
                times.erase(first, last);
            } else {
                for (auto at = first; at != last; ++at) {
                    at->second = State::Unsure;
                }
            }
            break;
        }
        case Op::Snapshot:
        case Op::Ready:
            break;
    }
}

void Model::check(const tsdb::Store& store, std::vector<std::string>& violations) {
    const auto found = store.select({}, -kEnd, kEnd, 0);
    if (!found) {
        add(violations, "select: " + found.error().message);
        return;
    }
    std::map<tsdb::Labels, Times> there;
    for (const auto& series : *found) {
        Times& times = there[series->labels()];
        const auto known = series_.find(series->labels());
        const auto samples = series->samples();
        tsdb::Sample sample;
        while (samples->next(sample)) {
            const std::string what = series->labels().text() + " at " + std::to_string(sample.time);
            if (known == series_.end() || known->second.count(sample.time) == 0) {
                add(violations, what + " was never sent, or deleted");
            } else if (!is_right(series->labels(), sample, samples->histogram())) {
                add(violations, what + " has a wrong value");
            }
            if (!times.try_emplace(sample.time, State::Sure).second) {
                add(violations, what + " is there twice");
            }
        }
        if (auto done = samples->status(); !done) {
            add(violations, series->labels().text() + " can't be read: " + done.error().message);
        }
    }
    report_missing(there, violations);
    series_ = std::move(there);

    std::size_t newest = 0;
    for (auto at = exemplars_.rbegin(); at != exemplars_.rend() && newest < 100; ++at, ++newest) {
        const auto want = exemplar_of(*at);
        const std::int64_t time = want.exemplars[0].time;
        const auto of_series =
            store.exemplars({{{"__name__", tsdb::Matcher::Op::Equal, std::string(want.series.metric())}}}, time, time);
        if (!of_series || of_series->size() != 1 || of_series->front().exemplars != want.exemplars) {
            add(violations, "the exemplar of step " + std::to_string(*at) + " was acknowledged and is missing");
        }
    }
    if (auto healthy = store.health(); !healthy) {
        add(violations, "health: " + healthy.error().message);
    }
    for (const auto& damage : store.damage()) {
        add(violations, "damage: " + damage.where + ": " + damage.what);
    }
}

std::size_t Model::check_nothing_invented(const tsdb::Store& store, std::vector<std::string>& violations,
                                          bool& said) const {
    std::size_t seen = 0;
    const auto found = store.select({}, -kEnd, kEnd, 0);
    if (!found) {
        said = true;
        return sure_samples();
    }
    const bool damaged = !store.damage().empty();
    for (const auto& series : *found) {
        const auto known = series_.find(series->labels());
        const auto samples = series->samples();
        tsdb::Sample sample;
        while (samples->next(sample)) {
            const bool sent = known != series_.end() && known->second.count(sample.time) != 0;
            // A deletion that was in a lost part of the log has not happened.
            const auto hidden = hidden_.find(series->labels());
            const bool back = hidden != hidden_.end() && tsdb::contains(hidden->second, sample.time) && damaged;
            if (!(sent || back) || !is_right(series->labels(), sample, samples->histogram())) {
                add(violations,
                    series->labels().text() + " at " + std::to_string(sample.time) + " is not what was sent");
            }
            ++seen;
        }
        said = said || !samples->status().has_value();
    }
    const std::size_t sure = sure_samples();
    return sure > seen ? sure - seen : 0;
}

void Model::report_missing(const std::map<tsdb::Labels, Times>& there, std::vector<std::string>& violations) const {
    for (const auto& [labels, times] : series_) {
        const auto found = there.find(labels);
        for (const auto& [time, state] : times) {
            if (state == State::Sure && (found == there.end() || found->second.count(time) == 0)) {
                add(violations, labels.text() + " at " + std::to_string(time) + " was acknowledged and is missing");
            }
        }
    }
}

void Model::check_nothing_missing(const tsdb::Store& store, std::vector<std::string>& violations) const {
    std::map<tsdb::Labels, Times> there;
    const auto found = store.select({}, -kEnd, kEnd, 0);
    for (std::size_t i = 0; found && i < found->size(); ++i) {
        const auto samples = (*found)[i]->samples();
        tsdb::Sample sample;
        while (samples->next(sample)) {
            there[(*found)[i]->labels()][sample.time] = State::Sure;
        }
    }
    report_missing(there, violations);
}

std::size_t Model::sure_samples() const {
    std::size_t count = 0;
    for (const auto& [labels, times] : series_) {
        for (const auto& [time, state] : times) {
            count += state == State::Sure ? 1 : 0;
        }
    }
    return count;
}

}  // namespace stoker::crash
