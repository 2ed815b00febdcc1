#include "wire/remote_write_decoder.h"

#include <algorithm>

#include "wire/prometheus_protobuf_fields.h"
#include "wire/remote_write_fields.h"

namespace stoker::wire {

using namespace remote_write;  // The numbers of fields.

namespace {

constexpr std::uint32_t kMaxReferences = 2 * 1024;  // Of one series: far more than anybody has labels.

template <typename T>
void check_room(const std::vector<T>& items, std::size_t most, const char* what) {
    if (items.size() >= most) {
        throw PastLimit{what};
    }
}

}  // namespace

WriteRequest::Series& RemoteWriteDecoder::begin_series() {
    check_room(out_.series, limits_.max_series, "series");
    WriteRequest::Series& one = out_.series.emplace_back();
    one.first_sample = static_cast<std::uint32_t>(out_.samples.size());
    one.first_histogram = static_cast<std::uint32_t>(out_.histograms.size());
    one.first_exemplar = static_cast<std::uint32_t>(out_.exemplars.size());
    return one;
}

void RemoteWriteDecoder::end_series() {
    if (out_.series.back().label_size > limits_.max_label_bytes) {
        throw PastLimit{"bytes in a series' labels"};
    }
}

void RemoteWriteDecoder::sample(Reader sample) {
    check_room(out_.samples, limits_.max_samples, "samples");
    WriteRequest::Sample& one = out_.samples.emplace_back();
    while (sample.next()) {
        switch (sample.tag_and_type()) {
            case fixed64_field(kSampleValue):
                one.value = sample.get_double();
                break;
            case varint_field(kSampleTimestamp):
                one.time = sample.get_int64();
                break;
            case varint_field(kSampleStartTimestamp):
                one.start_time = sample.get_int64();
                break;
            default:
                sample.skip();
        }
    }
}

void RemoteWriteDecoder::histogram(std::string_view message) {
    check_room(out_.histograms, limits_.max_histograms, "histograms");
    if (auto decoded = decode_histogram(message, buckets_left_, out_.histograms.emplace_back()); !decoded) {
        if (decoded.error().code == Errc::ResourceExhausted) {
            throw PastLimit{"histogram buckets"};
        }
        throw Malformed{"a broken histogram"};
    }
}

void RemoteWriteDecoder::decode_v1() {
    Reader request = reader_of(out_.body);
    while (request.next()) {
        switch (request.tag_and_type()) {
            case bytes_field(v1::kTimeSeries):
                series_v1(request.get_message());
                break;
            case bytes_field(v1::kMetadata):
                metadata_v1(request.get_message());
                break;
            default:
                request.skip();
        }
    }
    begin_series();  // The sentinel.
}

void RemoteWriteDecoder::series_v1(Reader series) {
    const Reader whole = series;
    WriteRequest::Series& one = begin_series();
    // Labels come one after another, so that one range covers them; who scatters them pays for a copy.
    const char* start = nullptr;
    const char* end = nullptr;
    bool scattered = false;
    for (const char* before = series.data().data(); series.next(); before = series.data().data()) {
        switch (series.tag_and_type()) {
            case bytes_field(v1::kLabels):
                series.skip();
                scattered = scattered || (start != nullptr && end != before);
                start = start == nullptr ? before : start;
                end = series.data().data();
                break;
            case bytes_field(v1::kSamples):
                sample(series.get_message());
                break;
            case bytes_field(v1::kExemplars):
                exemplar_v1(series.get_message());
                break;
            case bytes_field(v1::kHistograms):
                histogram(text_of(series));
                break;
            default:
                series.skip();
        }
    }
    if (scattered) {
        gather_labels_v1(whole, one);
    } else if (start != nullptr) {
        one.label_offset = static_cast<std::uint32_t>(start - out_.body.data());
        one.label_size = static_cast<std::uint32_t>(end - start);
    }
    end_series();
}

void RemoteWriteDecoder::gather_labels_v1(Reader series, WriteRequest::Series& one) {
    one.copied = true;
    one.label_offset = copied_size();
    for (const char* before = series.data().data(); series.next(); before = series.data().data()) {
        const bool is_label = series.tag_and_type() == bytes_field(v1::kLabels);
        series.skip();
        if (is_label) {
            out_.copied.append(before, series.data().data());
        }
    }
    one.label_size = copied_size() - one.label_offset;
}

void RemoteWriteDecoder::exemplar_v1(Reader exemplar) {
    check_room(out_.exemplars, limits_.max_exemplars, "exemplars");
    WriteRequest::Exemplar& one = out_.exemplars.emplace_back();
    one.label_offset = copied_size();
    for (const char* before = exemplar.data().data(); exemplar.next(); before = exemplar.data().data()) {
        switch (exemplar.tag_and_type()) {
            case bytes_field(v1::kExemplarLabels):
                exemplar.skip();
                out_.copied.append(before, exemplar.data().data());
                break;
            case fixed64_field(v1::kExemplarValue):
                one.value = exemplar.get_double();
                break;
            case varint_field(v1::kExemplarTimestamp):
                one.time = exemplar.get_int64();
                break;
            default:
                exemplar.skip();
        }
    }
    one.label_size = copied_size() - one.label_offset;
}

void RemoteWriteDecoder::metadata_v1(Reader metadata) {
    check_room(out_.metadata, limits_.max_metadata, "metadata");
    WriteRequest::Metadata& one = out_.metadata.emplace_back();
    one.type = type_name(0);
    while (metadata.next()) {
        switch (metadata.tag_and_type()) {
            case varint_field(v1::kMetadataType):
                one.type = type_name(metadata.get_enum());
                break;
            case bytes_field(v1::kMetadataFamily):
                one.family = text_of(metadata);
                break;
            case bytes_field(v1::kMetadataHelp):
                one.help = text_of(metadata);
                break;
            case bytes_field(v1::kMetadataUnit):
                one.unit = text_of(metadata);
                break;
            default:
                metadata.skip();
        }
    }
}

void RemoteWriteDecoder::decode_v2() {
    symbols_v2();
    Reader request = reader_of(out_.body);
    while (request.next()) {
        if (request.tag_and_type() == bytes_field(v2::kTimeSeries)) {
            series_v2(request.get_message());
        } else {
            request.skip();
        }
    }
    begin_series();  // The sentinel.
}

void RemoteWriteDecoder::symbols_v2() {
    // A walk of their own: nothing promises that they stand before the series that mean them.
    Reader request = reader_of(out_.body);
    while (request.next()) {
        if (request.tag_and_type() == bytes_field(v2::kSymbols)) {
            check_room(out_.symbols, limits_.max_symbols, "symbols");
            out_.symbols.push_back(text_of(request));
        } else {
            request.skip();
        }
    }
    if (!out_.symbols.empty() && !out_.symbols.front().empty()) {
        throw Malformed{"the first symbol is not the empty one"};
    }
    described_.assign(out_.symbols.size(), false);
}

std::string_view RemoteWriteDecoder::symbol(std::uint32_t reference) const {
    return reference < out_.symbols.size() ? out_.symbols[reference] : std::string_view();
}

void RemoteWriteDecoder::references(Reader& list) {
    const auto add = [this](std::uint32_t reference) {
        check_room(references_, kMaxReferences, "labels in a series");
        references_.push_back(reference);
    };
    if (list.has_wire_type(protozero::pbf_wire_type::varint)) {
        add(list.get_uint32());
        return;
    }
    for (const std::uint32_t reference : list.get_packed_uint32()) {
        add(reference);
    }
}

bool RemoteWriteDecoder::references_hold() const {
    return references_.size() % 2 == 0 && std::all_of(references_.begin(), references_.end(),
                                                      [this](std::uint32_t one) { return one < out_.symbols.size(); });
}

std::uint32_t RemoteWriteDecoder::copy_labels() {
    const std::uint32_t start = copied_size();
    for (std::size_t i = 0; i < references_.size(); i += 2) {
        const std::string_view name = symbol(references_[i]);
        const std::string_view value = symbol(references_[i + 1]);
        // Short messages can mean long symbols many times over.
        if (out_.copied.size() + name.size() + value.size() > limits_.max_copied_bytes) {
            throw PastLimit{"bytes of labels"};
        }
        append_label(name, value, out_.copied);
    }
    return copied_size() - start;
}

void RemoteWriteDecoder::series_v2(Reader series) {
    WriteRequest::Series& one = begin_series();
    std::string_view metadata;
    std::int64_t created = 0;
    references_.clear();
    const Reader whole = series;
    while (series.next()) {
        switch (series.tag_and_type()) {
            case bytes_field(v2::kLabelsRefs):
            case varint_field(v2::kLabelsRefs):
                references(series);
                break;
            case bytes_field(v2::kSamples):
                sample(series.get_message());
                break;
            case bytes_field(v2::kHistograms):
                histogram(text_of(series));
                break;
            case bytes_field(v2::kMetadata):
                metadata = text_of(series);
                break;
            case varint_field(v2::kCreatedTimestamp):
                created = series.get_int64();
                break;
            default:
                series.skip();
        }
    }
    one.copied = true;
    one.label_offset = copied_size();
    one.broken = !references_hold();
    one.label_size = one.broken ? 0 : copy_labels();
    end_series();
    if (!metadata.empty() && !one.broken) {
        metadata_v2(reader_of(metadata));
    }
    for (std::size_t i = one.first_sample; created != 0 && i < out_.samples.size(); ++i) {
        auto& start = out_.samples[i].start_time;
        start = start == 0 ? created : start;
    }
    for (std::size_t i = one.first_histogram; created != 0 && i < out_.histograms.size(); ++i) {
        auto& start = out_.histograms[i].start_time;
        start = start == 0 ? created : start;
    }
    // Last: exemplars have references of their own.
    for (Reader again = whole; again.next();) {
        if (again.tag_and_type() == bytes_field(v2::kExemplars)) {
            exemplar_v2(again.get_message());
        } else {
            again.skip();
        }
    }
}

void RemoteWriteDecoder::exemplar_v2(Reader exemplar) {
    check_room(out_.exemplars, limits_.max_exemplars, "exemplars");
    WriteRequest::Exemplar& one = out_.exemplars.emplace_back();
    references_.clear();
    while (exemplar.next()) {
        switch (exemplar.tag_and_type()) {
            case bytes_field(v2::kExemplarLabelsRefs):
            case varint_field(v2::kExemplarLabelsRefs):
                references(exemplar);
                break;
            case fixed64_field(v2::kExemplarValue):
                one.value = exemplar.get_double();
                break;
            case varint_field(v2::kExemplarTimestamp):
                one.time = exemplar.get_int64();
                break;
            default:
                exemplar.skip();
        }
    }
    one.label_offset = copied_size();
    one.broken = !references_hold();
    one.label_size = one.broken ? 0 : copy_labels();
}

void RemoteWriteDecoder::metadata_v2(Reader metadata) {
    WriteRequest::Metadata one;
    one.type = type_name(0);
    while (metadata.next()) {
        switch (metadata.tag_and_type()) {
            case varint_field(v2::kMetadataType):
                one.type = type_name(metadata.get_enum());
                break;
            case varint_field(v2::kMetadataHelpRef):
                one.help = symbol(metadata.get_uint32());
                break;
            case varint_field(v2::kMetadataUnitRef):
                one.unit = symbol(metadata.get_uint32());
                break;
            default:
                metadata.skip();
        }
    }
    if (one.type == type_name(0) && one.help.empty() && one.unit.empty()) {
        return;
    }
    for (std::size_t i = 0; i + 1 < references_.size(); i += 2) {
        if (symbol(references_[i]) != "__name__") {
            continue;
        }
        // All series of a metric say the same: one of them is enough.
        const std::uint32_t name = references_[i + 1];
        if (!described_[name]) {
            described_[name] = true;
            one.family = symbol(name);
            check_room(out_.metadata, limits_.max_metadata, "metadata");
            out_.metadata.push_back(one);
        }
        return;
    }
}

}  // namespace stoker::wire
