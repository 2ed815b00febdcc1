#include "collect/engine/adapters.h"

#include <algorithm>
#include <filesystem>

#include "base/check.h"
#include "base/file.h"
#include "base/text.h"
#include "collect/engine/builtin_adapters.h"

namespace stoker::collect {
namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 20;

template <typename T>
void inherit(T& own, const T& base) {
    if (own.empty()) own = base;
}

void extend(Adapter& adapter, const Adapter& base) {
    inherit(adapter.title, base.title);
    inherit(adapter.ports, base.ports);
    inherit(adapter.detect, base.detect);
    inherit(adapter.facts.version, base.facts.version);
    inherit(adapter.facts.models, base.facts.models);
    inherit(adapter.facts.context_length, base.facts.context_length);
    inherit(adapter.facts.quantization, base.facts.quantization);
    inherit(adapter.facts.dtype, base.facts.dtype);
    inherit(adapter.enable, base.enable);
    inherit(adapter.ranks, base.ranks);
    inherit(adapter.totals, base.totals);
    inherit(adapter.prefixes, base.prefixes);
    inherit(adapter.metrics, base.metrics);
    inherit(adapter.capabilities, base.capabilities);
    inherit(adapter.missing, base.missing);
    inherit(adapter.quirks, base.quirks);
}

class Set {
public:
    // Returns whether the text was good.
    bool add(std::string_view text, const std::string& file, std::vector<config::Problem>& problems) {
        std::vector<std::string> names;
        for (const Adapter& one : adapters) names.push_back(one.name);
        ParsedAdapter parsed = parse_adapter(text, file, names);
        if (!parsed.problems.empty()) {
            std::move(parsed.problems.begin(), parsed.problems.end(), std::back_inserter(problems));
            return false;
        }
        const auto named = [this](const std::string& name) {
            return std::find_if(adapters.begin(), adapters.end(), [&](const auto& one) { return one.name == name; });
        };
        if (const auto base = named(parsed.adapter.extends); base != adapters.end()) extend(parsed.adapter, *base);
        if (const auto old = named(parsed.adapter.name); old != adapters.end())
            *old = std::move(parsed.adapter);
        else
            adapters.push_back(std::move(parsed.adapter));
        return true;
    }

    std::vector<Adapter> in_order() && {
        std::stable_partition(adapters.begin(), adapters.end(), [](const auto& a) { return a.name != kGenericEngine; });
        return std::move(adapters);
    }

    std::vector<Adapter> adapters;
};

Set builtin_set() {
    Set set;
    std::vector<config::Problem> problems;
    for (const auto& [file, text] :
         kBuiltinAdapters) {  // By name, so vllm.yaml is before vllm_ray.yaml, which extends it.
        const bool good = set.add(text, std::string(file), problems);
        STOKER_CHECK(good, "an adapter that ships with Stoker is broken");
    }
    return set;
}

}  // namespace

std::shared_ptr<const Adapters> Adapters::built_in() {
    static const std::shared_ptr<const Adapters> adapters(new Adapters(builtin_set().in_order()));
    return adapters;
}

std::shared_ptr<const Adapters> built_in_adapters() {
    return Adapters::built_in();
}

Adapters::Loaded Adapters::load(const std::vector<std::string>& files, const std::string& folder) {
    Loaded loaded;
    Set set = builtin_set();
    for (const std::string& file : files) {
        const std::string path = (std::filesystem::path(folder) / file).string();
        const auto text = read_file(path, kMaxFile);
        if (text)
            (void)set.add(*text, path, loaded.problems);
        else
            loaded.problems.push_back({path, 0, 0, "collect.engines.adapters", text.error().message});
    }
    if (loaded.problems.empty()) loaded.adapters.reset(new Adapters(std::move(set).in_order()));
    return loaded;
}

const Adapter* Adapters::find(std::string_view kind) const {
    const auto found = std::find_if(adapters_.begin(), adapters_.end(), [&](const auto& a) { return a.name == kind; });
    return found == adapters_.end() ? nullptr : &*found;
}

std::vector<std::uint16_t> Adapters::ports() const {
    std::vector<std::uint16_t> ports;
    for (const Adapter& adapter : adapters_) {
        for (const std::string& text : adapter.ports) {
            const auto port = static_cast<std::uint16_t>(parse_integer(text).value_or(0));
            if (std::find(ports.begin(), ports.end(), port) == ports.end()) ports.push_back(port);
        }
    }
    return ports;
}

std::string Adapters::metrics_path(std::string_view kind) const {
    const Adapter* adapter = find(kind);
    return adapter == nullptr ? "/metrics" : adapter->metrics_path;
}

}  // namespace stoker::collect
