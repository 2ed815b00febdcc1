#include "collect/engine/adapter.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "collect/engine/canonical_names.h"

namespace stoker::collect {
namespace {

using config::Fields;

const std::vector<std::string> kCapabilities = {"chat", "completions",  "responses",   "messages", "embeddings",
                                                "lora", "prefix_cache", "speculation", "tokenize", "sleep"};

void check_selector(Fields& f, const std::string& key, const std::string& text) {
    if (text.empty()) return;
    const auto parsed = parse_selector(text);
    f.check(key, parsed.has_value(), parsed ? "" : parsed.error().message);
}

void check_selectors(Fields& f, const std::string& key, const std::vector<std::string>& texts) {
    for (std::size_t i = 0; i < texts.size(); ++i) check_selector(f, fmt::format("{}[{}]", key, i), texts[i]);
}

void check_versions(Fields& f, const std::string& text) {
    const auto range = VersionRange::parse(text);
    f.check("versions", range.has_value(), range ? "" : range.error().message);
}

std::string nearest_canonical(const std::string& name) {
    std::vector<std::string> names;
    for (const CanonicalName& one : canonical_names()) names.emplace_back(one.name);
    const auto near = nearest_name(name, names);
    return near ? "; did you mean '" + *near + "'?" : "; `stoker engines docs` lists them";
}

void check_canonical(Fields& f, const std::string& name) {
    f.check("name", find_canonical(name) != nullptr,
            "there is no canonical metric '" + name + "'" + nearest_canonical(name));
}

bool is_place(const std::string& place) {
    return place.starts_with('/') && place.find("#/") != std::string::npos;
}

}  // namespace

std::string_view MetricRule::source_or_default() const {
    if (!source.empty()) return source;
    const bool computed =
        !plus.empty() || !times.empty() || !divide_by.empty() || !labels.empty() || !count.empty() || newest;
    return computed ? kDerived : kNative;
}

void describe(Fields& f, DetectRule& c) {
    f.field("points", c.points, "What this evidence weighs: 3 is enough by itself, the engine with most points wins.");
    f.check("points", c.points >= 1 && c.points <= 10, "must be from 1 to 10");
    f.field("metric", c.metric, "A metric whose name begins like this stands on its page.");
    f.field("models_owner", c.models_owner, "`owned_by` of a model in `/v1/models`.");
    f.field("server", c.server, "The `Server` header begins like this.");
    f.field("path", c.path, "This endpoint answers 200,");
    f.check("path", c.path.empty() || c.path.starts_with('/'), "must begin with '/'");
    f.field("keys", c.keys, "with a JSON object that has these members,");
    f.field("says", c.says, "or with a body that holds these words.");
    const bool any = !c.metric.empty() || !c.models_owner.empty() || !c.server.empty() || !c.path.empty();
    f.check("points", any, "a rule needs `metric`, `models_owner`, `server` or `path`");
    f.check("path", c.path.empty() == (c.keys.empty() && c.says.empty()),
            "goes together with `keys` or `says`, which say what is answered there");
}

void describe(Fields& f, MetricRule& c) {
    f.field("name", c.name, "The canonical metric; of a histogram also NAME_sum or NAME_count.");
    f.required("name");
    check_canonical(f, c.name);
    f.field(
        "from", c.from,
        "The engine's own metric, `NAME` or `NAME{LABEL=\"VALUE\"}`, with or without `_total`. Of several the first "
        "that the page has counts: the newest name first.");
    f.required("from");
    f.check("from", !c.from.empty(), "must name at least one of the engine's metrics");
    check_selectors(f, "from", c.from);
    f.field("plus", c.plus, "Further ones that are added, where the page has them.");
    check_selectors(f, "plus", c.plus);
    f.field("times", c.times, "The value is multiplied by this gauge; if it is missing there is no value.");
    check_selector(f, "times", c.times);
    f.field("divide_by", c.divide_by, "The value is divided by this gauge.");
    check_selector(f, "divide_by", c.divide_by);
    f.field("scale", c.scale,
            "Conversion of the unit: 0.001 for milliseconds. Applies to a histogram's bounds and sum.");
    f.check("scale", c.scale > 0, "must be above 0");
    f.field("labels", c.labels, "The value is the product of the numbers in these labels, not the sample's own.");
    f.field("count", c.count, "The value is how many names stand in this label, a list with commas.");
    f.field("newest", c.newest, "Of several series only those with the largest value count: their value is a time.");
    f.field("keep", c.keep, "Labels that are kept: the engine's name of each, and the canonical one.");
    f.field("set", c.set, "Labels that are set to a fixed value.");
    f.field("versions", c.versions, "Versions that this holds for, such as `>=0.8 <0.11`; empty: all.");
    check_versions(f, c.versions);
    f.choice("source", c.source, {"", std::string(kNative), std::string(kDerived), std::string(kEstimated)},
             "How far the number can be trusted; empty: `derived` if it is computed from several, else `native`.");
    f.field("note", c.note, "What an operator should know about this number.");
}

void describe(Fields& f, JsonMetric& c) {
    f.field("name", c.name, "Its name among the engine's own metrics; a gauge.");
    f.required("name");
    check_selector(f, "name", c.name);
    f.field("help", c.help, "What it means.");
    f.field("each", c.each,
            "JSON pointer to an array that gives a series for each element; empty: the whole document.");
    f.field("value", c.value, "Pointer from there to a number; empty: the value is 1.");
    f.field("labels", c.labels, "Labels, and pointers to their texts.");
}

void describe(Fields& f, MissingRule& c) {
    f.field("name", c.name, "The canonical metric.");
    f.required("name");
    check_canonical(f, c.name);
    f.field("why", c.why, "Why the engine does not give it.");
    f.required("why");
    f.field("fix", c.fix, "What can be done.");
}

void describe(Fields& f, Quirk& c) {
    f.field("versions", c.versions, "Versions that have it; empty: all.");
    check_versions(f, c.versions);
    f.field("metric", c.metric, "The metric that is wrong.");
    f.field("text", c.text, "What is wrong with it.");
    f.required("text");
    f.field("fix", c.fix, "What to do.");
}

void describe(Fields& f, FactPlaces& c) {
    const auto places = [&f](const char* key, std::vector<std::string>& value, const char* doc) {
        f.field(key, value, doc);
        for (std::size_t i = 0; i < value.size(); ++i) {
            f.check(fmt::format("{}[{}]", key, i), is_place(value[i]),
                    "must be PATH#POINTER, such as /version#/version");
        }
    };
    places("version", c.version, "Its version.");
    places("models", c.models, "The models that it serves.");
    places("context_length", c.context_length, "Longest prompt and answer together, in tokens.");
    places("quantization", c.quantization, "How its weights are quantised.");
    places("dtype", c.dtype, "What its numbers are: float16, bfloat16.");
}

void describe(Fields& f, Adapter& c) {
    f.field("format", c.format, "Version of this file's format.");
    f.check("format", c.format == 1, "must be 1: this version of Stoker knows no other");
    f.field("name", c.name, "The engine's kind: the label `engine`, and what another file replaces it by.");
    f.required("name");
    f.check("name", c.name.find_first_of(" \"\n\\") == std::string::npos, "must be a word without spaces and quotes");
    f.field("title", c.title, "Its name for people.");
    f.field("extends", c.extends, "Another adapter: what is not given here is as there.");
    f.field("ports", c.ports, "Ports that it listens on unless told otherwise; looked at on this machine's loopback.");
    for (std::size_t i = 0; i < c.ports.size(); ++i) {
        const auto port = parse_integer(c.ports[i]);
        f.check(fmt::format("ports[{}]", i), port && *port >= 1 && *port <= 65535, "must be a port, from 1 to 65535");
    }
    f.list("detect", c.detect, "How it is recognised; rules whose points add up.");
    f.object("facts", c.facts, "Where it says what it is: PATH#POINTER (JSON pointer; `*`: every element), in order.");
    f.field("metrics_path", c.metrics_path, "Where its metrics are; empty: it has none.");
    f.check("metrics_path", c.metrics_path.empty() || c.metrics_path.starts_with('/'), "must begin with '/'");
    f.choice("metrics_format", c.metrics_format, {"exposition", "json"},
             "Prometheus' format, or JSON, read by `json`.");
    f.field("enable", c.enable, "How its metrics are switched on.");
    f.list("json", c.json, "Gauges that are made of the JSON at `metrics_path`.");
    f.check("json", (c.metrics_format == "json") == !c.json.empty(), "goes together with `metrics_format: json`");
    f.field("model_label", c.model_label, "The label that names the model; becomes `model`.");
    f.field("ranks", c.ranks,
            "Labels of parts (tensor-parallel ranks) that all report the same thing: the largest counts. Values that "
            "differ in other labels add up.");
    f.field("totals", c.totals, "Labels whose empty value stands for all others together: only that counts.");
    f.field("prefixes", c.prefixes,
            "Names that begin with the first of these may begin with one of the others instead.");
    f.list("metrics", c.metrics, "The canonical metrics, out of its own.");
    f.field("capabilities", c.capabilities, "What it can do: " + join(kCapabilities, ", ") + ".");
    for (std::size_t i = 0; i < c.capabilities.size(); ++i) {
        const bool known =
            std::find(kCapabilities.begin(), kCapabilities.end(), c.capabilities[i]) != kCapabilities.end();
        f.check(fmt::format("capabilities[{}]", i), known, "must be one of " + join(kCapabilities, ", "));
    }
    f.list("missing", c.missing, "Canonical metrics that it does not give, and why.");
    f.list("quirks", c.quirks, "What is known to be wrong in some versions.");
}

ParsedAdapter parse_adapter(std::string_view text, const std::string& file, const std::vector<std::string>& known) {
    ParsedAdapter parsed;
    const auto body = [&](Fields& f) {
        describe(f, parsed.adapter);
        const std::string& base = parsed.adapter.extends;
        const bool found = base.empty() || std::find(known.begin(), known.end(), base) != known.end();
        f.check("extends", found, "there is no adapter '" + base + "'; there are " + join(known, ", "));
    };
    // Nothing in an adapter comes from the environment: it says the same everywhere.
    parsed.problems = config::read_yaml(text, file, body, [](const std::string&) { return std::nullopt; });
    return parsed;
}

}  // namespace stoker::collect
