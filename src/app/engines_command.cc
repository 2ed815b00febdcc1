// `stoker engines list` and `stoker engines docs`.
#include "app/engines_command.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/ask.h"
#include "app/table.h"
#include "base/text.h"
#include "collect/engine/docs.h"

namespace stoker::app {
namespace {

using nlohmann::json;

json to_json(const collect::Adapter& adapter) {
    json metrics = json::object();
    for (const auto& metric : adapter.metrics) metrics[metric.name] = metric.source_or_default();
    json ports = json::array();
    for (const auto& port : adapter.ports) ports.push_back(parse_integer(port).value_or(0));
    return {{"kind", adapter.name},         {"title", adapter.title},
            {"ports", std::move(ports)},    {"metrics_path", adapter.metrics_path},
            {"enable", adapter.enable},     {"capabilities", adapter.capabilities},
            {"metrics", std::move(metrics)}};
}

}  // namespace

Result<std::shared_ptr<const collect::Adapters>> load_adapters(const std::vector<std::string>& files) {
    auto loaded = collect::Adapters::load(files, "");
    if (loaded.adapters) return loaded.adapters;
    std::string all;
    for (const auto& problem : loaded.problems) all += (all.empty() ? "" : "\n") + problem.text();
    return Error{Errc::InvalidArgument, all};
}

int engines_list(const EnginesOptions& options) {
    const auto adapters = load_adapters(options.adapters);
    if (!adapters) return fail(adapters.error());
    if (options.output == Output::Json) {
        json list = json::array();
        for (const auto& adapter : (*adapters)->all()) list.push_back(to_json(adapter));
        std::printf("%s\n", json{{"engines", std::move(list)}}.dump().c_str());
        return 0;
    }
    Table table({"KIND", "ENGINE", "PORTS", "METRICS AT", "CANONICAL", "SWITCHING METRICS ON"});
    for (const auto& adapter : (*adapters)->all()) {
        table.add({adapter.name, adapter.title, join(adapter.ports, ","), adapter.metrics_path,
                   std::to_string(adapter.metrics.size()), adapter.enable});
    }
    std::fputs(table.text().c_str(), stdout);
    return 0;
}

int engines_docs(const EnginesOptions& options) {
    const auto adapters = load_adapters(options.adapters);
    if (!adapters) return fail(adapters.error());
    std::fputs(collect::engines_markdown(**adapters).c_str(), stdout);
    return 0;
}

}  // namespace stoker::app
