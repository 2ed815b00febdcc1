// The labels that a resource and a scope give to all of their series.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collect/push/otlp_convert.h"
#include "tsdb/labels.h"
#include "wire/otlp.h"

namespace stoker::collect {

class OtlpResource {
public:
    OtlpResource(const wire::otlp::Attributes& attributes, const OtlpOptions& options);

    // From here on the labels of this scope are added too.
    void enter(const wire::otlp::Scope& scope);

    // The labels of a point without the metric's name. Attributes whose names become one are joined with ";".
    std::map<std::string, std::string> labels(const wire::otlp::Attributes& point) const;

    // target_info's labels, its name included; empty if nobody could join with it, or it would tell nothing.
    tsdb::Labels target_info() const;

private:
    const wire::otlp::Attributes& attributes_;
    const OtlpOptions& options_;
    std::string job_;
    std::string instance_;
    std::map<std::string, std::string> promoted_;
    std::map<std::string, std::string> scope_;
};

}  // namespace stoker::collect
