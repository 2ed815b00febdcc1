#include "wire/remote_write_encoder.h"

#include <protozero/pbf_writer.hpp>

#include "wire/remote_write_fields.h"

namespace stoker::wire {
namespace {

using protozero::pbf_writer;

void write_text(pbf_writer& message, std::uint32_t field, std::string_view text) {
    message.add_string(field, text.data(), text.size());
}

void write_labels(pbf_writer& message, std::uint32_t field, const LabelViews& labels) {
    for (const auto& [name, value] : labels) {
        pbf_writer label(message, field);
        write_text(label, remote_write::kLabelName, name);
        write_text(label, remote_write::kLabelValue, value);
    }
}

void write_sample(pbf_writer& series, std::uint32_t field, const WriteRequest::Sample& sample, bool with_start) {
    pbf_writer message(series, field);
    message.add_double(remote_write::kSampleValue, sample.value);
    message.add_int64(remote_write::kSampleTimestamp, sample.time);
    if (with_start && sample.start_time != 0) {
        message.add_int64(remote_write::kSampleStartTimestamp, sample.start_time);
    }
}

void write_histogram(pbf_writer& series, std::uint32_t field, const NativeHistogram& histogram) {
    std::string message;
    encode_histogram(histogram, message);
    write_text(series, field, message);
}

}  // namespace

WriteRequestEncoder::WriteRequestEncoder(RemoteWriteVersion version) : version_(version) {
    symbol("");  // The first must be the empty one.
}

void WriteRequestEncoder::add(const OutgoingSeries& series) {
    if (version_ == RemoteWriteVersion::V1) {
        add_v1(series);
    } else {
        add_v2(series);
    }
}

void WriteRequestEncoder::add_v1(const OutgoingSeries& series) {
    namespace v1 = remote_write::v1;
    pbf_writer request(series_);
    pbf_writer message(request, v1::kTimeSeries);
    write_labels(message, v1::kLabels, series.labels);
    for (const auto& sample : series.samples) {
        write_sample(message, v1::kSamples, sample, false);
    }
    for (const auto& exemplar : series.exemplars) {
        pbf_writer one(message, v1::kExemplars);
        write_labels(one, v1::kExemplarLabels, exemplar.labels);
        one.add_double(v1::kExemplarValue, exemplar.value);
        one.add_int64(v1::kExemplarTimestamp, exemplar.time);
    }
    for (const auto& histogram : series.histograms) {
        write_histogram(message, v1::kHistograms, histogram);
    }
}

void WriteRequestEncoder::add_v2(const OutgoingSeries& series) {
    namespace v2 = remote_write::v2;
    pbf_writer request(series_);
    pbf_writer message(request, v2::kTimeSeries);
    const auto refs = references(series.labels);
    message.add_packed_uint32(v2::kLabelsRefs, refs.begin(), refs.end());
    for (const auto& sample : series.samples) {
        write_sample(message, v2::kSamples, sample, true);
    }
    for (const auto& histogram : series.histograms) {
        write_histogram(message, v2::kHistograms, histogram);
    }
    for (const auto& exemplar : series.exemplars) {
        pbf_writer one(message, v2::kExemplars);
        const auto own = references(exemplar.labels);
        one.add_packed_uint32(v2::kExemplarLabelsRefs, own.begin(), own.end());
        one.add_double(v2::kExemplarValue, exemplar.value);
        one.add_int64(v2::kExemplarTimestamp, exemplar.time);
    }
    const auto& metadata = series.metadata;
    if (!metadata.type.empty() || !metadata.help.empty() || !metadata.unit.empty()) {
        pbf_writer one(message, v2::kMetadata);
        one.add_enum(v2::kMetadataType, remote_write::type_number(metadata.type));
        one.add_uint32(v2::kMetadataHelpRef, symbol(metadata.help));
        one.add_uint32(v2::kMetadataUnitRef, symbol(metadata.unit));
    }
}

void WriteRequestEncoder::add_metadata(const WriteRequest::Metadata& metadata) {
    namespace v1 = remote_write::v1;
    if (version_ != RemoteWriteVersion::V1) {
        return;
    }
    pbf_writer request(series_);
    pbf_writer message(request, v1::kMetadata);
    message.add_enum(v1::kMetadataType, remote_write::type_number(metadata.type));
    write_text(message, v1::kMetadataFamily, metadata.family);
    write_text(message, v1::kMetadataHelp, metadata.help);
    write_text(message, v1::kMetadataUnit, metadata.unit);
}

std::vector<std::uint32_t> WriteRequestEncoder::references(const LabelViews& labels) {
    std::vector<std::uint32_t> refs;
    refs.reserve(2 * labels.size());
    for (const auto& [name, value] : labels) {
        refs.push_back(symbol(name));
        refs.push_back(symbol(value));
    }
    return refs;
}

std::uint32_t WriteRequestEncoder::symbol(std::string_view text) {
    const auto [found, is_new] = by_text_.try_emplace(std::string(text), static_cast<std::uint32_t>(symbols_.size()));
    if (is_new) {
        symbols_.emplace_back(text);
    }
    return found->second;
}

std::string WriteRequestEncoder::finish() {
    if (version_ == RemoteWriteVersion::V1) {
        return std::move(series_);
    }
    std::string message;
    pbf_writer request(message);
    for (const std::string& text : symbols_) {
        request.add_string(remote_write::v2::kSymbols, text);
    }
    return message + series_;
}

std::string_view WriteRequestEncoder::content_type(RemoteWriteVersion version) {
    return version == RemoteWriteVersion::V1 ? "application/x-protobuf"
                                             : "application/x-protobuf;proto=io.prometheus.write.v2.Request";
}

std::string_view WriteRequestEncoder::version_header(RemoteWriteVersion version) {
    return version == RemoteWriteVersion::V1 ? "0.1.0" : "2.0.0";
}

}  // namespace stoker::wire
