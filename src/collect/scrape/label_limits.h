// How much a series from outside may be called.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"
#include "tsdb/labels.h"

namespace stoker::collect {

struct LabelLimits {
    std::size_t max_labels = 128;                            // The metric's name included.
    std::size_t max_name_bytes = 1024;                       // Of a label's name.
    std::size_t max_value_bytes = 16384;                     // Of a label's value, and of the metric's name.
    std::size_t max_request_bytes = std::size_t{512} << 20;  // Of all labels of one request (LabelBudget).
};

// What the labels of one request may take in memory: a long label that many samples share is copied for each of them.
class LabelBudget {
public:
    explicit LabelBudget(std::size_t bytes) : left_(bytes) {}

    // False, and nothing taken, if there is no room for these any more.
    bool take(const tsdb::Labels& labels);

private:
    std::size_t left_;
};

// Errors: ResourceExhausted, naming the label, and InvalidArgument for what is not UTF-8.
Result<Unit> check_labels(const tsdb::Labels& labels, const LabelLimits& limits);

}  // namespace stoker::collect
