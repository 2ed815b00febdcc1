#include "twin/trace.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.h"
#include "base/text.h"
#include "base/time.h"

namespace stoker::twin {
namespace {

// The 0th, 5th, ... 100th percentile of the conv trace (19,366 requests in 3,502 s); gaps in units of their mean.
// Prompt and answer length are nearly independent there (correlation -0.11), and are drawn so.
constexpr std::array<double, 21> kPromptTokens = {2,    181,  207,  372,  387,  396,  403,  414,  703,  984,  1020,
                                                  1045, 1071, 1097, 1130, 1189, 1315, 1876, 2734, 4083, 14050};
constexpr std::array<double, 21> kOutputTokens = {7,   41,  54,  67,  77,  85,  91,  96,  103, 113, 129,
                                                  151, 177, 217, 384, 395, 400, 411, 424, 451, 1000};
constexpr std::array<double, 21> kGaps = {0.0,   0.035, 0.089, 0.146, 0.202, 0.267, 0.336, 0.406, 0.483, 0.564, 0.655,
                                          0.761, 0.877, 1.013, 1.181, 1.364, 1.597, 1.913, 2.327, 3.126, 23.86};

// The last 5 % thin out towards the maximum; this power keeps the means of all three where the trace has them.
constexpr double kTailPower = 20;

double draw(const std::array<double, 21>& quantiles, std::mt19937_64& random) {
    double at = std::uniform_real_distribution<double>(0, 20)(random);
    auto below = std::min<std::size_t>(static_cast<std::size_t>(at), 19);
    double within = at - static_cast<double>(below);
    return std::lerp(quantiles[below], quantiles[below + 1], below == 19 ? std::pow(within, kTailPower) : within);
}

std::uint32_t tokens(double count) {
    return static_cast<std::uint32_t>(std::max(1.0, std::round(count)));
}

Error bad_line(std::size_t line, std::string_view what) {
    return {Errc::InvalidArgument, "trace line " + std::to_string(line) + ": " + std::string(what)};
}

// "2023-11-16 18:15:46.6805900": UTC, with up to nine digits of a second.
Result<Nanos> parse_time(std::string_view text) {
    std::string whole(text.substr(0, text.find('.')));
    auto space = whole.find(' ');
    if (space == std::string::npos) return Error{Errc::InvalidArgument, "bad time"};
    whole[space] = 'T';
    TRY(Timestamp seconds, parse_timestamp(whole + "Z"));
    std::int64_t fraction = 0;
    if (auto dot = text.find('.'); dot != std::string_view::npos) {
        std::string digits(text.substr(dot + 1, 9));
        digits.resize(9, '0');
        auto parsed = parse_integer(digits);
        if (!parsed || *parsed < 0) return Error{Errc::InvalidArgument, "bad fraction of a second"};
        fraction = *parsed;
    }
    return Nanos{to_millis(seconds) * 1'000'000 + fraction};
}

}  // namespace

Result<std::vector<TraceRow>> parse_trace(std::string_view csv) {
    std::vector<TraceRow> rows;
    std::size_t number = 0;
    Nanos first{0};
    for (std::string_view line : split(csv, '\n')) {
        ++number;
        line = trim(line);
        if (line.empty()) continue;
        auto fields = split(line, ',');
        if (fields.size() != 3) return bad_line(number, "expected TIMESTAMP,ContextTokens,GeneratedTokens");
        if (number == 1 && trim(fields[0]) == "TIMESTAMP") continue;
        auto at = parse_time(trim(fields[0]));
        if (!at) return bad_line(number, at.error().message);
        auto prompt = parse_integer(trim(fields[1]));
        auto output = parse_integer(trim(fields[2]));
        bool fits = prompt && output && *prompt >= 0 && *output >= 0 && *prompt <= INT32_MAX && *output <= INT32_MAX;
        if (!fits) return bad_line(number, "token counts must be whole numbers");
        if (rows.empty()) first = *at;
        rows.push_back({*at - first, std::max(1u, static_cast<std::uint32_t>(*prompt)),
                        std::max(1u, static_cast<std::uint32_t>(*output))});
    }
    std::stable_sort(rows.begin(), rows.end(), [](const TraceRow& a, const TraceRow& b) { return a.at < b.at; });
    return rows;
}

TrafficShape TrafficShape::conversation(double rate) {
    STOKER_CHECK(rate > 0);
    TrafficShape shape;
    shape.mean_gap_s_ = 1 / rate;
    return shape;
}

TrafficShape TrafficShape::replay(std::vector<TraceRow> rows, double rate) {
    STOKER_CHECK(!rows.empty());
    TrafficShape shape;
    double seconds = std::chrono::duration<double>(rows.back().at - rows.front().at).count();
    double own_rate = seconds > 0 ? static_cast<double>(rows.size() - 1) / seconds : 1;
    shape.mean_gap_s_ = 1 / (rate > 0 ? rate : own_rate);
    shape.scale_ = rate > 0 ? own_rate / rate : 1;
    shape.rows_ = std::move(rows);
    return shape;
}

TrafficShape::Arrival TrafficShape::next(std::mt19937_64& random) {
    auto seconds = [](double s) { return Nanos{static_cast<std::int64_t>(s * 1e9)}; };
    if (rows_.empty()) {
        return {seconds(draw(kGaps, random) * mean_gap_s_), tokens(draw(kPromptTokens, random)),
                tokens(draw(kOutputTokens, random))};
    }
    const TraceRow& row = rows_[position_];
    // Between the last row and the first of the next round: an ordinary gap.
    Nanos gap = position_ == 0
                    ? seconds(mean_gap_s_)
                    : seconds(std::chrono::duration<double>(row.at - rows_[position_ - 1].at).count() * scale_);
    position_ = (position_ + 1) % rows_.size();
    return {gap, row.prompt_tokens, row.output_tokens};
}

}  // namespace stoker::twin
