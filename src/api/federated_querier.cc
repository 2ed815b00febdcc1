#include "api/federated_querier.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "collect/push/remote_write_convert.h"
#include "tsdb/matcher.h"
#include "wire/compression.h"
#include "wire/remote_read_client.h"

namespace stoker::api {
namespace {

constexpr std::size_t kMaxBody = std::size_t{512} << 20;  // Of a peer's answer, decompressed.
constexpr std::size_t kMaxLabels = 512;

using SeriesList = std::vector<std::shared_ptr<tsdb::Series>>;

// A series of ours, under its label in the view.
class LocalSeries final : public tsdb::Series {
public:
    LocalSeries(std::shared_ptr<tsdb::Series> series, const std::string& name)
        : series_(std::move(series)), labels_(series_->copy_labels().with(FederatedQuerier::kLabel, name)) {}

    const tsdb::Labels& labels() const override { return labels_; }
    std::unique_ptr<tsdb::SampleIterator> samples() const override { return series_->samples(); }

private:
    const std::shared_ptr<tsdb::Series> series_;
    const tsdb::Labels labels_;
};

// A peer's series, in memory.
class PeerSeries final : public tsdb::Series {
public:
    struct Data {
        std::vector<tsdb::Sample> samples;
        std::vector<tsdb::HistogramPtr> histograms;  // Empty, or as long as `samples`.
    };
    PeerSeries(tsdb::Labels labels, Data data)
        : labels_(std::move(labels)), data_(std::make_shared<const Data>(std::move(data))) {}

    const tsdb::Labels& labels() const override { return labels_; }
    std::unique_ptr<tsdb::SampleIterator> samples() const override { return std::make_unique<Walk>(data_); }

private:
    class Walk final : public tsdb::SampleIterator {
    public:
        explicit Walk(std::shared_ptr<const Data> data) : data_(std::move(data)) {}
        tsdb::SampleBlock next_block() override {
            if (std::exchange(done_, true)) return {};
            return {data_->samples, data_->histograms};
        }

    private:
        const std::shared_ptr<const Data> data_;
        bool done_ = false;
    };

    const tsdb::Labels labels_;
    const std::shared_ptr<const Data> data_;
};

wire::ReadMatcher to_wire(const tsdb::Matcher& matcher) {
    return {static_cast<wire::ReadMatcher::Type>(matcher.op), matcher.name, matcher.value};
}

// Samples and histograms of one series in ascending time.
PeerSeries::Data data_of(wire::WriteRequest& answer, const wire::WriteRequest::Series& series,
                         const wire::WriteRequest::Series& next) {
    std::vector<std::pair<tsdb::Sample, tsdb::HistogramPtr>> all;
    for (std::uint32_t i = series.first_sample; i < next.first_sample; ++i) {
        all.push_back({{answer.samples[i].time, answer.samples[i].value}, nullptr});
    }
    for (std::uint32_t i = series.first_histogram; i < next.first_histogram; ++i) {
        const std::int64_t time = answer.histograms[i].time;
        all.push_back({{time, tsdb::histogram_marker()}, collect::to_store(std::move(answer.histograms[i]))});
    }
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first.time < b.first.time; });
    PeerSeries::Data data;
    const bool any = next.first_histogram > series.first_histogram;
    for (auto& [sample, histogram] : all) {
        data.samples.push_back(sample);
        if (any) data.histograms.push_back(std::move(histogram));
    }
    return data;
}

Result<SeriesList> ask(const FederationPeer& peer, const std::string& request, std::size_t max_samples) {
    TRY(const std::string packed, peer.read(request));
    TRY(const std::string body, wire::decompress("snappy", packed, kMaxBody));
    wire::RemoteWriteLimits limits;
    limits.max_series = max_samples;
    limits.max_samples = max_samples;
    wire::WriteRequest answer;
    TRY_UNIT(wire::decode_read_response(body, limits, answer));
    SeriesList list;
    for (std::size_t i = 0; i < answer.series_count(); ++i) {
        TRY(const auto labels, collect::to_labels(answer.label_bytes(answer.series[i]), kMaxLabels));
        list.push_back(std::make_shared<PeerSeries>(labels.with(FederatedQuerier::kLabel, peer.name),
                                                    data_of(answer, answer.series[i], answer.series[i + 1])));
    }
    return list;
}

}  // namespace

void FederatedQuerier::leave_out(const std::string& peer, const std::string& why) const {
    MutexLock lock(mutex_);
    const bool known =
        std::any_of(left_out_.begin(), left_out_.end(), [&](const auto& one) { return one.first == peer; });
    if (!known) left_out_.emplace_back(peer, why);
}

std::vector<std::string> FederatedQuerier::warnings() const {
    MutexLock lock(mutex_);
    std::vector<std::string> texts;
    for (const auto& [peer, why] : left_out_) {
        texts.push_back("partial result: nothing of " + peer + " is in it: " + why);
    }
    return texts;
}

Result<SeriesList> FederatedQuerier::select(const std::vector<tsdb::Matcher>& matchers, std::int64_t start,
                                            std::int64_t end, std::size_t series_limit) const {
    std::vector<tsdb::CompiledMatcher> whose;
    std::vector<tsdb::Matcher> others;
    wire::ReadQuery query{start, end, {}};
    for (const tsdb::Matcher& matcher : matchers) {
        TRY(auto compiled, tsdb::CompiledMatcher::compile(matcher));
        if (matcher.name == kLabel) {
            whose.push_back(std::move(compiled));
        } else {
            others.push_back(matcher);
            query.matchers.push_back(to_wire(matcher));
        }
    }
    const auto wanted = [&whose](const std::string& name) {
        return std::all_of(whose.begin(), whose.end(), [&](const auto& matcher) { return matcher.matches(name); });
    };
    const std::string request = wire::snappy_compress(wire::encode_read_request(query));
    std::vector<Result<SeriesList>> answers(view_.peers.size(), Result<SeriesList>(SeriesList{}));
    std::vector<std::thread> asking;
    for (std::size_t i = 0; i < view_.peers.size(); ++i) {
        const FederationPeer& peer = view_.peers[i];
        if (!wanted(peer.name)) continue;
        asking.emplace_back(
            [&peer, &request, &answer = answers[i], most = view_.max_samples] { answer = ask(peer, request, most); });
    }
    auto mine = wanted(view_.name) ? local_.select(others, start, end, series_limit) : Result<SeriesList>(SeriesList{});
    for (auto& thread : asking) thread.join();
    if (!mine) return mine;
    SeriesList all;
    for (auto& series : *mine) all.push_back(std::make_shared<LocalSeries>(std::move(series), view_.name));
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (!answers[i]) {
            leave_out(view_.peers[i].name, answers[i].error().message);
            continue;
        }
        all.insert(all.end(), std::make_move_iterator(answers[i]->begin()), std::make_move_iterator(answers[i]->end()));
    }
    if (series_limit > 0 && all.size() > series_limit) {
        return Error{Errc::ResourceExhausted, "more than " + std::to_string(series_limit) + " series"};
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a->labels() < b->labels(); });
    return all;
}

Result<std::vector<std::string>> FederatedQuerier::label_names(const std::vector<tsdb::Matcher>& matchers,
                                                               std::int64_t start, std::int64_t end) const {
    return local_.label_names(matchers, start, end);
}

Result<std::vector<std::string>> FederatedQuerier::label_values(const std::string& name,
                                                                const std::vector<tsdb::Matcher>& matchers,
                                                                std::int64_t start, std::int64_t end) const {
    return local_.label_values(name, matchers, start, end);
}

}  // namespace stoker::api
