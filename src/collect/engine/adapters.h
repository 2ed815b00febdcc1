// The adapters in force: the built-in ones, and an operator's files over them.
//
// Immutable once made, shared by everything that reads engines. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "collect/engine/adapter.h"

namespace stoker::collect {

// What speaks OpenAI's API and is none of the engines known by name.
inline constexpr std::string_view kGenericEngine = "generic";

class Adapters {
public:
    // The ones that ship with Stoker (config/engines).
    static std::shared_ptr<const Adapters> built_in();

    struct Loaded {
        std::shared_ptr<const Adapters> adapters;  // Null if there are problems.
        std::vector<config::Problem> problems;
    };
    // The built-in ones and `files` over them: one of the same name replaces, others are added. Relative paths are from
    // `folder`.
    static Loaded load(const std::vector<std::string>& files, const std::string& folder);

    // Null for a kind that is not known.
    const Adapter* find(std::string_view kind) const;
    // In the order in which they are tried; kGenericEngine is the last.
    const std::vector<Adapter>& all() const { return adapters_; }

    // Where engines listen unless told otherwise; each once.
    std::vector<std::uint16_t> ports() const;
    // Where this kind shows its metrics; "/metrics" for a kind that is not known, empty if it has none.
    std::string metrics_path(std::string_view kind) const;

private:
    explicit Adapters(std::vector<Adapter> adapters) : adapters_(std::move(adapters)) {}

    std::vector<Adapter> adapters_;
};

// Adapters::built_in(), for headers that need no more of it.
std::shared_ptr<const Adapters> built_in_adapters();

}  // namespace stoker::collect
