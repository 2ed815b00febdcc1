#include "promql/start_text.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "promql/format.h"
#include "promql/lexer.h"
#include "promql/series_text.h"

namespace stoker::promql {

namespace {

constexpr std::string_view kMark = "@st";
constexpr std::string_view kSpaces = " \t\r";
constexpr std::size_t kMostSteps = 1'000'000;
constexpr std::int64_t kFurthest = std::int64_t{1} << 52;

Error bad_item(std::string_view text) {
    return Error{Errc::InvalidArgument, "bad start timestamp: " + quote(text)};
}

// A duration with a sign or without, up to what can't be part of it.
bool take_offset(std::string_view& text, std::int64_t& millis) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    const std::size_t length = std::min(text.find_first_of("+-x*_"), text.size());
    if (!read_duration(text.substr(0, length), millis)) return false;
    if (negative) millis = -millis;
    text.remove_prefix(length);
    return true;
}

// `xN`, all of `text`; without it `times` stays as it is.
bool take_times(std::string_view text, std::size_t& times) {
    if (text.empty()) return true;
    if (text.front() != 'x') return false;
    const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), times);
    return error == std::errc() && end == text.data() + text.size() && times <= kMostSteps;
}

Result<Unit> append_item(const std::string_view item, std::vector<StartOffset>& offsets) {
    std::string_view rest = item;
    std::size_t times = 0;
    if (rest.starts_with('_')) {
        times = 1;
        if (!take_times(rest.substr(1), times) || times == 0) return bad_item(item);
        offsets.insert(offsets.end(), times, std::nullopt);
        return Unit{};
    }
    std::int64_t offset = 0;
    std::int64_t step = 0;
    if (rest.starts_with('*')) {
        const auto last =
            std::find_if(offsets.rbegin(), offsets.rend(), [](StartOffset one) { return one.has_value(); });
        if (last == offsets.rend()) return bad_item(item);
        offset = **last;
        rest.remove_prefix(1);
    } else {
        if (!take_offset(rest, offset)) return bad_item(item);
        const bool moves = rest.starts_with('+') || rest.starts_with('-');
        if (moves && (!take_offset(rest, step) || rest.empty())) return bad_item(item);
    }
    if (!take_times(rest, times)) return bad_item(item);
    const auto steps = static_cast<std::int64_t>(times);
    if (std::abs(offset) > kFurthest || (steps > 0 && std::abs(step) > kFurthest / steps)) return bad_item(item);
    for (std::size_t i = 0; i <= times; ++i) offsets.emplace_back(offset + static_cast<std::int64_t>(i) * step);
    return Unit{};
}

// How long the metric before the mark is; npos if there is no mark.
std::size_t mark_position(std::string_view line) {
    for (std::size_t at = line.find(kMark); at != std::string_view::npos; at = line.find(kMark, at + 1)) {
        const std::string_view behind = line.substr(at + kMark.size());
        if (!behind.empty() && kSpaces.find(behind.front()) == std::string_view::npos) continue;
        if (at == 0) return at;
        const auto metric = parse_series_text(line.substr(0, at));
        if (metric && metric->values.empty()) return at;  // Otherwise it is part of a label's value.
    }
    return std::string_view::npos;
}

}  // namespace

Result<std::optional<StartText>> parse_start_text(std::string_view line) {
    line.remove_prefix(std::min(line.find_first_not_of(kSpaces), line.size()));
    const std::size_t metric = mark_position(line);
    if (metric == std::string_view::npos) return std::optional<StartText>{};
    StartText text;
    if (metric != 0) {
        TRY(SeriesText series, parse_series_text(line.substr(0, metric)));
        text.labels = std::move(series.labels);
    }
    line.remove_prefix(metric + kMark.size());
    for (;;) {
        line.remove_prefix(std::min(line.find_first_not_of(kSpaces), line.size()));
        if (line.empty()) break;
        const std::string_view item = line.substr(0, line.find_first_of(kSpaces));
        TRY_UNIT(append_item(item, text.offsets));
        line.remove_prefix(item.size());
        if (text.offsets.size() > kMostSteps) return bad_item("too many steps");
    }
    if (text.offsets.empty()) return bad_item("none");
    return std::optional(std::move(text));
}

}  // namespace stoker::promql
