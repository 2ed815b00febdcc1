#include "collect/push/otlp_resource.h"

#include <algorithm>

namespace stoker::collect {
namespace {

using wire::otlp::Attributes;
using Map = std::map<std::string, std::string>;

constexpr std::string_view kServiceName = "service.name";
constexpr std::string_view kServiceNamespace = "service.namespace";
constexpr std::string_view kServiceInstance = "service.instance.id";

bool identifies(std::string_view attribute) {
    return attribute == kServiceName || attribute == kServiceNamespace || attribute == kServiceInstance;
}

// In order of the attributes' own names, so that the joined value does not depend on how they were sent.
void add_joined(const Attributes& attributes, OtlpNames names, Map& out) {
    std::vector<const Attributes::value_type*> sorted;
    for (const auto& attribute : attributes) sorted.push_back(&attribute);
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
    for (const auto* attribute : sorted) {
        std::string name = otlp_label_name(attribute->first, names);
        if (name.empty()) continue;
        auto [found, fresh] = out.try_emplace(std::move(name), attribute->second);
        if (!fresh) found->second += ";" + attribute->second;
    }
}

}  // namespace

OtlpResource::OtlpResource(const Attributes& attributes, const OtlpOptions& options)
    : attributes_(attributes), options_(options) {
    if (const auto* name = wire::otlp::find(attributes, kServiceName)) {
        const auto* space = wire::otlp::find(attributes, kServiceNamespace);
        job_ = space == nullptr || space->empty() ? *name : *space + "/" + *name;
    }
    if (const auto* instance = wire::otlp::find(attributes, kServiceInstance)) instance_ = *instance;
    Attributes chosen;
    const auto& list = options.promote_resource_attributes;
    for (const auto& attribute : attributes) {
        const bool listed = std::find(list.begin(), list.end(), attribute.first) != list.end();
        if (listed || (options.promote_all_resource_attributes && !identifies(attribute.first))) {
            chosen.push_back(attribute);
        }
    }
    add_joined(chosen, options.names, promoted_);
}

void OtlpResource::enter(const wire::otlp::Scope& scope) {
    scope_.clear();
    if (!options_.promote_scope_metadata || scope.name.empty()) return;
    for (const auto& [key, value] : scope.attributes) {
        scope_[otlp_label_name("otel_scope_" + key, options_.names)] = value;
    }
    scope_["otel_scope_name"] = scope.name;
    scope_["otel_scope_version"] = scope.version;
    scope_["otel_scope_schema_url"] = scope.schema_url;
}

Map OtlpResource::labels(const Attributes& point) const {
    Map out;
    add_joined(point, options_.names, out);
    for (const auto& label : promoted_) out.insert(label);
    for (const auto& [name, value] : scope_) out[name] = value;
    if (!job_.empty()) out["job"] = job_;
    if (!instance_.empty()) out["instance"] = instance_;
    return out;
}

tsdb::Labels OtlpResource::target_info() const {
    if (job_.empty() && instance_.empty()) return {};
    Attributes told;
    bool more = false;
    for (const auto& attribute : attributes_) {
        if (identifies(attribute.first) && !options_.keep_identifying_resource_attributes) continue;
        more = more || !identifies(attribute.first);
        told.push_back(attribute);
    }
    if (!more) return {};
    Map out;
    add_joined(told, options_.names, out);
    if (!job_.empty()) out["job"] = job_;
    if (!instance_.empty()) out["instance"] = instance_;
    out[std::string(tsdb::kMetricName)] = "target_info";
    return tsdb::Labels(std::vector<tsdb::Labels::Pair>(out.begin(), out.end()));
}

}  // namespace stoker::collect
