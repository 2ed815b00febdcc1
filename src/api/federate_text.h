// What /federate answers: Prometheus' exposition format 0.0.4 with timestamps, or its protobuf. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tsdb/labels.h"
#include "tsdb/querier.h"

namespace stoker::api {

struct FederatedSample {
    tsdb::Labels labels;
    tsdb::Sample sample;
    tsdb::HistogramPtr histogram;  // Not null: the value is this.
};

// What becomes of names that are not [a-zA-Z_:][a-zA-Z0-9_:]*: quoted for readers who take them, or other characters
// turned into '_'.
enum class NameEscaping : std::uint8_t { None, Underscores };

// Families without types, and an `instance` label on every series, as Prometheus does so that none is added by who
// reads. Native histograms become their count, sum and +Inf bucket, which is all that this format has for them.
// REQUIRES: sorted by metric name.
std::string federated_text(const std::vector<FederatedSample>& samples, NameEscaping escaping);

// The same as protobuf, where native histograms stay whole; those with custom bounds become classic ones.
std::string federated_protobuf(const std::vector<FederatedSample>& samples, NameEscaping escaping);

}  // namespace stoker::api
