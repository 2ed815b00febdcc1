// One request of remote write or OTLP out of several buffered records: a series that is in many of them is sent once,
// with all of its samples in order.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/buffer.h"
#include "collect/send/remote_write_sender_record.h"
#include "tsdb/labels.h"
#include "wire/remote_write.h"

namespace stoker::agent {

// How a destination wants it.
struct BatchFormat {
    wire::RemoteWriteVersion version = wire::RemoteWriteVersion::V2;
    bool zstd = false;                              // Instead of snappy.
    const collect::FamilyBook* families = nullptr;  // 2.0: told along with the series. OTLP: says what counts.
    const tsdb::Labels* external_labels = nullptr;  // Where a series has none of that name.
    bool otlp = false;                              // OTLP metrics in gzip instead of remote write.
};

class Batch {
public:
    // Takes the record, whole, unless a series of it went back in time since the record before (the clock was set):
    // then it belongs into the next batch, and nothing changes. A sample that is there already, with the same time and
    // value, is left out. REQUIRES: records come in order of their sequence.
    bool add(std::shared_ptr<const collect::QueuedRecord> record);

    bool empty() const { return records_.empty(); }
    std::size_t samples() const { return samples_; }
    std::size_t records() const { return records_.size(); }
    // Of the last record.
    std::uint64_t last() const { return records_.back()->sequence; }

    std::string encode(const BatchFormat& format) const;

private:
    struct Series {
        std::string_view label_bytes;
        std::vector<wire::WriteRequest::Sample> samples;
        std::vector<wire::NativeHistogram> histograms;
    };

    bool goes_back(const collect::QueuedRecord& record) const;
    std::string encode_otlp(const BatchFormat& format) const;

    Records records_;  // Series point into them.
    std::vector<Series> series_;
    std::unordered_map<std::string_view, std::size_t> by_labels_;
    std::size_t samples_ = 0;  // And histograms.
};

}  // namespace stoker::agent
