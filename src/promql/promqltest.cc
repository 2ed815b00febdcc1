#include "promql/promqltest.h"

#include <algorithm>
#include <utility>

#include "promql/format.h"
#include "promql/script_data.h"
#include "promql/start_text.h"

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

bool is_command(std::string_view line) {
    const std::string_view verb = next_word(line);
    return verb == "clear" || verb == "load" || verb == "load_with_nhcb" || verb == "eval" || verb.starts_with("eval_");
}

Error bad_command(std::string_view line) {
    return Error{Errc::InvalidArgument, "cannot read " + quote(line)};
}

// The middle of a range query, as the instant query it should equal.
Value middle_of(Value value, std::int64_t time, bool scalar) {
    Vector vector;
    for (const MatrixSeries& series : std::get<Matrix>(value.data)) {
        for (std::size_t i = 0; i < series.samples.size(); ++i) {
            if (series.samples[i].time != time) continue;
            const tsdb::HistogramPtr histogram = series.histograms.empty() ? nullptr : series.histograms[i];
            vector.push_back({series.labels, series.samples[i], histogram});
        }
    }
    if (scalar && vector.size() == 1) {
        value.data = Scalar{vector[0].sample};
    } else {
        value.data = std::move(vector);
    }
    return value;
}

// Queries that know where they begin and end give something else in a range.
bool knows_its_range(std::string_view query) {
    for (const std::string_view function : {"start()", "end()", "step()", "range()"}) {
        if (query.find(function) != std::string_view::npos) return true;
    }
    return false;
}

}  // namespace

// A command with the lines beneath it.
struct ScriptRunner::Block {
    std::size_t line = 0;
    std::string head;
    std::vector<std::string> body;
};

EngineOptions ScriptRunner::script_options() {
    EngineOptions options;
    options.experimental = true;
    options.delayed_name_removal = true;
    return options;
}

ScriptReport ScriptRunner::run(std::string_view script) {
    std::vector<Block> blocks;
    std::size_t number = 0;
    bool after_blank = true;
    while (!script.empty()) {
        const std::size_t end = std::min(script.find('\n'), script.size());
        const std::string_view line = script.substr(0, end);
        script.remove_prefix(std::min(end + 1, script.size()));
        ++number;
        const std::string_view text = trim(line);
        const bool blank = text.empty() || text.starts_with('#');
        if (!blank) {
            // A block ends at an empty line; a series may be called like a command within one, if it is indented.
            const bool indented = line[0] == ' ' || line[0] == '\t';
            const bool begins =
                blocks.empty() || (is_command(text) && (after_blank || !indented)) || (after_blank && !indented);
            if (begins) blocks.push_back({number, std::string(text), {}});
            if (!begins) blocks.back().body.emplace_back(text);
        }
        after_blank = blank;
    }
    ScriptReport report;
    for (const Block& block : blocks) {
        ScriptMismatch mismatch{block.line, block.head, ""};
        mismatch.difference = run_block(block, mismatch);
        if (!mismatch.difference.empty()) {
            ++report.failed;
            report.mismatches.push_back(std::move(mismatch));
        } else if (block.head.starts_with("eval")) {
            ++report.passed;
        }
    }
    return report;
}

std::string ScriptRunner::run_block(const Block& block, ScriptMismatch& mismatch) {
    std::string_view rest = block.head;
    const std::string_view verb = next_word(rest);
    const auto failed = [](const Error& error) { return "+ " + error.message + "\n"; };
    if (verb == "clear") {
        data_.clear();
        return "";
    }
    if (verb == "load" || verb == "load_with_nhcb") {
        const Result<Unit> done = load(block, rest, verb == "load_with_nhcb");
        return done ? "" : failed(done.error());
    }
    if (verb == "eval" || verb.starts_with("eval_")) {
        const Result<std::string> done =
            evaluate(verb.substr(std::min<std::size_t>(verb.size(), 5)), block, rest, mismatch);
        return done ? *done : failed(done.error());
    }
    return failed(bad_command(block.head));
}

Result<Unit> ScriptRunner::load(const Block& block, std::string_view rest, bool custom_histograms) {
    TRY(const std::int64_t step, read_script_time(next_word(rest)));
    if (!rest.empty() || step <= 0) return bad_command(block.head);
    TRY(const std::vector<SeriesText> all, parse_load(block.body));
    return load_series(data_, all, step, custom_histograms);
}

Result<std::string> ScriptRunner::evaluate(std::string_view mode, const Block& block, std::string_view rest,
                                           ScriptMismatch& mismatch) {
    const std::string_view kind = next_word(rest);
    TRY(const Expectation expected, Expectation::parse(mode, block.body));
    if (kind == "instant") return evaluate_instant(expected, rest, mismatch);
    if (kind == "range") return evaluate_range(expected, rest, mismatch);
    return bad_command(block.head);
}

Result<std::string> ScriptRunner::evaluate_instant(const Expectation& expected, std::string_view rest,
                                                   ScriptMismatch& mismatch) {
    std::int64_t time = 0;
    std::string_view after = rest;
    if (next_word(after) == "at") {
        TRY(time, read_script_time(next_word(after)));
        rest = after;
    }
    mismatch.query = rest;
    ExpectedTimes times{time, time, 1};
    if (expected.range_vector()) {
        times = *expected.range_vector();
        time = times.end;
    }
    const Result<Value> outcome = engine_.instant(data_, rest, from_millis(time));
    const std::string problem = expected.mismatch(outcome, times);
    if (!problem.empty() || !outcome || expected.ordered() || knows_its_range(rest)) return problem;
    const bool scalar = std::holds_alternative<Scalar>(outcome->data);
    if (!scalar && !std::holds_alternative<Vector>(outcome->data)) return problem;

    const Duration step{60'000};
    Result<Value> range = engine_.range(data_, rest, from_millis(time) - step, from_millis(time) + step, step);
    if (!range) return std::string{};  // The neighbouring steps may fail where this one does not.
    const std::string range_problem = expected.value_mismatch(middle_of(*std::move(range), time, scalar), times);
    return range_problem.empty() ? "" : "  as part of a range query:\n" + range_problem;
}

Result<std::string> ScriptRunner::evaluate_range(const Expectation& expected, std::string_view rest,
                                                 ScriptMismatch& mismatch) {
    ExpectedTimes times;
    if (next_word(rest) != "from") return bad_command(rest);
    TRY(times.start, read_script_time(next_word(rest)));
    if (next_word(rest) != "to") return bad_command(rest);
    TRY(times.end, read_script_time(next_word(rest)));
    if (next_word(rest) != "step") return bad_command(rest);
    TRY(times.step, read_script_time(next_word(rest)));
    mismatch.query = rest;
    const auto outcome =
        engine_.range(data_, rest, from_millis(times.start), from_millis(times.end), Duration{times.step});
    return expected.mismatch(outcome, times);
}

}  // namespace stoker::promql
