#include "wire/remote_write.h"

#include "wire/prometheus_protobuf_fields.h"
#include "wire/remote_write_decoder.h"
#include "wire/remote_write_fields.h"

namespace stoker::wire {

namespace {

// One huge request must not be remembered in memory for ever.
constexpr std::size_t kKeptItems = 64 * 1024;
constexpr std::size_t kKeptBytes = std::size_t{4} << 20;

template <typename Container>
void empty(Container& container, std::size_t kept) {
    container.clear();
    if (container.capacity() > kept) {
        container.shrink_to_fit();
    }
}

void append_length(std::size_t length, std::string& out) {
    while (length >= 0x80) {
        out.push_back(static_cast<char>(length | 0x80));
        length >>= 7;
    }
    out.push_back(static_cast<char>(length));
}

std::size_t length_size(std::size_t length) {
    std::size_t bytes = 1;
    for (; length >= 0x80; length >>= 7) {
        ++bytes;
    }
    return bytes;
}

void read_labels(std::string_view bytes, LabelViews& out) {
    auto reader = reader_of(bytes);
    while (reader.next()) {
        if (!reader.has_wire_type(protozero::pbf_wire_type::length_delimited)) {
            reader.skip();
            continue;
        }
        auto& label = out.emplace_back();
        auto field = reader.get_message();
        while (field.next()) {
            switch (field.tag_and_type()) {
                case bytes_field(remote_write::kLabelName):
                    label.first = text_of(field);
                    break;
                case bytes_field(remote_write::kLabelValue):
                    label.second = text_of(field);
                    break;
                default:
                    field.skip();
            }
        }
    }
}

}  // namespace

void WriteRequest::clear() {
    empty(series, kKeptItems);
    empty(samples, kKeptItems);
    empty(histograms, kKeptItems / 16);
    empty(exemplars, kKeptItems);
    empty(metadata, kKeptItems);
    empty(symbols, kKeptItems);
    empty(copied, kKeptBytes);
    body = {};
}

Result<Unit> decode_write_request(RemoteWriteVersion version, std::string_view body, const RemoteWriteLimits& limits,
                                  WriteRequest& out) {
    out.clear();
    if (body.size() > UINT32_MAX || limits.max_copied_bytes > UINT32_MAX) {
        return Error{Errc::ResourceExhausted, "remote write: more than 4 GiB"};
    }
    out.body = body;
    return guarded("remote write", [&] {
        RemoteWriteDecoder decoder(limits, out);
        if (version == RemoteWriteVersion::V1) {
            decoder.decode_v1();
        } else {
            decoder.decode_v2();
        }
    });
}

Result<Unit> parse_label_bytes(std::string_view bytes, LabelViews& out) {
    out.clear();
    return guarded("labels", [&] { read_labels(bytes, out); });
}

void append_label(std::string_view name, std::string_view value, std::string& out) {
    const std::size_t size = 2 + length_size(name.size()) + name.size() + length_size(value.size()) + value.size();
    out.push_back('\x0a');
    append_length(size, out);
    out.push_back('\x0a');
    append_length(name.size(), out);
    out.append(name);
    out.push_back('\x12');
    append_length(value.size(), out);
    out.append(value);
}

}  // namespace stoker::wire
