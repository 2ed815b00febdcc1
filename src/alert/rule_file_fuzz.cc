// Any bytes at all are read as a rule file and as a file of its tests, or refused; small tests also run.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "alert/rule_file.h"
#include "alert/rule_lint.h"
#include "alert/rule_test_file.h"
#include "alert/rule_test_run.h"
#include "promql/engine.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    static const stoker::promql::Engine engine;
    const std::string_view text(reinterpret_cast<const char*>(bytes), size);
    const auto rules =
        stoker::alert::parse_rule_file(text, "f", [](std::string_view expr) { return engine.check(expr); });
    if (rules.problems.empty()) (void)stoker::alert::find_duplicate_rules(rules.groups);
    auto tests = stoker::alert::parse_rule_test_file(text, "f");
    tests.rule_files.clear();  // No files but this one.
    for (auto& group : tests.tests) {
        for (auto& test : group.alert_tests) test.eval_time = std::min(test.eval_time, stoker::Duration{500});
        for (auto& test : group.expr_tests) test.eval_time = std::min(test.eval_time, stoker::Duration{500});
    }
    stoker::promql::EngineOptions options;
    options.timeout = stoker::Duration{100};
    options.max_samples = 10'000;
    (void)stoker::alert::run_rule_tests(tests, options);
    return 0;
}
