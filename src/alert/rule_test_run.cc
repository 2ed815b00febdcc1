#include "alert/rule_test_run.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "alert/rule_file.h"
#include "alert/rule_group.h"
#include "base/text.h"
#include "promql/format.h"
#include "promql/histogram_text.h"
#include "promql/memory_querier.h"
#include "promql/series_text.h"

namespace stoker::alert {
namespace {

// A test plays at most so many evaluations; an interval of a millisecond over a year is a slip of the pen.
constexpr std::int64_t kMostSteps = 10'000'000;

// A series to be played: one value a step.
struct Played {
    promql::SeriesText text;
    std::size_t next = 0;
};

// What is expected and what came, side by side; empty if it is the same.
std::string difference(std::vector<std::string> expected, std::vector<std::string> got) {
    std::sort(expected.begin(), expected.end());
    std::sort(got.begin(), got.end());
    if (expected == got) return "";
    std::string out;
    auto want = expected.begin();
    auto have = got.begin();
    while (want != expected.end() || have != got.end()) {
        if (have == got.end() || (want != expected.end() && *want < *have)) {
            out += "- " + *want++ + "\n";
        } else if (want == expected.end() || *have < *want) {
            out += "+ " + *have++ + "\n";
        } else {
            out += "  " + *want++ + "\n";
            ++have;
        }
    }
    return out;
}

std::string alert_text(const Texts& labels, const Texts& annotations) {
    std::string out = "{";
    for (const auto& [name, value] : labels) out += (out.size() > 1 ? ", " : "") + name + "=" + promql::quote(value);
    out += "}";
    for (const auto& [name, value] : annotations) out += " " + name + "=" + promql::quote(value);
    return out;
}

Texts as_texts(const tsdb::Labels& labels) {
    Texts made;
    for (const auto& [name, value] : labels) made[name] = value;
    return made;
}

struct ComparedSample {
    tsdb::Labels labels;
    double value = 0;
    std::string histogram;

    std::string text() const {
        const std::string name = labels.text();
        return (name.empty() ? "{}" : name) + " " + (histogram.empty() ? promql::format_float(value) : histogram);
    }
};

// As promtool compares: NaN equals nothing; with `fuzzy`, numbers one step apart are equal.
bool same_value(const ComparedSample& a, const ComparedSample& b, bool fuzzy) {
    if (a.histogram != b.histogram) return false;
    if (!a.histogram.empty() || a.value == b.value) return true;
    return fuzzy && (std::nextafter(a.value, std::numeric_limits<double>::infinity()) == b.value ||
                     std::nextafter(a.value, -std::numeric_limits<double>::infinity()) == b.value);
}

// The values with `0x20` as `0+0x20`: in these files it is zero, repeated, and never a hexadecimal number.
std::string without_hex(std::string_view values) {
    std::string out;
    for (const std::string_view word : split(values, ' ')) {
        if (!out.empty()) out += ' ';
        out += word.starts_with("0x") ? "0+" + std::string(word) : std::string(word);
    }
    return out;
}

class GroupRun {
public:
    GroupRun(const RuleTestFile& file, const RuleTestGroup& tests, const promql::Engine& engine, RuleTestReport& report)
        : file_(file),
          tests_(tests),
          engine_(engine),
          report_(report),
          query_([this](std::string_view expr, Timestamp at) { return engine_.instant(data_, expr, at); }) {}

    void run(const std::vector<RuleGroupSpec>& specs) {
        if (!load()) return;
        for (const RuleGroupSpec& spec : specs) groups_.emplace_back(spec);
        ExpanderOptions options;
        options.external_labels = tests_.external_labels;
        options.external_url = tests_.external_url;
        options.query = query_;
        const Expander expander(std::move(options));
        const ExpandFn expand = [&](std::string_view text, const AlertData& data) {
            return expander.expand(text, data);
        };

        const std::int64_t interval = file_.evaluation_interval.count();
        const std::int64_t end = last_time();
        if (end / interval > kMostSteps)
            return fail(tests_.line, "", "too many evaluations: " + std::to_string(end / interval));
        for (std::int64_t time = 0; time <= end; time += interval) {
            play(time);
            if (!evaluate(time, expand)) return;
            for (const AlertTest& test : tests_.alert_tests) {
                const std::int64_t at = test.eval_time.count();
                if (time <= at && at < time + interval) check(test);
            }
        }
        play(end);
        for (const ExprTest& test : tests_.expr_tests) check(test);
    }

private:
    void fail(int line, std::string test, std::string what) {
        report_.failures.push_back({line, std::move(test), tests_.name, std::move(what)});
    }

    bool load() {
        for (const InputSeries& input : tests_.input_series) {
            auto parsed = promql::parse_series_text(input.series + " " + without_hex(input.values));
            if (!parsed) {
                fail(input.line, "input series " + input.series, parsed.error().message);
                return false;
            }
            played_.push_back({*std::move(parsed), 0});
        }
        return true;
    }

    std::int64_t last_time() const {
        Duration last{0};
        for (const AlertTest& test : tests_.alert_tests) last = std::max(last, test.eval_time);
        for (const ExprTest& test : tests_.expr_tests) last = std::max(last, test.eval_time);
        return last.count();
    }

    // Adds the input up to `time`, so that rules see no future and their own series grow in order.
    void play(std::int64_t time) {
        const Duration interval = tests_.interval == Duration{0} ? file_.evaluation_interval : tests_.interval;
        for (Played& series : played_) {
            for (; series.next < series.text.values.size(); ++series.next) {
                const std::int64_t at = static_cast<std::int64_t>(series.next) * interval.count();
                if (at > time) break;
                add_value(series.text, series.next, at);
            }
        }
    }

    void add_value(const promql::SeriesText& series, std::size_t index, std::int64_t at) {
        const promql::SeriesValue& value = series.values[index];
        if (value.stale) {
            add({series.labels, {at, tsdb::stale_marker()}});
        } else if (value.point.histogram != nullptr) {
            add({series.labels, {at, tsdb::histogram_marker()}, value.point.histogram});
        } else if (!tsdb::is_stale(value.point.value)) {  // Else no sample at this step.
            add({series.labels, {at, value.point.value}});
        }
    }

    void add(const tsdb::SeriesSample& sample) {
        const auto [last, fresh] = newest_.try_emplace(sample.labels, sample.sample.time);
        if (!fresh && last->second >= sample.sample.time) return;  // A store refuses that too.
        last->second = sample.sample.time;
        data_.add(sample.labels, sample.sample, sample.histogram);
    }

    bool evaluate(std::int64_t time, const ExpandFn& expand) {
        bool good = true;
        for (RuleGroup& group : groups_) {
            group.evaluate(
                from_millis(time), query_, expand,
                [this](const std::vector<tsdb::SeriesSample>& samples) {
                    for (const tsdb::SeriesSample& sample : samples) add(sample);
                    return Result<Unit>(Unit{});
                },
                nullptr);
            for (const RuleStatus& rule : group.status().rules) {
                if (rule.error.empty()) continue;
                fail(tests_.line, "rule " + rule.spec.name + " at " + format_duration(Duration{time}), rule.error);
                good = false;
            }
        }
        return good;
    }

    void check(const AlertTest& test) {
        std::vector<std::string> expected;
        for (const ExpectedAlert& alert : test.alerts) {
            Texts labels = alert.labels;
            labels["alertname"] = test.alertname;
            expected.push_back(alert_text(labels, alert.annotations));
        }
        std::vector<std::string> got;
        for (const RuleGroup& group : groups_) {
            for (const RuleStatus& rule : group.status().rules) {
                if (rule.spec.kind != RuleSpec::Kind::Alerting || rule.spec.name != test.alertname) continue;
                for (const ActiveAlert& alert : rule.alerts) {
                    if (alert.phase == Phase::Firing)
                        got.push_back(alert_text(as_texts(alert.labels), alert.annotations));
                }
            }
        }
        std::string what = difference(std::move(expected), std::move(got));
        if (what.empty()) {
            ++report_.passed;
            return;
        }
        fail(test.line, "alert " + test.alertname + " at " + format_duration(test.eval_time), std::move(what));
    }

    void check(const ExprTest& test) {
        auto outcome = compare(test);
        const std::string name = "expr " + promql::quote(test.expr) + " at " + format_duration(test.eval_time);
        if (!outcome) {
            fail(test.line, name, outcome.error().message);
        } else if (!outcome->empty()) {
            fail(test.line, name, *std::move(outcome));
        } else {
            ++report_.passed;
        }
    }

    // The difference, empty if there is none.
    Result<std::string> compare(const ExprTest& test) {
        TRY(const promql::Value value, query_(test.expr, from_millis(test.eval_time.count())));
        std::vector<ComparedSample> got;
        if (const auto* scalar = std::get_if<promql::Scalar>(&value.data)) {
            got.push_back({{}, scalar->sample.value, ""});
        } else if (const auto* vector = std::get_if<promql::Vector>(&value.data)) {
            for (const promql::VectorSample& sample : *vector) {
                got.push_back({sample.labels, sample.sample.value,
                               sample.histogram == nullptr ? "" : promql::histogram_literal(*sample.histogram)});
            }
        } else {
            return Error{Errc::InvalidArgument, "rule result is not a vector or scalar"};
        }
        std::vector<ComparedSample> expected;
        for (const ExpectedSample& sample : test.samples) {
            TRY(ComparedSample made, expected_sample(sample));
            expected.push_back(std::move(made));
        }
        const auto by_labels = [](const ComparedSample& a, const ComparedSample& b) { return a.labels < b.labels; };
        std::stable_sort(got.begin(), got.end(), by_labels);
        std::stable_sort(expected.begin(), expected.end(), by_labels);
        const bool same =
            std::equal(got.begin(), got.end(), expected.begin(), expected.end(), [this](const auto& a, const auto& b) {
                return a.labels == b.labels && same_value(a, b, file_.fuzzy_compare);
            });
        if (same) return std::string();
        std::vector<std::string> want;
        std::vector<std::string> have;
        for (const ComparedSample& sample : expected) want.push_back(sample.text());
        for (const ComparedSample& sample : got) have.push_back(sample.text());
        const std::string shown = difference(want, have);
        return shown.empty() ? std::string("NaN equals nothing, as promtool compares\n") : shown;
    }

    static Result<ComparedSample> expected_sample(const ExpectedSample& sample) {
        ComparedSample made;
        made.value = sample.value;
        const std::string_view labels = trim(sample.labels);
        const std::string metric = labels.empty() ? "{}" : std::string(labels);
        TRY(promql::SeriesText parsed, promql::parse_series_text(metric));
        made.labels = std::move(parsed.labels);
        if (sample.histogram.empty()) return made;
        bool hint_given = false;
        TRY(const tsdb::Histogram histogram, promql::parse_histogram_literal(trim(sample.histogram), hint_given));
        made.histogram = promql::histogram_literal(histogram);
        return made;
    }

    const RuleTestFile& file_;
    const RuleTestGroup& tests_;
    const promql::Engine& engine_;
    RuleTestReport& report_;
    const QueryFn query_;
    promql::MemoryQuerier data_;
    std::vector<Played> played_;
    std::map<tsdb::Labels, std::int64_t> newest_;  // Time of the last sample of each series.
    std::vector<RuleGroup> groups_;
};

}  // namespace

RuleTestReport run_rule_tests(const RuleTestFile& file, promql::EngineOptions options) {
    RuleTestReport report;
    report.file = file.file;
    for (const config::Problem& problem : file.problems) {
        report.failures.push_back({problem.line, "", "", problem.text()});
    }
    if (!file.problems.empty()) return report;
    options.subquery_step = file.evaluation_interval;
    const promql::Engine engine(options);
    const auto folder = std::filesystem::path(file.file).parent_path();
    RuleFiles rules;
    for (const std::string& pattern : file.rule_files) {
        RuleFiles some = read_rule_files({pattern}, folder.empty() ? "." : folder.string(),
                                         [&](std::string_view expr) { return engine.check(expr); });
        // For promtool, a plain path that is not there is a pattern that matches nothing.
        const bool missing = some.files.empty();
        if (missing) report.warnings.push_back("no file matches " + pattern);
        for (const config::Problem& problem : some.problems) {
            if (!missing) report.failures.push_back({0, "rules", "", problem.text()});
        }
        std::move(some.groups.begin(), some.groups.end(), std::back_inserter(rules.groups));
    }
    if (!report.failures.empty()) return report;
    std::map<std::string, std::size_t> order;
    for (std::size_t i = 0; i < file.group_eval_order.size(); ++i) order[file.group_eval_order[i]] = i;
    // Those not named come with the first, as in promtool.
    std::stable_sort(rules.groups.begin(), rules.groups.end(),
                     [&](const RuleGroupSpec& a, const RuleGroupSpec& b) { return order[a.name] < order[b.name]; });
    for (const RuleTestGroup& tests : file.tests) GroupRun(file, tests, engine, report).run(rules.groups);
    return report;
}

}  // namespace stoker::alert
