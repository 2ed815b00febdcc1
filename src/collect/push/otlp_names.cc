#include "collect/push/otlp_names.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"

namespace stoker::collect {
namespace {

using Word = std::pair<std::string_view, std::string_view>;

constexpr std::array<Word, 26> kUnits{{
    {"d", "days"},          {"h", "hours"},        {"min", "minutes"},   {"s", "seconds"},      {"ms", "milliseconds"},
    {"us", "microseconds"}, {"ns", "nanoseconds"}, {"By", "bytes"},      {"KiBy", "kibibytes"}, {"MiBy", "mebibytes"},
    {"GiBy", "gibibytes"},  {"TiBy", "tibibytes"}, {"KBy", "kilobytes"}, {"MBy", "megabytes"},  {"GBy", "gigabytes"},
    {"TBy", "terabytes"},   {"m", "meters"},       {"V", "volts"},       {"A", "amperes"},      {"J", "joules"},
    {"W", "watts"},         {"g", "grams"},        {"Cel", "celsius"},   {"Hz", "hertz"},       {"1", ""},
    {"%", "percent"},
}};
constexpr std::array<Word, 7> kPerUnits{{
    {"s", "second"},
    {"m", "minute"},
    {"h", "hour"},
    {"d", "day"},
    {"w", "week"},
    {"mo", "month"},
    {"y", "year"},
}};

bool is_alnum(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool only_underscores(std::string_view text) {
    return text.find_first_not_of('_') == std::string_view::npos;
}
bool escapes(OtlpNames names) {
    return names == OtlpNames::UnderscoreEscapingWithSuffixes || names == OtlpNames::UnderscoreEscapingWithoutSuffixes;
}
bool suffixes(OtlpNames names) {
    return names == OtlpNames::UnderscoreEscapingWithSuffixes || names == OtlpNames::NoUtf8EscapingWithSuffixes;
}

// The runs of what `inside` accepts.
template <typename Inside>
std::vector<std::string> runs(std::string_view text, const Inside& inside) {
    std::vector<std::string> out;
    bool open = false;
    for (const char c : text) {
        if (!inside(c)) {
            open = false;
            continue;
        }
        if (!open) out.emplace_back();
        open = true;
        out.back() += c;
    }
    return out;
}

template <std::size_t N>
std::string in_words(std::string_view unit, const std::array<Word, N>& table) {
    unit = trim(unit);
    if (unit.find_first_of("{}") != std::string_view::npos) return {};
    const auto found = std::find_if(table.begin(), table.end(), [&](const Word& word) { return word.first == unit; });
    return std::string(found == table.end() ? unit : found->second);
}

struct UnitSuffixes {
    std::string main;  // "bytes"
    std::string per;   // "per_second"
};

UnitSuffixes unit_suffixes(std::string_view unit) {
    const std::size_t slash = unit.find('/');
    UnitSuffixes out{in_words(unit.substr(0, slash), kUnits), {}};
    if (slash == std::string_view::npos) return out;
    const std::string per = in_words(unit.substr(slash + 1), kPerUnits);
    if (!per.empty()) out.per = "per_" + per;
    return out;
}

std::string as_name_part(const std::string& text) {
    return join(runs(text, is_alnum), "_");
}

bool is_counter(const wire::otlp::Metric& metric) {
    return metric.kind == wire::otlp::Kind::Sum && metric.monotonic;
}
// Unit "1" means a ratio only for gauges: counters of things carry it too.
bool is_ratio(const wire::otlp::Metric& metric) {
    return metric.kind == wire::otlp::Kind::Gauge && metric.unit == "1";
}

// The name in words, the unit and the kind as words behind it, none of them twice.
std::string escaped_with_suffixes(const wire::otlp::Metric& metric) {
    std::vector<std::string> words = runs(metric.name, [](char c) { return is_alnum(c) || c == ':'; });
    const auto add = [&](std::string word) {
        if (!word.empty() && std::find(words.begin(), words.end(), word) == words.end()) {
            words.push_back(std::move(word));
        }
    };
    const auto move_to_end = [&](const std::string& word) {
        words.erase(std::remove(words.begin(), words.end(), word), words.end());
        words.push_back(word);
    };
    const UnitSuffixes unit = unit_suffixes(metric.unit);
    add(as_name_part(unit.main));
    add(as_name_part(unit.per));
    if (is_counter(metric)) move_to_end("total");
    if (is_ratio(metric)) move_to_end("ratio");
    return join(words, "_");
}

void cut_suffix(std::string& name, std::string_view suffix) {
    if (name.size() > suffix.size() + 1 && name.ends_with(suffix)) name.resize(name.size() - suffix.size() - 1);
}

std::string unescaped_with_suffixes(const wire::otlp::Metric& metric) {
    std::string name = metric.name;
    const UnitSuffixes unit = unit_suffixes(metric.unit);
    if (is_ratio(metric)) cut_suffix(name, "ratio");
    if (is_counter(metric)) cut_suffix(name, "total");
    if (!unit.per.empty()) cut_suffix(name, unit.per);
    if (!unit.main.empty() && !name.ends_with(unit.main)) name += "_" + unit.main;
    if (!unit.per.empty()) name += "_" + unit.per;
    if (is_counter(metric)) name += "_total";
    if (is_ratio(metric)) name += "_ratio";
    return name;
}

}  // namespace

Result<OtlpNames> parse_otlp_names(std::string_view text) {
    static constexpr std::array<std::pair<std::string_view, OtlpNames>, 4> kNames{{
        {"UnderscoreEscapingWithSuffixes", OtlpNames::UnderscoreEscapingWithSuffixes},
        {"UnderscoreEscapingWithoutSuffixes", OtlpNames::UnderscoreEscapingWithoutSuffixes},
        {"NoUTF8EscapingWithSuffixes", OtlpNames::NoUtf8EscapingWithSuffixes},
        {"NoTranslation", OtlpNames::NoTranslation},
    }};
    for (const auto& [name, value] : kNames) {
        if (name == text) return value;
    }
    return Error{Errc::InvalidArgument,
                 "\"" + std::string(text) +
                     "\" is no translation strategy: UnderscoreEscapingWithSuffixes, "
                     "UnderscoreEscapingWithoutSuffixes, NoUTF8EscapingWithSuffixes and NoTranslation are"};
}

std::string otlp_metric_name(const wire::otlp::Metric& metric, OtlpNames names) {
    if (metric.name.empty()) return {};
    if (!escapes(names)) return suffixes(names) ? unescaped_with_suffixes(metric) : metric.name;
    std::string name = suffixes(names)
                           ? escaped_with_suffixes(metric)
                           : join(runs(metric.name, [](char c) { return is_alnum(c) || c == ':' || c == '_'; }), "_");
    if (!name.empty() && is_digit(name.front())) name.insert(0, 1, '_');
    return only_underscores(name) && name != metric.name ? std::string() : name;
}

std::string otlp_label_name(std::string_view attribute, OtlpNames names) {
    if (!escapes(names)) return std::string(attribute);
    std::string name;
    for (const char c : attribute) {
        // One underscore a character, not a byte.
        const bool continues = (static_cast<unsigned char>(c) & 0xc0) == 0x80;
        if (!continues) name += is_alnum(c) ? c : '_';
    }
    if (name.empty() || (only_underscores(name) && name != attribute)) return {};
    if (is_digit(name.front())) return "key_" + name;
    if (name.starts_with('_') && !name.starts_with("__")) return "key" + name;
    return name;
}

std::string otlp_unit(std::string_view unit) {
    const UnitSuffixes parts = unit_suffixes(unit);
    const std::string main = as_name_part(parts.main);
    const std::string per = as_name_part(parts.per);
    return main.empty() || per.empty() ? main + per : main + "_" + per;
}

}  // namespace stoker::collect
