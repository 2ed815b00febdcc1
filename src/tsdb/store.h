// The metrics store: an in-memory head of compressed chunks over a write-ahead log, RocksDB beneath.
// Format: docs/format/tsdb.md.
//
// A batch that append() acknowledged survives SIGKILL; with Durability::Fsync, power loss. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "tsdb/labels.h"
#include "tsdb/querier.h"

namespace stoker::tsdb {

enum class Durability : std::uint8_t { Process, Fsync };

struct StoreOptions {
    Duration retention{15LL * 24 * 3600 * 1000};
    std::uint64_t retention_bytes = 0;  // On disk; past it the oldest days go first. 0: no such limit.
    Duration rollup_retention{400LL * 24 * 3600 * 1000};  // Of 5-minute and 1-hour rollups. 0: none are made.
    Duration out_of_order_window{10LL * 60 * 1000};       // How far behind its series' newest a sample may be.
    Duration future_window{10LL * 60 * 1000};  // How far ahead of now; needs `now` of the append. 0: no limit.
    Durability durability = Durability::Process;
    std::size_t max_series = 5'000'000;                     // Past it, samples of new series are refused and counted.
    std::size_t max_series_per_target = 0;                  // Of one (job, instance). 0: no limit.
    std::size_t max_series_per_tenant = 0;                  // Of one value of the label `tenant`. 0: no limit.
    std::size_t max_exemplars = 100'000;                    // Kept in all; the oldest go first.
    std::size_t block_cache_bytes = std::size_t{8} << 20;   // RocksDB's, for chunks that queries read.
    std::size_t write_buffer_bytes = std::size_t{8} << 20;  // RocksDB's memtables in all.
    std::size_t checkpoint_bytes = std::size_t{64} << 20;   // A log this long makes maintain() write a checkpoint.
    Duration checkpoint_interval{10LL * 60 * 1000};         // So does this long without one.
    class Faults* faults = nullptr;                         // Tests make files fail with it (tsdb/faults.h).
};

struct SeriesSample {
    Labels labels;
    Sample sample;
    HistogramPtr histogram = {};  // Not null: the sample is this, and sample.value is not looked at.
    std::int64_t start_time = 0;  // When the counter began, if known: a zero is stored there (docs/format/tsdb.md).
};

// Names a series of one Store for as long as it lives there; 0 is none.
using SeriesRef = std::uint64_t;

// A sample from a caller who sends the same series again and again (a scraper): with a ref, the labels are not looked
// at and may be null; if the series has gone meanwhile, the item is then in AppendOutcome::gone, to be sent again with
// its labels.
struct CachedSample {
    const Labels* labels = nullptr;
    Sample sample;
    SeriesRef ref = 0;  // In: 0, or what an earlier append_cached() left here. Out: the series' ref now; 0 if refused.
    HistogramPtr histogram = {};
    std::int64_t start_time = 0;
};

// Why an item was not stored.
enum class Refusal : std::uint8_t {
    Conflict,   // The series has another value at that time.
    TooOld,     // Before the out-of-order window, or before retention.
    TooNew,     // Past the future window.
    OverLimit,  // A new series past one of the limits on series.
    Invalid,    // Not a histogram, or no labels.
};
std::string_view to_string(Refusal refusal);

struct Refused {
    std::size_t index = 0;  // In the batch.
    Refusal why = Refusal::Invalid;
    std::string detail;  // For OverLimit and Invalid: which limit with which labels; what is wrong.
};

// What became of a batch: one bad item never spoils the rest.
struct AppendOutcome {
    std::size_t accepted = 0;
    std::size_t duplicates = 0;     // Same time, same value: nothing to do, and no fault of the sender's.
    std::size_t out_of_order = 0;   // Refused as Conflict or TooOld.
    std::size_t over_limit = 0;     // Refused as OverLimit.
    std::size_t invalid = 0;        // Refused as Invalid or TooNew.
    std::vector<Refused> refused;   // All of them, by index.
    std::vector<std::size_t> gone;  // Refs without labels whose series is no more; ref is 0 now. Not stored.
};

// A sample's link to a trace, say: {trace_id="..."} with the value that was observed.
struct Exemplar {
    Labels labels;
    double value = 0;
    std::int64_t time = 0;
    friend bool operator==(const Exemplar&, const Exemplar&) = default;
};
struct SeriesExemplars {
    Labels series;
    std::vector<Exemplar> exemplars;  // Ascending by time.
};

// What TYPE, HELP and UNIT say of a metric family.
struct MetricMetadata {
    std::string type;  // "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset", "unknown".
    std::string help;
    std::string unit;
    friend bool operator==(const MetricMetadata&, const MetricMetadata&) = default;
};
struct FamilyMetadata {
    std::string family;
    MetricMetadata metadata;
};

struct StoreStats {
    std::size_t series = 0;
    std::uint64_t samples_appended = 0;
    std::uint64_t bytes_on_disk = 0;
    std::int64_t oldest_time = 0;
    std::int64_t newest_time = 0;
    std::size_t head_chunks = 0;
    std::size_t label_pairs = 0;
};

// A name and how much there is of it.
struct Counted {
    std::string name;
    std::uint64_t count = 0;
};

// Where the series are: what /api/v1/status/tsdb shows, each list longest first.
struct Cardinality {
    std::vector<Counted> series_by_metric;
    std::vector<Counted> values_by_label;
    std::vector<Counted> bytes_by_label;
    std::vector<Counted> series_by_pair;  // name=value
};

// What was found unreadable. The rest goes on being served; health() names the first of these.
struct Damage {
    std::string where;  // File or key.
    std::string what;
    std::int64_t time = 0;  // When it was found.
};

// What takes samples: a store, or something in front of one. Thread-safe.
class Ingest {
public:
    virtual ~Ingest() = default;

    // Errors: Unavailable after a failed write (the store is read-only from then on; see health()). If there was no
    // space, maintain() tries again, and the store takes samples once there is.
    virtual Result<AppendOutcome> append(const std::vector<SeriesSample>& batch) = 0;

    // Exemplars of series that exist; of one series only newer ones are taken, the same again is no fault. Returns how
    // many were taken: all but those older than their series' newest, and those of no series. Kept in memory and in the
    // log, so they outlive a restart as samples do.
    virtual Result<std::size_t> append_exemplars(const std::vector<SeriesExemplars>& batch) = 0;

    // The newest metadata of each family wins. Durable at the next checkpoint.
    virtual void set_metadata(const std::vector<FamilyMetadata>& batch) = 0;
};

class Store : public Querier, public Ingest {
public:
    static Result<std::unique_ptr<Store>> open(const std::string& directory, StoreOptions options,
                                               metrics::Registry& registry);

    // The same, for callers that keep refs. A ref whose series has gone meanwhile is looked up again by its labels.
    // REQUIRES: each `labels` points to the labels of that series.
    virtual Result<AppendOutcome> append_cached(std::vector<CachedSample>& batch) = 0;

    // Background work: seal chunks, move them to RocksDB, trim the log, drop what is past retention. Called every few
    // seconds by app; may take long, never blocks append() for more than milliseconds. `age_now` is the time by which
    // samples are past retention: it may lag behind `now` where that is doubted (base/retention_clock.h).
    virtual Result<Unit> maintain(Timestamp now, Timestamp age_now) = 0;
    Result<Unit> maintain(Timestamp now) { return maintain(now, now); }

    // For a graceful stop: seals what is open, so that it lies on disk in its compact form, and trims the log. Stops
    // sealing once `limit` has passed; what is open then stays so, as safe as before. Appends may go on meanwhile.
    virtual Result<Unit> settle(Timestamp /*now*/, Duration /*limit*/) { return Unit{}; }

    // Of series that match any of the selectors, in [start, end].
    virtual Result<std::vector<SeriesExemplars>> exemplars(const std::vector<std::vector<Matcher>>& selectors,
                                                           std::int64_t start, std::int64_t end) const = 0;

    // All, or that of one family; ascending by family.
    virtual std::vector<FamilyMetadata> metadata(const std::string& family) const = 0;

    // Samples in [start, end] of matching series are no longer shown from now on, across restarts too; their bytes go
    // with clean_tombstones(), or with retention. Returns the number of series touched.
    virtual Result<std::size_t> delete_series(const std::vector<Matcher>& matchers, std::int64_t start,
                                              std::int64_t end) = 0;
    virtual Result<Unit> clean_tombstones() = 0;

    // A copy that open() can open, with everything acknowledged before the call, made while the store runs (hard links
    // where it can). REQUIRES: `directory` does not exist. On failure nothing is left there.
    virtual Result<Unit> snapshot(const std::string& directory) = 0;

    // At most `most` entries a list.
    virtual Cardinality cardinality(const std::vector<Matcher>& matchers, std::size_t most) const = 0;
    virtual std::vector<Damage> damage() const = 0;

    virtual StoreStats stats() const = 0;
    virtual Result<Unit> health() const = 0;
};

}  // namespace stoker::tsdb
