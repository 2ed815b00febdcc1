// OTLP exemplars as the store keeps them.
#pragma once

#include <vector>

#include "collect/push/otlp_names.h"
#include "tsdb/store.h"
#include "wire/otlp.h"

namespace stoker::collect {

// What OpenMetrics lets the labels of one exemplar have, names and values together.
inline constexpr std::size_t kMaxExemplarCharacters = 128;

// Ascending by time. Attributes are left out where the labels would grow past the limit; exemplars without a value or a
// time are left out whole.
std::vector<tsdb::Exemplar> otlp_exemplars(const wire::otlp::Point& point, OtlpNames names);

}  // namespace stoker::collect
