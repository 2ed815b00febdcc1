#include "alert/template.h"

#include <gtest/gtest.h>

#include <limits>

namespace stoker::alert {
namespace {

// Answers `up` with two samples, `none` with none, anything else with an error.
Result<promql::Value> answer(std::string_view query, Timestamp) {
    promql::Vector vector;
    if (query == "up") {
        vector.push_back({tsdb::Labels{{"__name__", "up"}, {"i", "b"}}, {0, 1}});
        vector.push_back({tsdb::Labels{{"__name__", "up"}, {"i", "a"}}, {0, 0.5}});
    } else if (query != "none") {
        return Error{Errc::InvalidArgument, "no such query"};
    }
    return promql::Value{vector, {}, {}};
}

// The expansion for an alert A, or the error's message after "error: ".
std::string expanded(std::string_view text, double value = 0, TemplateLimits limits = {}) {
    ExpanderOptions options;
    options.external_labels = {{"cluster", "eu"}};
    options.external_url = "http://stoker:8701/base/path";
    options.query = answer;
    options.limits = limits;
    const Expander expander(options);
    const tsdb::Labels labels{{"__name__", "x"}, {"instance", "gpu-1:9400"}, {"job", "dcgm"}, {"odd name", "x"}};
    const auto result = expander.expand(text, {labels, value, {}, from_millis(1'500), "A"});
    return result ? *result : "error: " + result.error().message;
}

// What is wrong, without the place.
std::string problem(std::string_view text) {
    std::string message = expanded(text);
    EXPECT_TRUE(message.starts_with("error: ")) << message;
    const std::size_t at = message.find(">: ");
    if (at != std::string::npos) return message.substr(at + 3);
    return message.substr(std::min(message.size(), message.find("__alert_A:1: ") + 13));
}

struct Row {
    const char* text;
    const char* result;
};

void expect_all(std::initializer_list<Row> rows, double value = 0) {
    for (const Row& row : rows) EXPECT_EQ(expanded(row.text, value), row.result) << row.text;
}

TEST(Template, LabelsAndValue) {
    expect_all({
        {"no actions", "no actions"},
        {"{{ $labels.instance }} of {{$labels.job}} is down", "gpu-1:9400 of dcgm is down"},
        {"{{ .Labels.job }}={{ .Value }}", "dcgm=0"},
        {"[{{ $labels.none }}]", "[]"},
        {"{{ index $labels \"odd name\" }}", "x"},
        {"a {{- $labels.job -}} b", "adcgmb"},
        {"a\n {{- /* why */ -}} \n b", "ab"},
        {"a{{/* why */}}b{{/* * / */}}c", "abc"},
        {"{{ \"}}\" }}{{ `{{` }}", "}}{{"},
        {"{{ $externalLabels.cluster }} {{ $externalURL }} {{ .ExternalURL }}",
         "eu http://stoker:8701/base/path http://stoker:8701/base/path"},
        {"{{ $labels }}", "map[__name__:x instance:gpu-1:9400 job:dcgm odd name:x]"},
    });
}

TEST(Template, ValuesAsGoPrintsThem) {
    EXPECT_EQ(expanded("{{ $value }}", 0), "0");
    EXPECT_EQ(expanded("{{ $value }}", 123456), "123456");
    EXPECT_EQ(expanded("{{ $value }}", 1234567), "1.234567e+06");
    EXPECT_EQ(expanded("{{ $value }}", 0.00001), "1e-05");
    EXPECT_EQ(expanded("{{ $value }}", std::numeric_limits<double>::infinity()), "+Inf");
    expect_all({{"{{ 1 }} {{ 1.0 }} {{ 0x1f }} {{ 1_000 }} {{ -2 }} {{ 1e3 }} {{ 'a' }} {{ true }}",
                 "1 1 31 1000 -2 1000 97 true"}});
}

TEST(Template, Branches) {
    expect_all({
        {"{{ if true }}a{{ else }}b{{ end }}", "a"},
        {"{{ if eq 1 2 }}a{{ else if eq 1 1 }}b{{ else }}c{{ end }}", "b"},
        {"{{ if false }}a{{ else if false }}b{{ else if false }}c{{ else }}d{{ end }}", "d"},
        {"{{ with $labels.job }}[{{ . }}]{{ end }}{{ with $labels.zz }}x{{ else }}none{{ end }}", "[dcgm]none"},
        {"{{ with $x := 5 }}{{ $x }}{{ end }}", "5"},
        {"{{ with false }}{{ else with 7 }}{{ . }}{{ end }}", "7"},
        {"{{ if $labels.job }}{{ if $labels.zz }}no{{ end }}yes{{ end }}", "yes"},
        {"{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $x := 3 }}{{ end }}{{ $x }}", "2"},
        {"{{ if gt $value 1.0 }}high{{ else }}low{{ end }}", "low"},
    });
}

TEST(Template, Ranges) {
    expect_all({
        {"{{ range $k, $v := $externalLabels }}{{ $k }}={{ $v }};{{ end }}", "cluster=eu;"},
        {"{{ range query `up` }}{{ .Labels.i }}:{{ .Value }} {{ end }}", "b:1 a:0.5 "},
        {"{{ range query `up` | sortByLabel `i` }}{{ .Labels.i }}{{ end }}", "ab"},
        {"{{ range $i, $s := query `up` }}{{ $i }}{{ $s.Labels.i }}{{ end }}", "0b1a"},
        {"{{ range query `none` }}x{{ else }}nothing{{ end }}", "nothing"},
        {"{{ range 4 }}{{ if eq . 2 }}{{ continue }}{{ end }}{{ . }}{{ end }}", "013"},
        {"{{ range $i := 5 }}{{ if gt $i 1 }}{{ break }}{{ end }}{{ $i }}{{ end }}", "01"},
        {"{{ range args 1 `b` }}{{ . }}{{ end }}", "1b"},
        {"{{ $n := 0 }}{{ range 3 }}{{ $n = . }}{{ end }}{{ $n }}", "2"},
    });
}

TEST(Template, NamedTemplates) {
    expect_all({
        {"{{ define `t` }}<{{ . }}>{{ end }}{{ template `t` 5 }}{{ template `t` }}", "<5><<no value>>"},
        {"{{ define `t` }}{{ .arg0 }}-{{ .arg1 }}{{ end }}{{ template `t` (args 1 `x`) }}", "1-x"},
        {"{{ block `b` 1 }}[{{ . }}]{{ end }}{{ template `b` 2 }}", "[1][2]"},
        {"{{ define `a` }}A{{ end }}{{ define `b` }}B{{ end }}{{ tmpl (print `` `b`) 1 }}", "B"},
        {"{{ define `t` }}{{ $.job }}{{ end }}{{ template `t` $labels }}", "dcgm"},
    });
}

TEST(Template, Logic) {
    expect_all({
        {"{{ and 1 0 2 }} {{ or 0 `x` }} {{ not 1 }} {{ and true (or false 3) }}", "0 x false 3"},
        {"{{ or true (query `bad`) }}", "true"},
        {"{{ eq 1 2 1 }} {{ ne `a` `b` }} {{ lt 1.5 2.5 }} {{ le 2 2 }} {{ ge `b` `a` }}", "true true true true true"},
        {"{{ len $labels }} {{ len `abc` }} {{ index (query `up`) 1 | value }} {{ index `abc` 1 }}", "4 3 0.5 98"},
        {"{{ slice `abcdef` 1 3 }} {{ len (slice (query `up`) 1) }}", "bc 1"},
    });
}

TEST(Template, Printing) {
    expect_all({
        {"{{ printf \"%.2f\" 3.14159 }} {{ 12.34 | printf \"%.1f%%\" }}", "3.14 12.3%"},
        {"{{ printf \"%8.1f|%-6s|%v\" 1.25 $labels.job \"x\" }}", "     1.2|dcgm  |x"},
        {"{{ $labels.job | toUpper | printf \"<%s>\" }}", "<DCGM>"},
        {"{{ printf \"%d %s %q %x %5.2f|%-8s|%08.3f %t %c %U %T\" 7 `s` 3 255 1.0 \"a\" 3.14159 true 65 66 1.5 }}",
         "7 s '\\x03' ff  1.00|a       |0003.142 true A U+0042 float64"},
        {"{{ printf \"%d\" 1.5 }} {{ printf \"%s\" }} {{ printf \"%s\" `a` 2 }} {{ printf \"%\" }}",
         "%!d(float64=1.5) %!s(MISSING) a%!(EXTRA int=2) %!(NOVERB)"},
        {"{{ printf \"%+d %6d|%-6d|%x %06d %#x %o %b %e %G\" 5 42 42 \"hi\" -42 255 8 5 1.5 1e30 }}",
         "+5     42|42    |6869 -00042 0xff 10 101 1.500000e+00 1E+30"},
        {"{{ print 1 2 \"a\" \"b\" 3 4.5 }}|{{ println 1 \"a\" }}", "1 2ab3 4.5|1 a\n"},
        {"{{ html \"<a&'\\\"\" }} {{ js \"a'b<\" }} {{ urlquery \"a b&c\" }}",
         "&lt;a&amp;&#39;&#34; a\\'b\\u003C a+b%26c"},
        {"{{ printf \"%v %s\" nil nil }} {{ args 1 \"b\" }} {{ (args 1).arg7 }}",
         "<nil> %!s(<nil>) map[arg0:1 arg1:b] <no value>"},
    });
}

TEST(Template, Humanize) {
    const auto humanized = [](const std::string& function, double value) {
        return expanded("{{ $value | " + function + " }}", value);
    };
    EXPECT_EQ(humanized("humanize", 0), "0");
    EXPECT_EQ(humanized("humanize", 1234567), "1.235M");
    EXPECT_EQ(humanized("humanize", -0.00012), "-120u");
    EXPECT_EQ(humanized("humanize1024", 1048576), "1Mi");
    EXPECT_EQ(humanized("humanize1024", 0.5), "0.5");
    EXPECT_EQ(humanized("humanizePercentage", 0.12345), "12.35%");
    EXPECT_EQ(humanized("humanizeDuration", 0), "0s");
    EXPECT_EQ(humanized("humanizeDuration", 59.789), "59.79s");
    EXPECT_EQ(humanized("humanizeDuration", 60), "1m 0s");
    EXPECT_EQ(humanized("humanizeDuration", 3600), "1h 0m 0s");
    EXPECT_EQ(humanized("humanizeDuration", 90061), "1d 1h 1m 1s");
    EXPECT_EQ(humanized("humanizeDuration", -125), "-2m 5s");
    EXPECT_EQ(humanized("humanizeDuration", .1), "100ms");
    EXPECT_EQ(humanized("humanizeDuration", std::numeric_limits<double>::quiet_NaN()), "NaN");
    EXPECT_EQ(humanized("humanizeTimestamp", 1435065584.128), "2015-06-23 13:19:44.128 +0000 UTC");
    EXPECT_EQ(humanized("humanizeTimestamp", -1), "1969-12-31 23:59:59 +0000 UTC");
    EXPECT_EQ(expanded("{{ humanize `2048` }} {{ 90 | toDuration | humanizeDuration }}"), "2.048k 1m 30s");
}

TEST(Template, Times) {
    expect_all({
        {"{{ now }} {{ 5 | toTime }} {{ 90.5 | toDuration }} {{ 0.0015 | toDuration }}",
         "1.5 1970-01-01 00:00:05 +0000 UTC 1m30.5s 1.5ms"},
        {"{{ (1435065584.128 | toTime).Year }} {{ (1435065584.128 | toTime).Format `Mon Jan _2 15:04:05.000 2006` }}",
         "2015 Tue Jun 23 13:19:44.128 2015"},
        {"{{ $t := 1435065584.128 | toTime }}{{ $t.Weekday }} {{ $t.Unix }} {{ $t.Format `2006-01-02T15:04:05Z07:00` "
         "}}",
         "Tuesday 1435065584 2015-06-23T13:19:44Z"},
        {"{{ parseDuration `1h30m` }} {{ (parseDuration `1h30m` | toDuration).Hours }}", "5400 1.5"},
    });
}

TEST(Template, Texts) {
    expect_all({
        {"{{ reReplaceAll `(.*):9` `$1-x` $labels.instance }}", "gpu-1-x400"},
        {"{{ reReplaceAll `(?P<n>[a-z])` `<${n}$$$2>` `a1b` }} {{ reReplaceAll `x*` `-` `abc` }}", "<a$>1<b$> -a-b-c-"},
        {"{{ match `^gpu-[0-9]` $labels.instance }} {{ title `aa bb_cc dd-ee` }}", "true Aa Bb_cc Dd-Ee"},
        {"{{ stripPort `a:90` }} {{ stripPort `[::1]:90` }} {{ stripPort `a` }} {{ stripPort `a:b:c` }}",
         "a ::1 a a:b:c"},
        {"{{ stripDomain `h.example.com:90` }} {{ stripDomain `h.example.com` }} {{ stripDomain `10.0.0.1:90` }}",
         "h:90 h 10.0.0.1:90"},
        {"{{ graphLink `up == 1` }} {{ tableLink `up` }}",
         "/graph?g0.expr=up+%3D%3D+1&g0.tab=0 /graph?g0.expr=up&g0.tab=1"},
        {"{{ externalURL }} {{ pathPrefix }} {{ safeHtml `<b>` }} {{ urlQueryEscape `a b` }}",
         "http://stoker:8701/base/path /base/path <b> a+b"},
        {"{{ toLower `ABC` }} {{ with query `up` }}{{ . | first | label `i` }} {{ . | first | value }}{{ end }}",
         "abc b 1"},
    });
}

TEST(Template, ErrorsWhileParsing) {
    EXPECT_EQ(expanded("{{ nothing $value }}"),
              "error: error parsing template __alert_A: template: __alert_A:1: function \"nothing\" not defined");
    EXPECT_EQ(expanded("a\n{{ nothing }}"),
              "error: error parsing template __alert_A: template: __alert_A:2: function \"nothing\" not defined");
    const Row rows[] = {
        {"x {{ $value", "unclosed action"},
        {"{{ }}", "missing value for command"},
        {"{{ $other }}", "undefined variable \"$other\""},
        {"{{ if true }}x", "unexpected EOF"},
        {"{{ end }}", "unexpected {{end}}"},
        {"{{ else }}", "unexpected {{else}}"},
        {"{{ if }}x{{ end }}", "missing value for if"},
        {"{{ $value | }}", "missing value for command"},
        {"{{ 1 | 2 }}", "non executable command in pipeline stage 2"},
        {"{{ (1 }}", "unclosed left paren"},
        {"{{ 1) }}", "unexpected right paren"},
        {"{{ \"a }}", "unterminated quoted string"},
        {"{{/* x", "unclosed comment"},
        {"{{ break }}", "{{break}} outside {{range}}"},
        {"{{ if true }}{{ define `x` }}{{ end }}{{ end }}", "unexpected {{define}}"},
        {"{{ $x = 1 }}", "undefined variable \"$x\""},
        {"{{ 1x }}", "bad number syntax: \"1x\""},
        {"{{ ! }}", "unexpected \"!\" in operand"},
    };
    for (const Row& row : rows) EXPECT_EQ(problem(row.text), row.result) << row.text;
}

TEST(Template, ErrorsWhileExecuting) {
    EXPECT_EQ(
        expanded("{{ .Foo }}"),
        "error: error executing template __alert_A: template: __alert_A:1:115: executing \"__alert_A\" at <.Foo>: "
        "can't evaluate field Foo in type struct { Labels map[string]string; ExternalLabels map[string]string; "
        "ExternalURL string; Value float64 }");
    const Row rows[] = {
        {"{{ gt $value 5 }}", "error calling gt: incompatible types for comparison"},
        {"{{ toUpper $value }}", "wrong type for value; expected string; got float64"},
        {"{{ $labels | toUpper }}", "wrong type for value; expected string; got map[string]string"},
        {"{{ toUpper 5 }}", "expected string; found 5"},
        {"{{ humanize }}", "wrong number of args for humanize: want 1 got 0"},
        {"{{ index (query `up`) 5 }}", "error calling index: index out of range: 5"},
        {"{{ query `bad` }}", "error calling query: no such query"},
        {"{{ query `none` | first }}", "error calling first: first() called on vector with no elements"},
        {"{{ $labels.job | humanize }}",
         "error calling humanize: strconv.ParseFloat: parsing \"dcgm\": invalid syntax"},
        {"{{ match `(` `a` }}", "error calling match: error parsing regexp: missing ): ("},
        {"{{ template `t` }}", "template \"t\" not defined"},
        {"{{ range 1.5 }}{{ end }}", "range can't iterate over 1.5"},
        {"{{ $value | $labels.job }}", "job is not a method but has arguments"},
        {"{{ len 5 }}", "error calling len: len of type int"},
    };
    for (const Row& row : rows) EXPECT_EQ(problem(row.text), row.result) << row.text;
}

TEST(Template, IsBounded) {
    TemplateLimits limits;
    limits.output = 1000;
    limits.steps = 10'000;
    limits.queries = 2;
    const auto error = [&](std::string_view text) { return expanded(text, 0, limits); };
    EXPECT_NE(error("{{ range 1000 }}xxxxxx{{ end }}").find("longer than 1000 bytes"), std::string::npos);
    EXPECT_NE(error("{{ range 1000000000 }}{{ end }}").find("more than 10000 steps"), std::string::npos);
    EXPECT_NE(error("{{ range 3 }}{{ query `up` }}{{ end }}").find("more than 2 queries"), std::string::npos);
    EXPECT_NE(error("{{ define `t` }}{{ template `t` }}{{ end }}{{ template `t` }}").find("maximum template depth"),
              std::string::npos);
    EXPECT_NE(error("{{ $x := `ab` }}{{ range 60 }}{{ $x = print $x $x }}{{ end }}").find("too long"),
              std::string::npos);
    EXPECT_NE(error("{{ $x := 1 }}{{ range 500 }}{{ $x = args $x $x }}{{ end }}").find("nested too deep"),
              std::string::npos);
    EXPECT_NE(error("{{ $x := 1 }}{{ range 90 }}{{ $x = args $x $x }}{{ end }}{{ $x }}").find("longer than"),
              std::string::npos);
    std::string deep;
    for (int i = 0; i < 10'000; ++i) deep += "{{ if true }}";
    EXPECT_NE(expanded(deep).find("nested too deep"), std::string::npos);
    EXPECT_NE(expanded("{{ " + std::string(10'000, '(')).find("nested too deep"), std::string::npos);
    std::string chain = "{{ if true }}";
    for (int i = 0; i < 10'000; ++i) chain += "{{ else if true }}";
    EXPECT_NE(expanded(chain).find("nested too deep"), std::string::npos);
    std::string comments;
    for (int i = 0; i < 100'000; ++i) comments += "{{/**/}}";
    EXPECT_EQ(expanded(comments), "");
}

TEST(Template, IsCheckedWithItsPlace) {
    std::size_t offset = 0;
    EXPECT_FALSE(check_template("abc {{ nothing }}", "A", &offset).has_value());
    EXPECT_EQ(offset, 7u);
    EXPECT_TRUE(check_template("{{ $value | humanize }} {{ .Whatever }}", "A").has_value());
}

}  // namespace
}  // namespace stoker::alert
