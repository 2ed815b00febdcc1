#include "collect/push/remote_write_receiver_job.h"

#include <algorithm>

#include "collect/push/remote_write_convert.h"

namespace stoker::collect {
namespace {

constexpr std::size_t kDetailsTold = 5;
constexpr std::size_t kMaxDetail = 300;

// One huge request must not be remembered in memory for ever.
constexpr std::size_t kKeptItems = 64 * 1024;

template <typename T>
void empty(std::vector<T>& items) {
    items.clear();
    if (items.capacity() > kKeptItems) {
        items.shrink_to_fit();
    }
}

}  // namespace

void WriteReport::refuse(std::size_t items, std::string_view why, std::string detail) {
    const auto found = by_reason_.find(why);
    (found == by_reason_.end() ? by_reason_.emplace(why, 0).first : found)->second += items;
    if (details_.size() < kDetailsTold) {
        detail.resize(std::min(detail.size(), kMaxDetail));
        details_.push_back(std::move(detail));
    }
}

void WriteReport::clear() {
    by_reason_.clear();
    details_.clear();
}

std::string WriteReport::text(std::size_t of) const {
    std::size_t total = 0;
    std::string reasons;
    for (const auto& [reason, count] : by_reason_) {
        total += count;
        reasons += (reasons.empty() ? "" : ", ") + std::to_string(count) + " " + reason;
    }
    std::string text = std::to_string(total) + " of " + std::to_string(of) + " samples were refused: " + reasons + ".";
    for (const std::string& detail : details_) {
        text += "\n" + detail;
    }
    return text + "\n";
}

Result<Unit> RemoteWriteReceiver::Job::run(RemoteWriteReceiver& receiver, Timestamp now) {
    reset();
    find_series(receiver, now);
    fill_batch(receiver);
    TRY_UNIT(append(receiver));
    remember(receiver, now);
    append_exemplars(receiver);
    describe(receiver, now);
    return Unit{};
}

void RemoteWriteReceiver::Job::reset() {
    empty(keys_);
    keyed_.clear();
    empty(refs_);
    empty(labels_);
    built_.clear();
    empty(batch_);
    empty(series_of_);
    report_.clear();
    samples_refused_ = histograms_refused_ = exemplars_written_ = 0;
}

void RemoteWriteReceiver::Job::find_series(RemoteWriteReceiver& receiver, Timestamp now) {
    const std::size_t count = request.series_count();
    keys_.resize(count);
    keyed_.resize(count);
    refs_.resize(count);
    labels_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto key = receiver.series_.key(request.label_bytes(request.series[i]));
        keyed_[i] = key.has_value();
        keys_[i] = key.value_or(SeriesCache::Key{});  // No text has this key but by chance.
    }
    receiver.series_.find(keys_, refs_, now);
}

const tsdb::Labels* RemoteWriteReceiver::Job::labels_of(RemoteWriteReceiver& receiver, std::size_t series) {
    if (labels_[series] != nullptr) {
        return labels_[series];
    }
    const auto& one = request.series[series];
    const auto& next = request.series[series + 1];
    auto labels = one.broken ? Error{Errc::InvalidArgument, "references past the symbols, or an odd number of them"}
                             : to_labels(request.label_bytes(one), receiver.options_.max_labels);
    if (!labels) {
        const std::size_t samples = next.first_sample - one.first_sample;
        const std::size_t histograms = next.first_histogram - one.first_histogram;
        samples_refused_ += samples;
        histograms_refused_ += histograms;
        report_.refuse(samples + histograms, "invalid_labels",
                       "series " + std::to_string(series + 1) + " of the request: " + labels.error().message);
        return nullptr;
    }
    built_.push_back(*std::move(labels));
    return labels_[series] = &built_.back();
}

void RemoteWriteReceiver::Job::fill_batch(RemoteWriteReceiver& receiver) {
    batch_.reserve(request.samples.size() + request.histograms.size());
    series_of_.reserve(batch_.capacity());
    for (std::size_t i = 0; i < request.series_count(); ++i) {
        const auto& one = request.series[i];
        const auto& next = request.series[i + 1];
        if (one.first_sample == next.first_sample && one.first_histogram == next.first_histogram) {
            continue;
        }
        const tsdb::Labels* labels = nullptr;
        if (refs_[i] == 0 && (labels = labels_of(receiver, i)) == nullptr) {
            continue;
        }
        add_items(i, labels);
    }
}

void RemoteWriteReceiver::Job::add_items(std::size_t series, const tsdb::Labels* labels) {
    const auto& one = request.series[series];
    const auto& next = request.series[series + 1];
    for (std::size_t i = one.first_sample; i < next.first_sample; ++i) {
        const auto& sample = request.samples[i];
        batch_.push_back({labels, {sample.time, sample.value}, refs_[series], nullptr, sample.start_time});
        series_of_.push_back(static_cast<std::uint32_t>(series));
    }
    for (std::size_t i = one.first_histogram; i < next.first_histogram; ++i) {
        auto& histogram = request.histograms[i];
        const std::int64_t time = histogram.time;
        const std::int64_t start = histogram.start_time;
        batch_.push_back({labels, {time, 0}, refs_[series], to_store(std::move(histogram)), start});
        series_of_.push_back(static_cast<std::uint32_t>(series));
    }
}

Result<Unit> RemoteWriteReceiver::Job::append(RemoteWriteReceiver& receiver) {
    if (batch_.empty()) {
        return Unit{};
    }
    TRY(const auto outcome, receiver.store_.append_cached(batch_));
    note(outcome, {});
    if (outcome.gone.empty()) {
        return Unit{};
    }
    // The store has dropped these series since: name them again.
    std::vector<tsdb::CachedSample> again;
    std::vector<std::uint32_t> origin;
    for (const std::size_t item : outcome.gone) {
        const std::uint32_t series = series_of_[item];
        refs_[series] = 0;
        if (const tsdb::Labels* labels = labels_of(receiver, series); labels != nullptr) {
            again.push_back(batch_[item]);
            again.back().labels = labels;
            again.back().ref = 0;
            origin.push_back(static_cast<std::uint32_t>(item));
        }
    }
    TRY(const auto retried, receiver.store_.append_cached(again));
    note(retried, origin);
    for (std::size_t i = 0; i < again.size(); ++i) {
        batch_[origin[i]].ref = again[i].ref;
    }
    return Unit{};
}

void RemoteWriteReceiver::Job::note(const tsdb::AppendOutcome& outcome, std::span<const std::uint32_t> origin) {
    for (const tsdb::Refused& refused : outcome.refused) {
        const std::size_t item = origin.empty() ? refused.index : origin[refused.index];
        const tsdb::CachedSample& sample = batch_[item];
        ++(sample.histogram == nullptr ? samples_refused_ : histograms_refused_);
        tsdb::Labels named;
        const std::uint32_t series = series_of_[item];
        if (auto labels = to_labels(request.label_bytes(request.series[series]), SIZE_MAX)) {
            named = *std::move(labels);
        }
        report_.refuse(1, to_string(refused.why),
                       named.text() + " at " + std::to_string(sample.sample.time) + ": " +
                           std::string(to_string(refused.why)) + (refused.detail.empty() ? "" : ": " + refused.detail));
    }
}

void RemoteWriteReceiver::Job::remember(RemoteWriteReceiver& receiver, Timestamp now) {
    // Only series that needed their labels are new to the cache.
    std::size_t added = 0;
    for (std::size_t item = 0; item < batch_.size() && !built_.empty(); ++item) {
        const std::uint32_t series = series_of_[item];
        if (labels_[series] == nullptr || refs_[series] != 0 || batch_[item].ref == 0) {
            continue;
        }
        refs_[series] = batch_[item].ref;
        ++added;
        if (keyed_[series]) {
            receiver.series_.put(keys_[series], refs_[series], now);
        }
    }
    receiver.metrics_->new_series.add(static_cast<double>(added));
}

void RemoteWriteReceiver::Job::append_exemplars(RemoteWriteReceiver& receiver) {
    if (request.exemplars.empty()) {
        return;
    }
    std::vector<tsdb::SeriesExemplars> all;
    for (std::size_t i = 0; i < request.series_count(); ++i) {
        const std::size_t first = request.series[i].first_exemplar;
        const std::size_t end = request.series[i + 1].first_exemplar;
        const bool alone = request.series[i].first_sample == request.series[i + 1].first_sample &&
                           request.series[i].first_histogram == request.series[i + 1].first_histogram;
        // 1.0 sends exemplars in series of their own; those of a series that was refused go with it.
        if (first == end || (refs_[i] == 0 && !alone)) {
            continue;
        }
        const tsdb::Labels* labels = labels_of(receiver, i);
        if (labels == nullptr) {
            continue;
        }
        tsdb::SeriesExemplars one{*labels, {}};
        for (std::size_t at = first; at < end; ++at) {
            const auto& exemplar = request.exemplars[at];
            auto own = to_exemplar_labels(request.label_bytes(exemplar), receiver.options_.max_labels);
            if (own && !exemplar.broken) {
                one.exemplars.push_back({*std::move(own), exemplar.value, exemplar.time});
            }
        }
        std::stable_sort(one.exemplars.begin(), one.exemplars.end(),
                         [](const auto& a, const auto& b) { return a.time < b.time; });
        all.push_back(std::move(one));
    }
    // Hints, not measurements: what the store doesn't take of them fails no request.
    if (auto stored = receiver.store_.append_exemplars(all)) {
        exemplars_written_ = *stored;
    }
}

void RemoteWriteReceiver::Job::describe(RemoteWriteReceiver& receiver, Timestamp now) {
    if (request.metadata.empty()) {
        return;
    }
    std::vector<SeriesCache::Key> keys;
    std::vector<tsdb::FamilyMetadata> families;
    std::string text;
    for (const auto& one : request.metadata) {
        const std::string_view family = family_of(one.family, one.type);
        text.clear();
        for (const std::string_view part : {family, one.type, one.help, one.unit}) {
            wire::append_label(part, {}, text);
        }
        const auto key = receiver.described_.key(text);
        if (family.empty() || !key) {
            continue;
        }
        keys.push_back(*key);
        families.push_back(
            {std::string(family), {std::string(one.type), std::string(one.help), std::string(one.unit)}});
    }
    std::vector<tsdb::SeriesRef> known(keys.size());
    receiver.described_.find(keys, known, now);
    std::vector<tsdb::FamilyMetadata> fresh;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (known[i] == 0) {
            receiver.described_.put(keys[i], 1, now);
            fresh.push_back(std::move(families[i]));
        }
    }
    if (!fresh.empty()) {
        receiver.store_.set_metadata(fresh);
    }
}

}  // namespace stoker::collect
