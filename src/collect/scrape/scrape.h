// One target's metrics from scrape to scrape: keeps the engine's own names, adds the target's labels and the canonical
// names, and ends series that are gone with a staleness marker.
//
// Either a scrape's samples all go in, or none: a body that breaks off is a failed scrape. Sans-I/O; not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "collect/engine/canonical.h"
#include "collect/engine/identify.h"
#include "collect/engine/inspector.h"
#include "collect/sample_sink.h"
#include "collect/scrape/scrape_page.h"
#include "tsdb/store.h"

namespace stoker::collect {

class Relabeler;

// What one scrape has for the sink.
struct Scraped {
    std::vector<tsdb::SeriesSample> samples;
    std::vector<tsdb::SeriesExemplars> exemplars;
    std::vector<tsdb::FamilyMetadata> metadata;  // New, or changed since the scrape before.
};

// What a scrape tells of itself beside `up`, its duration and its samples.
enum class OwnSeries : std::uint8_t {
    Engine,     // llm_engine_up.
    Prometheus  // What Prometheus has: samples after relabelling, new series; llm_engine_up once it was an engine's
                // page.
};

// Whether a page is believed, where it says what the scraper would say otherwise.
struct ScrapeRules {
    bool honor_labels = false;     // A label of the page wins over the target's own of that name, empty ones too.
    bool honor_timestamps = true;  // A sample's time is the page's, if it has one.
    std::shared_ptr<const Relabeler> relabel{};  // What happens to the page's samples; may be null.
    std::size_t sample_limit = 0;                // Of samples after that; 0: none but the page's.
    OwnSeries own = OwnSeries::Engine;
};

class Scrape {
public:
    // `target` are the labels of everything from there: job, instance, engine, pool, replica. A label of the exposition
    // with the same name is kept as exported_NAME, unless it is honored.
    explicit Scrape(SampleBatch::Pairs target, ScrapeLimits limits = {}, ScrapeRules rules = {});

    // Changes the target's labels: the series under the old ones end with the next scrape.
    void set_target(SampleBatch::Pairs target);

    // What is scraped, and how its metrics become canonical ones; until told, by the names on its page.
    // `adapter` is its kind's, null if there is none.
    void set_engine(std::shared_ptr<const CanonicalPlan> plan, const Adapter* adapter, EngineIdentity identity);

    // What looks wrong with its numbers; each finding is a sample of `stoker_engine_finding`, too.
    Inspector& inspector() { return inspector_; }

    // A page was fetched. Appends its samples, up=1, the scrape's own metrics and staleness markers; returns the number
    // of samples on the page. Errors: InvalidArgument (not a metrics page), ResourceExhausted (too many samples or
    // labels); then nothing is appended and failed() is to follow.
    // `gateway` is what the gateway counts of this engine.
    Result<std::size_t> scraped(std::string_view page, PageFormat format, Timestamp now, ElapsedTime took, Scraped& out,
                                std::optional<GatewayCount> gateway = {});

    // Somebody answered who has no metrics to show (Ollama): up, without samples.
    void answered(Timestamp now, ElapsedTime took, std::vector<tsdb::SeriesSample>& out);

    // No page. `answered`: somebody is there, but shows no metrics (an engine with metrics switched off is up).
    void failed(bool answered, Timestamp now, ElapsedTime took, std::vector<tsdb::SeriesSample>& out);

    // The target is gone: ends all its series.
    void ended(Timestamp now, std::vector<tsdb::SeriesSample>& out);

private:
    struct Known {
        tsdb::Labels labels;
        std::uint64_t first = 0;  // The first round, and the last.
        std::uint64_t seen = 0;
        std::size_t exemplar = 0;  // Hash of the newest that was passed on: pages repeat it until there is another.
    };

    // `labels` without the target's.
    void append(std::string_view name, SampleBatch::Pairs labels, double value, std::int64_t time,
                std::vector<tsdb::SeriesSample>& out);
    struct Counts {
        std::size_t samples = 0;
        std::size_t kept = 0;  // After relabelling.
        std::size_t added = 0;
    };
    void append_own(bool up, bool engine_up, ElapsedTime took, Counts counts, std::int64_t time,
                    std::vector<tsdb::SeriesSample>& out);
    Result<Counts> append_page(std::vector<ScrapePage::Sample> samples, std::int64_t time, Scraped& out);
    // What this round brought is not there.
    void forget_round();
    std::vector<Canonical::Value> canonical_values(const ScrapePage& page) const;
    void append_findings(std::int64_t time, std::vector<tsdb::SeriesSample>& out);
    void append_identity(std::int64_t time, std::vector<tsdb::SeriesSample>& out);
    void end_unseen(std::int64_t time, std::vector<tsdb::SeriesSample>& out);
    void describe(std::vector<tsdb::FamilyMetadata> page, std::vector<tsdb::FamilyMetadata>& out);
    enum class From : std::uint8_t { Page, Scraper };
    // Without labels if relabelling drops it.
    Known& series_of(std::string_view name, SampleBatch::Pairs labels, From from);
    tsdb::Labels relabelled(SampleBatch::Pairs labels) const;

    SampleBatch::Pairs target_;
    const ScrapeLimits limits_;
    const ScrapeRules rules_;
    std::shared_ptr<const CanonicalPlan> plan_;
    EngineIdentity identity_;
    Inspector inspector_;
    std::unordered_map<std::string, Known> known_;            // By name and labels as they came.
    std::unordered_map<std::string, std::size_t> described_;  // Hash of each family's metadata.
    std::uint64_t round_ = 0;
    bool engine_ = false;  // A page had canonical names.
};

}  // namespace stoker::collect
