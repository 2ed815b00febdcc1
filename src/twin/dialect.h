// The dialects that the simulated engine speaks: vLLM's own metrics page told in another engine's names, types, labels
// and units, and the endpoints by which such an engine is recognised.
//
// Written from the engines' own sources, not from Stoker's adapters, so that each checks the other. Pure; thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "twin/profile.h"

namespace stoker::twin {

struct Dialect {
    std::string_view name;          // "vllm", "sglang", ...: as Stoker names the engine.
    std::string_view version;       // What it says unless told otherwise.
    std::string_view owner;         // Of its models in /v1/models.
    std::string_view server;        // Its Server header; empty: none.
    std::string_view metrics_path;  // Empty: it has no metrics page.
};

// Errors: NotFound, naming those that there are.
Result<Dialect> find_dialect(std::string_view name);

// What the simulated engine is, as far as its endpoints tell.
struct DialectFacts {
    std::string model;
    std::string version;
    Profile profile;
};

// The JSON (or text) that an engine of this dialect answers at `path`, beside /v1/models and its metrics; nothing: it
// has no such endpoint.
std::optional<std::string> dialect_state(const Dialect& dialect, std::string_view path, const DialectFacts& facts);

// vLLM's page in the dialect's own words.
std::string dialect_page(const Dialect& dialect, std::string_view vllm_page, const DialectFacts& facts);

}  // namespace stoker::twin
