#include "collect/engine/selector.h"

#include "wire/prometheus_text.h"

namespace stoker::collect {

std::string_view without_total(std::string_view name) {
    constexpr std::string_view kTotal = "_total";
    if (name.ends_with(kTotal)) name.remove_suffix(kTotal.size());
    return name;
}

Result<Selector> parse_selector(std::string_view text) {
    const Error bad{Errc::InvalidArgument,
                    "'" + std::string(text) + "' must be a metric's name, or NAME{LABEL=\"VALUE\",...}"};
    if (text.empty() || text.find_first_of("#\n") != std::string_view::npos) return bad;
    // A selector with equality only is a line of a metrics page without its value.
    const auto read = wire::parse_exposition(std::string(text) + " 0\n", wire::ExpositionFormat::Prometheus);
    if (!read || read->size() != 1 || read->front().time_ms) return bad;
    Selector selector;
    selector.name = without_total(read->front().name);
    selector.labels = read->front().labels;
    return selector;
}

}  // namespace stoker::collect
