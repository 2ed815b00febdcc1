#include "collect/push/otlp_exemplars.h"

#include <algorithm>

#include "wire/utf8.h"

namespace stoker::collect {
namespace {

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

tsdb::Labels labels_of(const wire::otlp::Exemplar& exemplar, OtlpNames names) {
    std::vector<tsdb::Labels::Pair> ids;
    if (!exemplar.trace_id.empty()) ids.emplace_back("trace_id", exemplar.trace_id);
    if (!exemplar.span_id.empty()) ids.emplace_back("span_id", exemplar.span_id);
    std::vector<tsdb::Labels::Pair> all;
    for (const auto& [key, value] : exemplar.attributes) {
        std::string name = otlp_label_name(key, names);
        if (!name.empty() && wire::valid_utf8(name) && wire::valid_utf8(value))
            all.emplace_back(std::move(name), value);
    }
    all.insert(all.end(), ids.begin(), ids.end());
    std::size_t used = 0;
    for (const auto& [name, value] : all) used += characters(name) + characters(value);
    return tsdb::Labels(used <= kMaxExemplarCharacters ? std::move(all) : std::move(ids));
}

}  // namespace

std::vector<tsdb::Exemplar> otlp_exemplars(const wire::otlp::Point& point, OtlpNames names) {
    std::vector<tsdb::Exemplar> out;
    for (const auto& exemplar : point.exemplars) {
        if (!exemplar.value || exemplar.time == 0) continue;
        out.push_back(
            {labels_of(exemplar, names), *exemplar.value, static_cast<std::int64_t>(exemplar.time / 1'000'000)});
    }
    std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
    return out;
}

}  // namespace stoker::collect
