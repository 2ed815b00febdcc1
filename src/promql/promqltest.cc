#include "promql/promqltest.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "promql/expectation.h"
#include "promql/format.h"
#include "promql/lexer.h"
#include "promql/parser.h"

namespace stoker::promql {

namespace {

std::string_view trim(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string_view next_word(std::string_view& text) {
    text = trim(text);
    const std::size_t length = std::min(text.find_first_of(" \t"), text.size());
    const std::string_view word = text.substr(0, length);
    text = trim(text.substr(length));
    return word;
}

// A time since zero: "5m", or seconds as a bare number.
Result<std::int64_t> read_time(std::string_view word) {
    std::int64_t millis = 0;
    const bool negative = word.starts_with('-');
    const std::string_view size = negative ? word.substr(1) : word;
    double seconds = 0;
    if (read_number(size, seconds)) {
        millis = static_cast<std::int64_t>(seconds * 1000);
    } else if (!read_duration(size, millis)) {
        return Error{Errc::InvalidArgument, "bad time " + quote(word)};
    }
    return negative ? -millis : millis;
}

Error bad_command(std::string_view line) {
    return Error{Errc::InvalidArgument, "cannot read " + quote(line)};
}

// The middle of a range query, as the instant query it should equal.
Result<Value> middle_of(Result<Value> outcome, std::int64_t time, bool scalar) {
    if (!outcome) return outcome;
    Vector vector;
    for (const MatrixSeries& series : std::get<Matrix>(outcome->data)) {
        for (const tsdb::Sample& sample : series.samples) {
            if (sample.time == time) vector.push_back({series.labels, sample});
        }
    }
    if (scalar && vector.size() == 1) {
        outcome->data = Scalar{vector[0].sample};
    } else {
        outcome->data = std::move(vector);
    }
    return outcome;
}

}  // namespace

// A command with the indented lines beneath it.
struct ScriptRunner::Block {
    std::size_t line = 0;
    std::string head;
    std::vector<std::string> body;
};

Result<Unit> ScriptRunner::run(std::string_view script) {
    std::vector<Block> blocks;
    std::size_t number = 0;
    while (!script.empty()) {
        const std::size_t end = std::min(script.find('\n'), script.size());
        const std::string_view line = script.substr(0, end);
        script.remove_prefix(std::min(end + 1, script.size()));
        ++number;
        const std::string_view text = trim(line);
        if (text.empty() || text.starts_with('#')) continue;
        const bool indented = line[0] == ' ' || line[0] == '\t';
        if (!indented) {
            blocks.push_back({number, std::string(text), {}});
        } else if (!blocks.empty()) {
            blocks.back().body.emplace_back(text);
        } else {
            return bad_command(text);
        }
    }
    std::string problems;
    for (const Block& block : blocks) {
        std::string_view head = block.head;
        const std::string_view verb = next_word(head);
        Result<Unit> done = Unit{};
        if (verb == "clear") {
            data_.clear();
        } else if (verb == "load") {
            done = load(block);
        } else if (verb == "eval") {
            done = evaluate(block);
        } else {
            done = bad_command(block.head);
        }
        if (!done) {
            problems += "line " + std::to_string(block.line) + ": " + block.head + "\n" + done.error().message + "\n";
        }
    }
    if (!problems.empty()) return Error{Errc::InvalidArgument, problems};
    return Unit{};
}

Result<Unit> ScriptRunner::load(const Block& block) {
    std::string_view head = block.head;
    next_word(head);
    TRY(const std::int64_t step, read_time(next_word(head)));
    for (const std::string& line : block.body) {
        TRY(const SeriesText series, parse_series_text(line));
        for (std::size_t i = 0; i < series.values.size(); ++i) {
            if (series.values[i]) data_.add(series.labels, {static_cast<std::int64_t>(i) * step, *series.values[i]});
        }
    }
    return Unit{};
}

Result<Unit> ScriptRunner::evaluate(const Block& block) {
    std::string_view head = block.head;
    next_word(head);
    ++evaluations_;
    const std::string_view kind = next_word(head);
    if (kind == "instant") return evaluate_instant(block, head);
    if (kind == "range") return evaluate_range(block, head);
    return bad_command(block.head);
}

Result<Unit> ScriptRunner::evaluate_instant(const Block& block, std::string_view rest) {
    if (next_word(rest) != "at") return bad_command(block.head);
    TRY(const std::int64_t time, read_time(next_word(rest)));
    TRY(const Expectation expected, Expectation::parse(block.body));
    const Result<Value> outcome = engine_.instant(data_, rest, from_millis(time));
    const std::string problem = expected.mismatch(outcome, time, 1);
    if (!problem.empty()) return Error{Errc::InvalidArgument, problem};

    const bool own_bounds = rest.find("start()") != rest.npos || rest.find("end()") != rest.npos;
    if (!outcome || expected.ordered() || own_bounds) return Unit{};
    const bool scalar = std::holds_alternative<Scalar>(outcome->data);
    if (!scalar && !std::holds_alternative<Vector>(outcome->data)) return Unit{};
    const Duration step{60'000};
    Result<Value> range = engine_.range(data_, rest, from_millis(time) - step, from_millis(time) + step, step);
    if (!range && !expected.fails()) return Unit{};  // The neighbouring steps may fail where this one does not.
    std::string range_problem = expected.mismatch(middle_of(std::move(range), time, scalar), time, 1);
    if (range_problem.empty()) return Unit{};
    return Error{Errc::InvalidArgument, "as part of a range query: " + range_problem};
}

Result<Unit> ScriptRunner::evaluate_range(const Block& block, std::string_view rest) {
    if (next_word(rest) != "from") return bad_command(block.head);
    TRY(const std::int64_t start, read_time(next_word(rest)));
    if (next_word(rest) != "to") return bad_command(block.head);
    TRY(const std::int64_t end, read_time(next_word(rest)));
    if (next_word(rest) != "step") return bad_command(block.head);
    TRY(const std::int64_t step, read_time(next_word(rest)));
    TRY(const Expectation expected, Expectation::parse(block.body));
    const auto outcome = engine_.range(data_, rest, from_millis(start), from_millis(end), Duration{step});
    const std::string problem = expected.mismatch(outcome, start, step);
    if (!problem.empty()) return Error{Errc::InvalidArgument, problem};
    return Unit{};
}

}  // namespace stoker::promql
