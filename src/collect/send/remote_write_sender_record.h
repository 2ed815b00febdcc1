// What the remote-write sender keeps in its journal, and what it makes of it.
//
// A record is one byte for the protocol ('1' or '2') and a remote-write message of that protocol, snappy-compressed: a
// batch of our own as 2.0, what came by remote write just as it came.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "tsdb/labels.h"
#include "tsdb/store.h"
#include "wire/remote_write.h"

namespace stoker::collect {

// A record read back; kept as long as a part of it is unsent, since the message's views point into its body.
struct QueuedRecord {
    std::uint64_t sequence = 0;
    std::string body;
    wire::WriteRequest request;
};

// One series of a record with all it has there: the unit that is batched, sent and counted.
struct QueuedSeries {
    std::shared_ptr<const QueuedRecord> record;
    std::uint32_t series = 0;
    std::vector<std::pair<std::shared_ptr<const QueuedRecord>, std::uint32_t>> exemplars{};  // Attached, see attach().

    const wire::WriteRequest::Series& first() const { return record->request.series[series]; }
    const wire::WriteRequest::Series& next() const { return record->request.series[series + 1]; }
    // Samples and histograms.
    std::size_t items() const {
        return next().first_sample - first().first_sample + next().first_histogram - first().first_histogram;
    }
    std::string_view label_bytes() const { return record->request.label_bytes(first()); }
};

std::string encode_record(const std::vector<tsdb::SeriesSample>& samples);
std::string encode_record(const std::vector<tsdb::SeriesExemplars>& exemplars);
std::string encode_record(wire::RemoteWriteVersion version, std::string_view snappy_body);

// Errors: InvalidArgument, ResourceExhausted.
Result<std::shared_ptr<const QueuedRecord>> decode_record(std::uint64_t sequence, std::string_view payload);

// By family, transparent for lookups by a part of a metric's name.
using FamilyBook = std::map<std::string, tsdb::MetricMetadata, std::less<>>;

// Adds those of `external` that `labels` has none of; the result is sorted by name. Its views point into both.
void add_external(const tsdb::Labels& external, wire::LabelViews& labels);
// What `families` says of the series with these labels; empty if nothing. Its views point into `families`.
wire::WriteRequest::Metadata metadata_of(const wire::LabelViews& labels, const FamilyBook& families);

// The request that sends these series, compressed. External labels are added where a series has none of that name.
// A series' metadata is that of its own record, else that of `families`, which may be null. Sent by 1.0, start times
// and metadata stay behind.
std::string encode_batch(std::span<const QueuedSeries> batch, wire::RemoteWriteVersion version,
                         const tsdb::Labels& external_labels, const FamilyBook* families = nullptr);

// A request of 1.0 that tells of families and has no series, compressed.
std::string encode_metadata(std::span<const tsdb::FamilyMetadata> families);

}  // namespace stoker::collect
