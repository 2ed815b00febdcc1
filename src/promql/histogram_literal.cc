// Native histograms as scripts write them.
#include <charconv>
#include <set>
#include <string>
#include <utility>

#include "promql/format.h"
#include "promql/lexer.h"
#include "promql/series_text.h"

namespace stoker::promql {

namespace {

using tsdb::Histogram;

constexpr std::size_t kMostBuckets = 10'000;

Error bad(std::string_view what) {
    return Error{Errc::InvalidArgument, "bad histogram: " + std::string(what)};
}

// What is behind the key up to the next space, or up to the bracket that closes a list.
std::string_view take_value(std::string_view& text) {
    const std::size_t bracket = text.find(']');
    const bool list = text.starts_with('[') && bracket != std::string_view::npos;
    const std::size_t length = list ? bracket + 1 : std::min(text.find_first_of(" \t"), text.size());
    const std::string_view value = text.substr(0, length);
    text.remove_prefix(length);
    return value;
}

void skip_space(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

Result<double> number(std::string_view text) {
    double value = 0;
    if (!read_number(text, value)) return bad("no number: " + quote(text));
    return value;
}

Result<std::int32_t> integer(std::string_view text) {
    std::int32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return bad("no integer: " + quote(text));
    return value;
}

Result<std::vector<double>> list(std::string_view text) {
    if (!text.starts_with('[') || !text.ends_with(']')) return bad("no list: " + quote(text));
    text = text.substr(1, text.size() - 2);
    std::vector<double> values;
    for (skip_space(text); !text.empty(); skip_space(text)) {
        TRY(const double value, number(take_value(text)));
        values.push_back(value);
        if (values.size() > kMostBuckets) return bad("too many buckets");
    }
    return values;
}

Result<Histogram::ResetHint> hint(std::string_view text) {
    if (text == "unknown") return Histogram::ResetHint::Unknown;
    if (text == "reset") return Histogram::ResetHint::CounterReset;
    if (text == "not_reset") return Histogram::ResetHint::NotCounterReset;
    if (text == "gauge") return Histogram::ResetHint::Gauge;
    return bad("unknown counter_reset_hint " + quote(text));
}

struct Reader {
    Histogram histogram;
    std::int32_t offset = 0;
    std::int32_t negative_offset = 0;
    bool hint_given = false;

    Result<Unit> set(std::string_view key, std::string_view value) {
        if (key == "buckets" || key == "n_buckets" || key == "custom_values") {
            TRY(std::vector<double> values, list(value));
            (key == "buckets"     ? histogram.positive
             : key == "n_buckets" ? histogram.negative
                                  : histogram.custom_bounds) = std::move(values);
            return Unit{};
        }
        if (key == "schema" || key == "offset" || key == "n_offset") {
            TRY(const std::int32_t whole, integer(value));
            (key == "schema" ? histogram.schema : key == "offset" ? offset : negative_offset) = whole;
            return Unit{};
        }
        if (key == "counter_reset_hint") {
            hint_given = true;
            TRY(histogram.reset_hint, hint(value));
            return Unit{};
        }
        TRY(const double amount, number(value));
        if (key == "sum") {
            histogram.sum = amount;
        } else if (key == "count") {
            histogram.count = amount;
        } else if (key == "z_bucket") {
            histogram.zero_count = amount;
        } else if (key == "z_bucket_w") {
            histogram.zero_threshold = amount;
        } else {
            return bad("unknown key " + quote(key));
        }
        return Unit{};
    }
};

}  // namespace

Result<Histogram> parse_histogram_literal(std::string_view text, bool& hint_given) {
    if (!text.starts_with("{{") || !text.ends_with("}}") || text.size() < 4) return bad(quote(text));
    text = text.substr(2, text.size() - 4);
    Reader reader;
    std::set<std::string_view> seen;
    for (skip_space(text); !text.empty(); skip_space(text)) {
        const std::size_t colon = text.find(':');
        if (colon == std::string_view::npos) return bad("a key without a value: " + quote(text));
        const std::string_view key = text.substr(0, colon);
        text.remove_prefix(colon + 1);
        if (!seen.insert(key).second) return bad("duplicate key " + quote(key));
        TRY_UNIT(reader.set(key, take_value(text)));
    }
    Histogram& histogram = reader.histogram;
    const auto span = [](const std::vector<double>& counts, std::int32_t first) {
        std::vector<tsdb::BucketSpan> spans;
        if (!counts.empty()) spans.push_back({first, static_cast<std::uint32_t>(counts.size())});
        return spans;
    };
    histogram.positive_spans = span(histogram.positive, reader.offset);
    histogram.negative_spans = span(histogram.negative, reader.negative_offset);
    const bool exponential = histogram.schema >= Histogram::kMinSchema && histogram.schema <= Histogram::kMaxSchema;
    if (!exponential && !histogram.custom()) return bad("unknown schema " + std::to_string(histogram.schema));
    hint_given = reader.hint_given;
    return std::move(histogram);
}

}  // namespace stoker::promql
