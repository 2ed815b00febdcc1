#include "collect/discovery/target_labels.h"

#include <utility>

#include "base/text.h"
#include "wire/utf8.h"

namespace stoker::collect {
namespace {

constexpr std::string_view kAddress = "__address__";
constexpr std::string_view kScheme = "__scheme__";
constexpr std::string_view kPath = "__metrics_path__";
constexpr std::string_view kInterval = "__scrape_interval__";
constexpr std::string_view kTimeout = "__scrape_timeout__";
constexpr std::string_view kParam = "__param_";

Result<Duration> positive_duration(const LabelMap& labels, std::string_view name) {
    auto parsed = parse_duration(label(labels, name));
    if (!parsed) return std::move(parsed).error().context(name);
    if (parsed->count() <= 0) return Error{Errc::InvalidArgument, std::string(name) + " must be positive"};
    return *parsed;
}

Error bad_address(const std::string& address, std::string_view why) {
    return {Errc::InvalidArgument, "the address '" + address + "' " + std::string(why)};
}

// As a form encodes it, which is how Prometheus does.
std::string form_encode(std::string_view text) {
    std::string out;
    bool first = true;
    for (const std::string_view word : split(text, ' ')) {
        if (!std::exchange(first, false)) out += '+';
        out += net::url_encode(word);
    }
    return out;
}

}  // namespace

Result<TargetMaker> TargetMaker::create(ScrapeConfig config) {
    TRY(auto relabeler, Relabeler::create(config.relabel_configs));
    return TargetMaker(std::move(config), std::move(relabeler));
}

LabelMap TargetMaker::discovered(const LabelMap& labels) const {
    LabelMap out = labels;
    std::erase_if(out, [](const auto& one) { return one.second.empty(); });
    const auto add = [&out](std::string_view name, std::string value) {
        if (!value.empty()) out.try_emplace(std::string(name), std::move(value));
    };
    add("job", config_.job_name);
    add(kInterval, format_duration(config_.scrape_interval));
    add(kTimeout, format_duration(config_.scrape_timeout));
    add(kPath, config_.metrics_path);
    add(kScheme, config_.scheme);
    for (const auto& [name, values] : config_.params) {
        if (!values.empty()) set_label(out, std::string(kParam) + name, values.front());
    }
    return out;
}

// The first value of a parameter may have been changed by relabelling, and new ones may have come.
std::string TargetMaker::path_of(const LabelMap& labels) const {
    auto params = config_.params;
    for (const auto& [name, value] : labels) {
        if (!name.starts_with(kParam)) continue;
        auto& values = params[name.substr(kParam.size())];
        if (values.empty()) values.emplace_back();
        values.front() = value;
    }
    std::string path(label(labels, kPath));
    if (!path.starts_with('/')) path.insert(0, 1, '/');
    char separator = path.find('?') == std::string::npos ? '?' : '&';
    for (const auto& [name, values] : params) {
        for (const std::string& value : values) {
            path += separator + form_encode(name) + '=' + form_encode(value);
            separator = '&';
        }
    }
    return path;
}

Result<std::optional<MadeTarget>> TargetMaker::make(const LabelMap& labels) const {
    MadeTarget made;
    made.discovered = discovered(labels);
    LabelMap all = made.discovered;
    if (!relabeler_.apply(all)) return std::optional<MadeTarget>{};

    const std::string address(label(all, kAddress));
    if (address.empty()) return bad_address("", "is missing: a target needs the label __address__");
    if (address.find('/') != std::string::npos) return bad_address(address, "must be HOST:PORT, without a '/'");
    TRY(made.interval, positive_duration(all, kInterval));
    TRY(made.timeout, positive_duration(all, kTimeout));
    if (made.timeout > made.interval) {
        return Error{Errc::InvalidArgument, "__scrape_timeout__ is longer than __scrape_interval__"};
    }
    std::string scheme(label(all, kScheme));
    if (scheme.empty()) scheme = "http";
    made.shown = scheme + "://" + address + path_of(all);
    TRY(made.url, net::parse_url(made.shown));
    std::erase_if(all, [](const auto& one) { return one.first.starts_with("__meta_"); });
    if (label(all, "instance").empty()) set_label(all, "instance", address);
    made.key = made.shown;
    for (const auto& [name, value] : all) {
        if (!wire::valid_utf8(value)) {
            return Error{Errc::InvalidArgument, "the value of the label " + name + " is not UTF-8"};
        }
        made.key.append(1, '\0').append(name).append(1, '\0').append(value);
    }
    std::erase_if(all, [](const auto& one) { return one.first.starts_with("__"); });
    made.labels = std::move(all);
    return std::optional<MadeTarget>{std::move(made)};
}

}  // namespace stoker::collect
