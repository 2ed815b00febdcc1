#include "collect/send/remote_write_sender_record.h"

#include <algorithm>
#include <unordered_map>

#include "collect/push/remote_write_convert.h"
#include "wire/compression.h"
#include "wire/remote_write_encoder.h"

namespace stoker::collect {
namespace {

constexpr std::size_t kMaxBody = std::size_t{128} << 20;

wire::LabelViews views(const tsdb::Labels& labels) {
    return {labels.begin(), labels.end()};
}

wire::WriteRequest::Metadata to_wire(const std::string& family, const tsdb::MetricMetadata& known) {
    return {family, known.type, known.help, known.unit};
}

wire::WriteRequest::Metadata metadata_of(std::string_view metric, const FamilyBook& families) {
    if (const auto found = families.find(metric); found != families.end()) {
        return to_wire(found->first, found->second);
    }
    // OpenMetrics names a counter's family without the _total of its samples.
    for (const std::string_view type : {"histogram", "gaugehistogram", "summary", "counter"}) {
        std::string_view family = family_of(metric, type);
        if (type == "counter" && family.ends_with("_total")) family.remove_suffix(6);
        const auto found = families.find(family);
        if (found != families.end() && found->second.type == type) {
            return to_wire(found->first, found->second);
        }
    }
    return {};
}

using MetadataByFamily = std::unordered_map<std::string_view, const wire::WriteRequest::Metadata*>;

wire::WriteRequest::Metadata metadata_of(const wire::LabelViews& labels, const MetadataByFamily& known,
                                         const FamilyBook* families) {
    for (const auto& [name, value] : labels) {
        if (name != tsdb::kMetricName) {
            continue;
        }
        if (const auto found = known.find(value); found != known.end()) {
            return *found->second;
        }
        for (const std::string_view type : {"histogram", "gaugehistogram", "summary"}) {
            const auto found = known.find(family_of(value, type));
            if (found != known.end() && found->second->type == type) {
                return *found->second;
            }
        }
        return families == nullptr ? wire::WriteRequest::Metadata{} : metadata_of(value, *families);
    }
    return {};
}

// Adds series to a request, with scratch memory that is used again.
class BatchEncoder {
public:
    BatchEncoder(wire::RemoteWriteVersion version, const tsdb::Labels& external, const FamilyBook* families)
        : encoder_(version),
          with_metadata_(version == wire::RemoteWriteVersion::V2),
          external_(external),
          families_(with_metadata_ ? families : nullptr) {}

    void add(const QueuedSeries& one) {
        look_at(one.record.get());
        if (!wire::parse_label_bytes(one.label_bytes(), labels_) || labels_.empty()) {
            return;  // The receiver that took it refused it.
        }
        add_external(external_, labels_);
        const wire::WriteRequest& request = one.record->request;
        const auto part = [](const auto& all, std::uint32_t first, std::uint32_t end) {
            return std::span(all).subspan(first, end - first);
        };
        exemplars_.clear();
        add_exemplars(*one.record, one.series);
        for (const auto& [record, series] : one.exemplars) add_exemplars(*record, series);
        encoder_.add({labels_, part(request.samples, one.first().first_sample, one.next().first_sample),
                      part(request.histograms, one.first().first_histogram, one.next().first_histogram), exemplars_,
                      metadata_of(labels_, metadata_, families_)});
    }
    std::string finish() { return wire::snappy_compress(encoder_.finish()); }

private:
    void add_exemplars(const QueuedRecord& record, std::uint32_t series) {
        const wire::WriteRequest& request = record.request;
        const std::uint32_t end = request.series[series + 1].first_exemplar;
        for (std::uint32_t i = request.series[series].first_exemplar; i < end; ++i) {
            auto& out = exemplars_.emplace_back();
            out.value = request.exemplars[i].value;
            out.time = request.exemplars[i].time;
            const bool good =
                wire::parse_label_bytes(request.label_bytes(request.exemplars[i]), out.labels).has_value();
            if (!good || request.exemplars[i].broken) {
                exemplars_.pop_back();
            }
        }
    }
    void look_at(const QueuedRecord* record) {
        if (record == record_) {
            return;
        }
        record_ = record;
        metadata_.clear();
        for (const auto& metadata :
             with_metadata_ ? std::span(record->request.metadata) : std::span<const wire::WriteRequest::Metadata>()) {
            metadata_.emplace(metadata.family, &metadata);
        }
    }

    wire::WriteRequestEncoder encoder_;
    const bool with_metadata_;
    const tsdb::Labels& external_;
    const FamilyBook* families_;
    const QueuedRecord* record_ = nullptr;
    MetadataByFamily metadata_;
    wire::LabelViews labels_;
    std::vector<wire::OutgoingExemplar> exemplars_;
};

}  // namespace

void add_external(const tsdb::Labels& external, wire::LabelViews& labels) {
    const auto by_name = [](const auto& a, const auto& b) { return a.first < b.first; };
    std::sort(labels.begin(), labels.end(), by_name);
    const std::size_t own = labels.size();
    for (const auto& [name, value] : external) {
        const std::pair<std::string_view, std::string_view> pair(name, value);
        const auto end = labels.begin() + static_cast<std::ptrdiff_t>(own);
        if (!std::binary_search(labels.begin(), end, pair, by_name)) {
            labels.push_back(pair);
        }
    }
    std::sort(labels.begin(), labels.end(), by_name);
}

wire::WriteRequest::Metadata metadata_of(const wire::LabelViews& labels, const FamilyBook& families) {
    return metadata_of(labels, MetadataByFamily{}, &families);
}

std::string encode_record(const std::vector<tsdb::SeriesSample>& samples) {
    wire::WriteRequestEncoder encoder(wire::RemoteWriteVersion::V2);
    for (const tsdb::SeriesSample& one : samples) {
        if (one.histogram != nullptr) {
            const auto histogram = to_wire(*one.histogram, one.sample.time, one.start_time);
            encoder.add({views(one.labels), {}, std::span(&histogram, 1)});
        } else {
            const wire::WriteRequest::Sample sample{one.sample.value, one.sample.time, one.start_time};
            encoder.add({views(one.labels), std::span(&sample, 1)});
        }
    }
    return encode_record(wire::RemoteWriteVersion::V2, wire::snappy_compress(encoder.finish()));
}

std::string encode_record(const std::vector<tsdb::SeriesExemplars>& exemplars) {
    wire::WriteRequestEncoder encoder(wire::RemoteWriteVersion::V2);
    std::vector<wire::OutgoingExemplar> outgoing;
    for (const tsdb::SeriesExemplars& one : exemplars) {
        outgoing.clear();
        for (const tsdb::Exemplar& exemplar : one.exemplars) {
            outgoing.push_back({views(exemplar.labels), exemplar.value, exemplar.time});
        }
        encoder.add({.labels = views(one.series), .exemplars = outgoing});
    }
    return encode_record(wire::RemoteWriteVersion::V2, wire::snappy_compress(encoder.finish()));
}

std::string encode_metadata(std::span<const tsdb::FamilyMetadata> families) {
    wire::WriteRequestEncoder encoder(wire::RemoteWriteVersion::V1);
    for (const tsdb::FamilyMetadata& one : families) encoder.add_metadata(to_wire(one.family, one.metadata));
    return wire::snappy_compress(encoder.finish());
}

std::string encode_record(wire::RemoteWriteVersion version, std::string_view snappy_body) {
    std::string record(1, version == wire::RemoteWriteVersion::V1 ? '1' : '2');
    record += snappy_body;
    return record;
}

Result<std::shared_ptr<const QueuedRecord>> decode_record(std::uint64_t sequence, std::string_view payload) {
    if (payload.empty() || (payload[0] != '1' && payload[0] != '2')) {
        return Error{Errc::InvalidArgument, "record " + std::to_string(sequence) + ": not a remote-write message"};
    }
    const auto version = payload[0] == '1' ? wire::RemoteWriteVersion::V1 : wire::RemoteWriteVersion::V2;
    auto record = std::make_shared<QueuedRecord>();
    record->sequence = sequence;
    TRY(record->body, wire::decompress("snappy", payload.substr(1), kMaxBody));
    TRY_UNIT(wire::decode_write_request(version, record->body, {}, record->request));
    return std::shared_ptr<const QueuedRecord>(std::move(record));
}

std::string encode_batch(std::span<const QueuedSeries> batch, wire::RemoteWriteVersion version,
                         const tsdb::Labels& external_labels, const FamilyBook* families) {
    BatchEncoder encoder(version, external_labels, families);
    for (const QueuedSeries& one : batch) {
        encoder.add(one);
    }
    return encoder.finish();
}

}  // namespace stoker::collect
