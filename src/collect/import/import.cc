#include "collect/import/import.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <memory>
#include <optional>
#include <utility>

#include "collect/import/import_source.h"
#include "collect/push/push_support.h"
#include "collect/scrape/label_limits.h"
#include "wire/exposition_lines.h"

namespace stoker::collect {
namespace {

using Lines = wire::ExpositionLines;

// Milliseconds and seconds since 1970 differ so much that one number tells them apart, from 1973 to the year 5138.
// Nothing if the line is none in either format.
std::optional<wire::ExpositionFormat> guess(std::string_view line) {
    constexpr std::int64_t kLeastMillis = 100'000'000'000;
    Lines prometheus(wire::ExpositionFormat::Prometheus);
    if (prometheus.read(line) == Lines::Kind::Sample) {
        const auto time = prometheus.sample().time_ms;
        const bool seconds = time && std::abs(static_cast<double>(*time)) < static_cast<double>(kLeastMillis);
        return seconds ? wire::ExpositionFormat::OpenMetrics : wire::ExpositionFormat::Prometheus;
    }
    // A fraction in the time, an exemplar.
    Lines openmetrics(wire::ExpositionFormat::OpenMetrics);
    if (openmetrics.read(line) == Lines::Kind::Sample) return wire::ExpositionFormat::OpenMetrics;
    return std::nullopt;
}

class Importer {
public:
    Importer(std::istream& in, tsdb::Store& store, const ImportOptions& options, const ImportWatch& watch)
        : source_(in, options.max_line_bytes), store_(store), options_(options), watch_(watch), metadata_(store) {
        if (options.format == ImportFormat::Prometheus) open(wire::ExpositionFormat::Prometheus);
        if (options.format == ImportFormat::OpenMetrics) open(wire::ExpositionFormat::OpenMetrics);
    }

    Result<ImportSummary> run() {
        std::string_view line;
        while (true) {
            TRY(const ImportSource::Next next, source_.next(line));
            if (next == ImportSource::Next::End) break;
            ++summary_.lines;
            if (next == ImportSource::Next::TooLong) {
                refuse(summary_.lines, "line_too_long",
                       "longer than " + std::to_string(options_.max_line_bytes) + " bytes");
                continue;
            }
            take(line);
            if (samples_.size() >= options_.batch_samples) TRY_UNIT(flush());
        }
        TRY_UNIT(flush());
        if (format_ == wire::ExpositionFormat::OpenMetrics && !eof_) {
            return Error{Errc::InvalidArgument,
                         "line " + std::to_string(summary_.lines) +
                             ": OpenMetrics ends with \"# EOF\", this does not: it is cut short (" +
                             std::to_string(summary_.samples) + " samples were stored, importing again does no harm)"};
        }
        return std::move(summary_);
    }

private:
    void open(wire::ExpositionFormat format) {
        format_ = format;
        lines_ = std::make_unique<Lines>(format);
    }

    void take(std::string_view line) {
        if (!lines_) {
            const std::size_t first = line.find_first_not_of(" \t\r");
            if (first == std::string_view::npos) return;
            // Comments are read as the older format has them, until a sample tells which it is.
            if (line[first] == '#') return take_with(unsure_, line);
            const auto format = guess(line);
            if (!format) return take_with(unsure_, line);
            open(*format);
        }
        take_with(*lines_, line);
    }

    void take_with(Lines& lines, std::string_view line) {
        if (eof_) {
            if (!line.empty()) refuse(summary_.lines, "bad_line", "after # EOF");
            return;
        }
        switch (lines.read(line)) {
            case Lines::Kind::Sample:
                return add(lines.sample());
            case Lines::Kind::Metadata:
                return describe(lines.metadata());
            case Lines::Kind::Bad:
                // Free comments are no reason to lose anything.
                if (line.starts_with('#')) return;
                return refuse(summary_.lines, "bad_line", lines.error());
            case Lines::Kind::Eof:
                eof_ = true;
                break;
            case Lines::Kind::Nothing:
                break;
        }
    }

    void describe(const wire::ExpositionMetadata& metadata) {
        if (described_.empty() || described_.back().family != metadata.family) {
            described_.push_back({std::string(metadata.family), {}});
        }
        auto& out = described_.back().metadata;
        if (metadata.kind == wire::ExpositionMetadata::Kind::Type) out.type = metadata.text;
        if (metadata.kind == wire::ExpositionMetadata::Kind::Help) out.help = metadata.text;
        if (metadata.kind == wire::ExpositionMetadata::Kind::Unit) out.unit = metadata.text;
        constexpr std::size_t kMost = 1000;
        if (described_.size() > kMost) metadata_.set(std::exchange(described_, {}));
    }

    void add(const wire::ExpositionSample& sample) {
        if (!sample.time_ms) return refuse(summary_.lines, "no_timestamp", "history needs timestamps");
        if (*sample.time_ms < options_.oldest_time) {
            return refuse(summary_.lines, "past_retention", "older than what is kept");
        }
        std::vector<tsdb::Labels::Pair> pairs = options_.labels;
        pairs.insert(pairs.end(), sample.labels.begin(), sample.labels.end());
        pairs.emplace_back(std::string(tsdb::kMetricName), sample.name);
        tsdb::Labels labels(std::move(pairs));
        if (auto fine = check_labels(labels, limits_); !fine) {
            return refuse(summary_.lines, "bad_labels", fine.error().message);
        }
        if (sample.exemplar != nullptr) {
            const auto& one = *sample.exemplar;
            std::vector<tsdb::Labels::Pair> marks(one.labels.begin(), one.labels.end());
            exemplars_.push_back(
                {labels, {{tsdb::Labels(std::move(marks)), one.value, one.time_ms.value_or(*sample.time_ms)}}});
        }
        samples_.push_back({std::move(labels), {*sample.time_ms, sample.value}});
        line_of_.push_back(summary_.lines);
    }

    Result<Unit> flush() {
        if (!samples_.empty()) {
            TRY(const tsdb::AppendOutcome outcome, store_.append(samples_));
            for (const tsdb::Refused& refused : outcome.refused) {
                refuse(line_of_.at(refused.index), tsdb::to_string(refused.why),
                       samples_[refused.index].labels.text() + ": " + refused.detail);
            }
            summary_.samples += outcome.accepted;
            summary_.duplicates += outcome.duplicates;
            for (const auto& sample : samples_) note_time(sample.sample.time);
        }
        if (!exemplars_.empty()) (void)store_.append_exemplars(exemplars_);
        metadata_.set(std::exchange(described_, {}));
        samples_.clear();
        line_of_.clear();
        exemplars_.clear();
        if (watch_ && !watch_({source_.bytes_read(), summary_.samples})) {
            return Error{Errc::Cancelled, "the import was stopped"};
        }
        return Unit{};
    }

    void note_time(std::int64_t time) {
        summary_.oldest_time = timed_ ? std::min(summary_.oldest_time, time) : time;
        summary_.newest_time = timed_ ? std::max(summary_.newest_time, time) : time;
        timed_ = true;
    }

    void refuse(std::uint64_t line, std::string_view reason, const std::string& why) {
        ++summary_.refused[std::string(reason)];
        if (summary_.first_problems.size() < options_.first_problems) {
            summary_.first_problems.push_back("line " + std::to_string(line) + ": " + std::string(reason) + ": " + why);
        }
    }

    ImportSource source_;
    tsdb::Store& store_;
    const ImportOptions& options_;
    const ImportWatch& watch_;
    const LabelLimits limits_{};
    MetadataFilter metadata_;
    Lines unsure_{wire::ExpositionFormat::Prometheus};
    std::unique_ptr<Lines> lines_;  // Null: which format it is has not been seen yet.
    wire::ExpositionFormat format_ = wire::ExpositionFormat::Prometheus;
    bool eof_ = false;
    std::vector<tsdb::SeriesSample> samples_;
    std::vector<std::uint64_t> line_of_;  // Of the samples.
    std::vector<tsdb::SeriesExemplars> exemplars_;
    std::vector<tsdb::FamilyMetadata> described_;
    ImportSummary summary_;
    bool timed_ = false;
};

}  // namespace

Result<ImportSummary> import_stream(std::istream& in, tsdb::Store& store, const ImportOptions& options,
                                    const ImportWatch& watch) {
    return Importer(in, store, options, watch).run();
}

Result<ImportSummary> import_file(const std::string& path, tsdb::Store& store, const ImportOptions& options,
                                  const ImportWatch& watch) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return Error{Errc::NotFound, path + " cannot be opened"};
    auto summary = import_stream(file, store, options, watch);
    if (!summary) return std::move(summary).error().context(path);
    return summary;
}

}  // namespace stoker::collect
