#include "app/pipelines.h"

#include "base/log.h"
#include "base/time.h"

namespace stoker::app {

RequestPipeline::RequestPipeline(journal::Journal& journal, api::Live& live, metrics::Registry& registry)
    : journal_(journal),
      live_(live),
      lost_(registry.counter("stoker_records_lost_total", "Request records that the journal refused.").with()) {}

// What comes between two calls of write() is written with one system call.
class RequestPipeline::Batch final : public gateway::RecordBatch {
public:
    explicit Batch(RequestPipeline& pipeline) : RecordBatch(pipeline), pipeline_(pipeline) {}
    ~Batch() override { Batch::write(); }

    void add(const records::RequestRecord& record) override {
        lines_.push_back({records::to_json(record), from_millis(record.time_ms)});
        pipeline_.show(record, lines_.back().json);
    }

    void write() override {
        if (lines_.empty()) return;
        for (const Line& line : lines_) entries_.push_back({journal::Kind::Request, line.json, line.time});
        const auto appended = pipeline_.journal_.append_all(entries_);
        if (!appended) pipeline_.count_lost(lines_.size(), appended.error());
        entries_.clear();
        lines_.clear();
    }

private:
    struct Line {
        std::string json;
        Timestamp time;
    };

    RequestPipeline& pipeline_;
    std::vector<Line> lines_;
    std::vector<journal::Entry> entries_;
};

std::unique_ptr<gateway::RecordBatch> RequestPipeline::batch() {
    return std::make_unique<Batch>(*this);
}

void RequestPipeline::on_record(const records::RequestRecord& record) {
    const std::string json = records::to_json(record);
    const auto appended = journal_.append(journal::Kind::Request, json, from_millis(record.time_ms));
    if (!appended) count_lost(1, appended.error());
    show(record, json);
}

void RequestPipeline::count_lost(std::size_t records, const Error& why) {
    lost_.add(static_cast<double>(records));
    log::error("request records lost", {{"records", records}, {"error", why.message}});
}

void RequestPipeline::show(const records::RequestRecord& record, const std::string& json) {
    if (!record.shadow.empty()) return;  // No request of anybody's.
    std::int64_t second = to_millis(now()) / 1000;
    if (second_.exchange(second) != second) shown_ = 0;
    if (shown_.fetch_add(1) < kMostLivePerSecond) live_.publish("request", json);
}

SamplePipeline::SamplePipeline(tsdb::Ingest& store, metrics::Registry& registry)
    : store_(store),
      out_of_order_(registry.counter("stoker_samples_refused_total", "Samples that the store refused.", {"reason"})
                        .with({"out_of_order"})),
      over_limit_(registry.counter("stoker_samples_refused_total", "Samples that the store refused.", {"reason"})
                      .with({"series_limit"})),
      failed_(registry.counter("stoker_samples_refused_total", "Samples that the store refused.", {"reason"})
                  .with({"store_failed"})) {}

void SamplePipeline::append(const std::vector<tsdb::SeriesSample>& samples) {
    if (samples.empty()) return;
    auto written = write(samples);
    if (!written) log::error("samples lost", {{"count", samples.size()}, {"error", written.error().message}});
}

void SamplePipeline::append_exemplars(const std::vector<tsdb::SeriesExemplars>& exemplars) {
    auto written = store_.append_exemplars(exemplars);
    if (!written) log::error("exemplars lost", {{"count", exemplars.size()}, {"error", written.error().message}});
}

void SamplePipeline::set_metadata(const std::vector<tsdb::FamilyMetadata>& metadata) {
    store_.set_metadata(metadata);
}

Result<Unit> SamplePipeline::write(const std::vector<tsdb::SeriesSample>& samples) {
    auto outcome = store_.append(samples);
    if (!outcome) {
        failed_.add(static_cast<double>(samples.size()));
        return std::move(outcome).error();
    }
    out_of_order_.add(static_cast<double>(outcome->out_of_order));
    over_limit_.add(static_cast<double>(outcome->over_limit));
    return Unit{};
}

}  // namespace stoker::app
