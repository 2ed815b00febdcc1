// Encodes remote-write requests, 1.0 and 2.0: what remote_write.h decodes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "wire/remote_write.h"

namespace stoker::wire {

struct OutgoingExemplar {
    LabelViews labels;
    double value = 0;
    std::int64_t time = 0;
};

// Views, valid during the call. Either samples or histograms, as 2.0 demands.
struct OutgoingSeries {
    LabelViews labels;  // Sorted by name, __name__ among them.
    std::span<const WriteRequest::Sample> samples{};
    std::span<const NativeHistogram> histograms{};
    std::span<const OutgoingExemplar> exemplars{};
    WriteRequest::Metadata metadata{};  // 2.0 only; left out if it says nothing.
};

// Not thread-safe; one encoder a request.
class WriteRequestEncoder {
public:
    explicit WriteRequestEncoder(RemoteWriteVersion version);

    void add(const OutgoingSeries& series);
    // 1.0 sends metadata beside the series; in a 2.0 request this does nothing.
    void add_metadata(const WriteRequest::Metadata& metadata);

    // The message, not yet compressed. Call once, at the end.
    std::string finish();

    static std::string_view content_type(RemoteWriteVersion version);
    // Of the header X-Prometheus-Remote-Write-Version.
    static std::string_view version_header(RemoteWriteVersion version);

private:
    void add_v1(const OutgoingSeries& series);
    void add_v2(const OutgoingSeries& series);
    std::vector<std::uint32_t> references(const LabelViews& labels);
    std::uint32_t symbol(std::string_view text);

    const RemoteWriteVersion version_;
    std::string series_;
    std::vector<std::string> symbols_;
    std::unordered_map<std::string, std::uint32_t> by_text_;
};

}  // namespace stoker::wire
