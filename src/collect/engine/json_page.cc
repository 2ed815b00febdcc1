#include "collect/engine/json_page.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "collect/engine/json_pointer.h"

namespace stoker::collect {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxSeries = 10'000;

// As the text format wants it: a line break or a quote in a model's name must not become another sample.
std::string escaped(std::string_view text, bool quotes) {
    std::string out;
    for (const char c : text) {
        if (c == '\\')
            out += "\\\\";
        else if (c == '\n')
            out += "\\n";
        else if (c == '"' && quotes)
            out += "\\\"";
        else
            out += c;
    }
    return out;
}

std::string labels_of(const JsonMetric& metric, const Json& element) {
    std::string out;
    for (const auto& [label, pointer] : metric.labels) {
        const auto found = json_at(element, pointer);
        const std::string text = found.empty() ? "" : json_text(*found.front());
        if (text.empty()) continue;
        out += (out.empty() ? "{" : ",") + label + "=\"" + escaped(text, true) + "\"";
    }
    return out.empty() ? out : out + "}";
}

std::optional<double> value_of(const JsonMetric& metric, const Json& element) {
    if (metric.value.empty()) return 1.0;
    const auto found = json_at(element, metric.value);
    if (found.empty() || !found.front()->is_number()) return std::nullopt;
    return found.front()->get<double>();
}

}  // namespace

Result<std::string> json_page(const Adapter& adapter, std::string_view body) {
    const Json document = Json::parse(body, nullptr, false);
    if (document.is_discarded())
        return Error{Errc::InvalidArgument, "not JSON, which " + adapter.title + " gives here"};
    std::string page;
    std::size_t series = 0;
    for (const JsonMetric& metric : adapter.json) {
        page += "# HELP " + metric.name + " " + escaped(metric.help, false) + "\n# TYPE " + metric.name + " gauge\n";
        const auto found = json_at(document, metric.each);
        std::vector<const Json*> elements = found;
        if (!metric.each.empty() && !found.empty() && found.front()->is_array()) {
            elements.clear();
            for (const Json& element : *found.front()) elements.push_back(&element);
        }
        for (const Json* element : elements) {
            const auto value = value_of(metric, *element);
            if (!value) continue;
            if (++series > kMaxSeries) return Error{Errc::ResourceExhausted, "more than 10000 series in its JSON"};
            page += metric.name + labels_of(metric, *element) + " " + format_number(*value) + "\n";
        }
    }
    return page;
}

}  // namespace stoker::collect
