#include "alert/template.h"

#include <gtest/gtest.h>

#include <limits>

namespace stoker::alert {
namespace {

// The expansion for {instance="gpu-1:9400", job="dcgm"}, or the error's message after "error: ".
std::string expanded(std::string_view text, double value = 0) {
    const tsdb::Labels labels{{"instance", "gpu-1:9400"}, {"job", "dcgm"}, {"odd name", "x"}};
    const auto result = expand(text, labels, value);
    return result ? *result : "error: " + result.error().message;
}

std::string humanized(const std::string& function, double value) {
    return expanded("{{ $value | " + function + " }}", value);
}

TEST(Template, LabelsAndValue) {
    EXPECT_EQ(expanded("no actions"), "no actions");
    EXPECT_EQ(expanded("{{ $labels.instance }} of {{$labels.job}} is down"), "gpu-1:9400 of dcgm is down");
    EXPECT_EQ(expanded("{{ .Labels.job }}={{ .Value }}", 2.5), "dcgm=2.5");
    EXPECT_EQ(expanded("[{{ $labels.none }}]"), "[]");
    EXPECT_EQ(expanded("{{ index $labels \"odd name\" }}"), "x");
    EXPECT_EQ(expanded("a {{- $labels.job -}} b"), "adcgmb");
    EXPECT_EQ(expanded("a{{/* why */}}b"), "ab");
    EXPECT_EQ(expanded("{{ \"}}\" }}"), "}}");
}

TEST(Template, ValuesAsGoPrintsThem) {
    EXPECT_EQ(expanded("{{ $value }}", 0), "0");
    EXPECT_EQ(expanded("{{ $value }}", 123456), "123456");
    EXPECT_EQ(expanded("{{ $value }}", 1234567), "1.234567e+06");
    EXPECT_EQ(expanded("{{ $value }}", 0.00001), "1e-05");
    EXPECT_EQ(expanded("{{ $value }}", std::numeric_limits<double>::infinity()), "+Inf");
}

TEST(Template, Printf) {
    EXPECT_EQ(expanded("{{ printf \"%.2f\" $value }}", 3.14159), "3.14");
    EXPECT_EQ(expanded("{{ $value | printf \"%.1f%%\" }}", 12.34), "12.3%");
    EXPECT_EQ(expanded("{{ printf \"%8.1f|%-6s|%v\" $value $labels.job \"x\" }}", 1.25), "     1.2|dcgm  |x");
    EXPECT_EQ(expanded("{{ printf \"%.2f\" $value }}", std::numeric_limits<double>::quiet_NaN()), "NaN");
    EXPECT_EQ(expanded("{{ $labels.job | toUpper | printf \"<%s>\" }}"), "<DCGM>");
}

TEST(Template, Humanize) {
    EXPECT_EQ(humanized("humanize", 0), "0");
    EXPECT_EQ(humanized("humanize", 1234567), "1.235M");
    EXPECT_EQ(humanized("humanize", -0.00012), "-120u");
    EXPECT_EQ(humanized("humanize1024", 1048576), "1Mi");
    EXPECT_EQ(humanized("humanize1024", 0.5), "0.5");
    EXPECT_EQ(humanized("humanizePercentage", 0.12345), "12.35%");
}

TEST(Template, HumanizeDuration) {
    EXPECT_EQ(humanized("humanizeDuration", 0), "0s");
    EXPECT_EQ(humanized("humanizeDuration", 1), "1s");
    EXPECT_EQ(humanized("humanizeDuration", 59.789), "59.79s");
    EXPECT_EQ(humanized("humanizeDuration", 60), "1m 0s");
    EXPECT_EQ(humanized("humanizeDuration", 3600), "1h 0m 0s");
    EXPECT_EQ(humanized("humanizeDuration", 90061), "1d 1h 1m 1s");
    EXPECT_EQ(humanized("humanizeDuration", -125), "-2m 5s");
    EXPECT_EQ(humanized("humanizeDuration", .1), "100ms");
    EXPECT_EQ(humanized("humanizeDuration", std::numeric_limits<double>::quiet_NaN()), "NaN");
}

TEST(Template, Errors) {
    EXPECT_EQ(expanded("x {{ $value"), "error: template: unclosed action at offset 2");
    EXPECT_EQ(expanded("{{ }}"), "error: template: at offset 0: missing value for command");
    EXPECT_EQ(expanded("{{ $other }}"), "error: template: at offset 0: undefined variable \"$other\"");
    EXPECT_EQ(expanded("{{ nothing $value }}"), "error: template: at offset 0: function \"nothing\" not defined");
    EXPECT_EQ(expanded("{{ $value | $labels.job }}"),
              "error: template: at offset 0: can't give argument to non-function");
    EXPECT_EQ(expanded("{{ if $value }}x{{ end }}"), "error: template: at offset 0: {{ if }} is not supported");
    EXPECT_EQ(expanded("{{ printf \"%n\" $value }}"),
              "error: template: at offset 0: printf: %n is not supported (use %f, %e, %g, %s, %v or %q)");
    EXPECT_EQ(expanded("{{ printf \"%.999f\" $value }}"),
              "error: template: at offset 0: printf: bad format \"%.999f\"");
    EXPECT_EQ(expanded("{{ $labels.job | humanize }}"),
              "error: template: at offset 0: humanize: \"dcgm\" is no number");
    EXPECT_FALSE(check_template("{{ nothing }}").has_value());
    EXPECT_TRUE(check_template("{{ $value | humanize }} {{ $labels.limit | humanize1024 }}").has_value());
}

}  // namespace
}  // namespace stoker::alert
