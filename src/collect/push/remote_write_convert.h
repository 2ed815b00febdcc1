// Between remote write's messages and the store's types.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "tsdb/histogram.h"
#include "tsdb/labels.h"
#include "wire/prometheus_protobuf_histogram.h"
#include "wire/remote_write.h"

namespace stoker::collect {

// Leaves `histogram` without its buckets. Not validated: the store does that.
tsdb::HistogramPtr to_store(wire::NativeHistogram&& histogram);
wire::NativeHistogram to_wire(const tsdb::Histogram& histogram, std::int64_t time, std::int64_t start_time = 0);

// The labels that `bytes` (of WriteRequest::label_bytes) encode, if a series may have them; labels without a value are
// left out. Errors: InvalidArgument with the reason: no metric name, a name twice or empty, not UTF-8, too many.
Result<tsdb::Labels> to_labels(std::string_view bytes, std::size_t max_labels);
// Of an exemplar: the same, but any number and no metric name.
Result<tsdb::Labels> to_exemplar_labels(std::string_view bytes, std::size_t max_labels);

// The family that a metric belongs to: without the suffixes that its type adds ("x_bucket" of a histogram is "x").
std::string_view family_of(std::string_view metric, std::string_view type);

}  // namespace stoker::collect
