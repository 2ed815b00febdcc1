#include "collect/remote_write_sender_record.h"

#include <algorithm>
#include <unordered_map>

#include "collect/remote_write_convert.h"
#include "wire/compression.h"
#include "wire/remote_write_encoder.h"

namespace stoker::collect {
namespace {

constexpr std::size_t kMaxBody = std::size_t{128} << 20;

wire::LabelViews views(const tsdb::Labels& labels) {
    return {labels.begin(), labels.end()};
}

// Both sorted by name, as is the result.
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

using MetadataByFamily = std::unordered_map<std::string_view, const wire::WriteRequest::Metadata*>;

wire::WriteRequest::Metadata metadata_of(const wire::LabelViews& labels, const MetadataByFamily& known) {
    for (const auto& [name, value] : labels) {
        if (name != tsdb::kMetricName || known.empty()) {
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
    }
    return {};
}

// Adds series to a request, with scratch memory that is used again.
class BatchEncoder {
public:
    BatchEncoder(wire::RemoteWriteVersion version, const tsdb::Labels& external)
        : encoder_(version), with_metadata_(version == wire::RemoteWriteVersion::V2), external_(external) {}

    void add(const QueuedSeries& one) {
        look_at(one.record.get());
        if (!wire::parse_label_bytes(one.label_bytes(), labels_)) {
            return;  // The receiver that took it refused it.
        }
        add_external(external_, labels_);
        const wire::WriteRequest& request = one.record->request;
        const auto part = [](const auto& all, std::uint32_t first, std::uint32_t end) {
            return std::span(all).subspan(first, end - first);
        };
        exemplars_.clear();
        for (const auto& exemplar : part(request.exemplars, one.first().first_exemplar, one.next().first_exemplar)) {
            auto& out = exemplars_.emplace_back();
            out.value = exemplar.value;
            out.time = exemplar.time;
            if (!wire::parse_label_bytes(request.label_bytes(exemplar), out.labels)) {
                exemplars_.pop_back();
            }
        }
        encoder_.add({labels_, part(request.samples, one.first().first_sample, one.next().first_sample),
                      part(request.histograms, one.first().first_histogram, one.next().first_histogram), exemplars_,
                      metadata_of(labels_, metadata_)});
    }
    std::string finish() { return wire::snappy_compress(encoder_.finish()); }

private:
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
    const QueuedRecord* record_ = nullptr;
    MetadataByFamily metadata_;
    wire::LabelViews labels_;
    std::vector<wire::OutgoingExemplar> exemplars_;
};

}  // namespace

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
                         const tsdb::Labels& external_labels) {
    BatchEncoder encoder(version, external_labels);
    for (const QueuedSeries& one : batch) {
        encoder.add(one);
    }
    return encoder.finish();
}

}  // namespace stoker::collect
