// One remote-write request on its way into the store, for remote_write_receiver.cc alone.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "collect/push/remote_write_receiver.h"
#include "wire/remote_write_body.h"

namespace stoker::collect {

// What was refused and why: all of it counted, the first few told.
class WriteReport {
public:
    void refuse(std::size_t items, std::string_view why, std::string detail);
    void clear();

    bool empty() const { return by_reason_.empty(); }
    const std::map<std::string, std::size_t, std::less<>>& by_reason() const { return by_reason_; }
    // "7 of 5000 samples were refused: 5 too_old, 2 invalid. up{job="a"}: too_old at 1700000000000; ..."
    std::string text(std::size_t of) const;

private:
    std::map<std::string, std::size_t, std::less<>> by_reason_;
    std::vector<std::string> details_;
};

class RemoteWriteReceiver::Job {
public:
    // Appends what `request` holds. Errors: the store's; nothing is known to be written then.
    Result<Unit> run(RemoteWriteReceiver& receiver, Timestamp now);

    wire::BodyBuffer body;
    wire::WriteRequest request;  // Points into `body`.

    const WriteReport& report() const { return report_; }
    std::size_t samples_written() const { return request.samples.size() - samples_refused_; }
    std::size_t histograms_written() const { return request.histograms.size() - histograms_refused_; }
    std::size_t exemplars_written() const { return exemplars_written_; }

private:
    void find_series(RemoteWriteReceiver& receiver, Timestamp now);
    // The series' labels, built once; null (and refused with all it has) if no series may have them.
    const tsdb::Labels* labels_of(RemoteWriteReceiver& receiver, std::size_t series);
    void fill_batch(RemoteWriteReceiver& receiver);
    void add_items(std::size_t series, const tsdb::Labels* labels);
    Result<Unit> append(RemoteWriteReceiver& receiver);
    void note(const tsdb::AppendOutcome& outcome, std::span<const std::uint32_t> origin);
    void remember(RemoteWriteReceiver& receiver, Timestamp now);
    void append_exemplars(RemoteWriteReceiver& receiver);
    void describe(RemoteWriteReceiver& receiver, Timestamp now);
    void reset();

    std::vector<SeriesCache::Key> keys_;       // By series.
    std::vector<bool> keyed_;                  // By series: whether the cache takes its key.
    std::vector<tsdb::SeriesRef> refs_;        // By series.
    std::vector<const tsdb::Labels*> labels_;  // By series; null while not needed.
    std::deque<tsdb::Labels> built_;
    std::vector<tsdb::CachedSample> batch_;
    std::vector<std::uint32_t> series_of_;  // By item of the batch.
    WriteReport report_;
    std::size_t samples_refused_ = 0;
    std::size_t histograms_refused_ = 0;
    std::size_t exemplars_written_ = 0;
};

struct RemoteWriteReceiver::Metrics {
    explicit Metrics(metrics::Registry& registry);

    metrics::Family<metrics::Counter>& requests;  // By protocol version and status.
    metrics::Family<metrics::Counter>& refused;   // By reason.
    metrics::Counter& samples;
    metrics::Counter& histograms;
    metrics::Counter& exemplars;
    metrics::Counter& new_series;
    metrics::Histogram& seconds;
};

}  // namespace stoker::collect
