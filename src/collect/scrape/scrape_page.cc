#include "collect/scrape/scrape_page.h"

#include <unordered_map>

#include "collect/push/remote_write_convert.h"
#include "wire/prometheus_protobuf.h"

namespace stoker::collect {
namespace {

class Reader {
public:
    Reader(std::int64_t now, const ScrapeLimits& limits) : now_(now), limits_(limits) {}

    Result<ScrapePage> text(std::string_view page, wire::ExpositionFormat format) {
        wire::ExpositionVisitor visitor;
        visitor.on_metadata = [this](const wire::ExpositionMetadata& metadata) { describe(metadata); };
        visitor.on_sample = [this](const wire::ExpositionSample& sample) {
            ScrapePage::Sample& out = add(sample.name, sample.labels, sample.value, sample.time_ms);
            out.start_time = sample.created_ms.value_or(0);
            if (sample.exemplar != nullptr) add_exemplar(*sample.exemplar, out);
        };
        auto read = wire::parse_exposition(page, format, visitor, {.max_samples = limits_.max_samples});
        if (!read) return std::move(read).error();
        return finish();
    }

    Result<ScrapePage> protobuf(std::string_view page) {
        wire::ProtobufVisitor visitor;
        visitor.on_family = [this](const wire::ProtobufFamily& family) {
            describe({wire::ExpositionMetadata::Kind::Type, family.name, family.type});
            describe({wire::ExpositionMetadata::Kind::Help, family.name, family.help});
            describe({wire::ExpositionMetadata::Kind::Unit, family.name, family.unit});
        };
        visitor.on_sample = [this](const wire::ProtobufSample& sample) {
            ScrapePage::Sample& out = add(sample.name, sample.labels, sample.value, sample.time_ms);
            out.start_time = sample.created_ms.value_or(0);
            if (sample.histogram != nullptr) {
                out.value = tsdb::histogram_marker();
                out.histogram = to_store(wire::NativeHistogram(*sample.histogram));
            }
            for (const auto& exemplar : sample.exemplars) add_exemplar(exemplar, out);
        };
        auto read = wire::parse_protobuf_exposition(page, visitor, wire::ClassicBuckets::OnlyWithoutNative,
                                                    {.max_samples = limits_.max_samples});
        if (!read) return std::move(read).error();
        return finish();
    }

private:
    void describe(const wire::ExpositionMetadata& metadata) {
        auto [found, fresh] = families_.try_emplace(std::string(metadata.family), page_.metadata.size());
        if (fresh) page_.metadata.push_back({std::string(metadata.family), {}});
        tsdb::MetricMetadata& out = page_.metadata[found->second].metadata;
        switch (metadata.kind) {
            case wire::ExpositionMetadata::Kind::Type:
                out.type = metadata.text == "untyped" ? "unknown" : metadata.text;
                break;
            case wire::ExpositionMetadata::Kind::Help:
                out.help = metadata.text;
                break;
            case wire::ExpositionMetadata::Kind::Unit:
                out.unit = metadata.text;
                break;
        }
    }

    ScrapePage::Sample& add(std::string_view name, const wire::LabelViews& labels, double value,
                            std::optional<std::int64_t> time) {
        check(name, labels);
        page_.samples.push_back({std::string(name), {labels.begin(), labels.end()}, value, time.value_or(now_)});
        return page_.samples.back();
    }

    template <typename Exemplar>
    void add_exemplar(const Exemplar& exemplar, ScrapePage::Sample& out) const {
        std::vector<tsdb::Labels::Pair> labels(exemplar.labels.begin(), exemplar.labels.end());
        out.exemplars.push_back({tsdb::Labels(std::move(labels)), exemplar.value, exemplar.time_ms.value_or(out.time)});
    }

    void check(std::string_view name, const wire::LabelViews& labels) {
        const LabelLimits& limits = limits_.labels;
        const auto refuse = [&](const std::string& why) {
            if (error_.empty()) error_ = std::string(name.substr(0, 200)) + ": " + why;
        };
        if (labels.size() + 1 > limits.max_labels) {
            refuse("more than " + std::to_string(limits.max_labels) + " labels");
        }
        if (name.size() > limits.max_value_bytes) refuse("the name is too long");
        for (const auto& [key, value] : labels) {
            if (key.size() > limits.max_name_bytes) {
                refuse("the label " + std::string(key.substr(0, 64)) + "... has a name longer than " +
                       std::to_string(limits.max_name_bytes) + " bytes");
            }
            if (value.size() > limits.max_value_bytes) {
                refuse("the value of " + std::string(key) + " is longer than " +
                       std::to_string(limits.max_value_bytes) + " bytes");
            }
        }
    }

    Result<ScrapePage> finish() {
        if (!error_.empty()) return Error{Errc::ResourceExhausted, error_};
        // Some engines answer 200 with something else on /metrics; taking that for an idle engine would be a lie.
        if (page_.metadata.empty() && !(limits_.untyped && !page_.samples.empty())) {
            return Error{Errc::InvalidArgument, "not a metrics page: no line with # TYPE or # HELP"};
        }
        return std::move(page_);
    }

    const std::int64_t now_;
    const ScrapeLimits& limits_;
    ScrapePage page_;
    std::unordered_map<std::string, std::size_t> families_;  // Places in page_.metadata.
    std::string error_;                                      // The first label that is too much.
};

}  // namespace

PageFormat page_format(std::string_view content_type) {
    if (wire::is_protobuf_exposition(content_type)) return PageFormat::Protobuf;
    return wire::exposition_format(content_type) == wire::ExpositionFormat::OpenMetrics ? PageFormat::OpenMetrics
                                                                                        : PageFormat::Prometheus;
}

Result<ScrapePage> read_page(std::string_view page, PageFormat format, std::int64_t now, const ScrapeLimits& limits) {
    Reader reader(now, limits);
    if (format == PageFormat::Protobuf) return reader.protobuf(page);
    return reader.text(page, format == PageFormat::OpenMetrics ? wire::ExpositionFormat::OpenMetrics
                                                               : wire::ExpositionFormat::Prometheus);
}

}  // namespace stoker::collect
