// Every action, as Prometheus documents it.
#include "collect/discovery/relabel.h"

#include <gmock/gmock.h>

namespace stoker::collect {
namespace {

// Applies one rule and shows what is left: "a=1 b=2", or "(dropped)".
std::string applied(LabelMap labels, const std::vector<RelabelConfig>& rules) {
    const auto relabeler = Relabeler::create(rules);
    if (!relabeler) return "error: " + relabeler.error().message;
    if (!relabeler->apply(labels)) return "(dropped)";
    std::string out;
    for (const auto& [name, value] : labels) out += (out.empty() ? "" : " ") + name + "=" + value;
    return out;
}

RelabelConfig rule(const std::string& action, std::vector<std::string> source = {}, const std::string& regex = "(.*)",
                   const std::string& target = "", const std::string& replacement = "$1") {
    RelabelConfig made;
    made.action = action;
    made.source_labels = std::move(source);
    made.regex = regex;
    made.target_label = target;
    made.replacement = replacement;
    return made;
}

const LabelMap kAbc = {{"a", "foo"}, {"b", "bar"}, {"c", "baz"}};

struct Case {
    const char* what;
    LabelMap labels;
    std::vector<RelabelConfig> rules;
    const char* expected;
};

TEST(Relabel, Table) {
    const std::vector<Case> cases = {
        {"replace with groups",
         kAbc,
         {rule("replace", {"a"}, "f(.*)", "d", "ch${1}-ch${1}")},
         "a=foo b=bar c=baz d=choo-choo"},
        {"joined by ;", kAbc, {rule("replace", {"a", "b"}, "f(.*);(.*)r", "a", "b${1}${2}m")}, "a=boobam b=bar c=baz"},
        {"in order",
         kAbc,
         {rule("replace", {"a"}, "foo", "b", "x"), rule("replace", {"b"}, "x", "c", "y")},
         "a=foo b=x c=y"},
        {"the whole text must match", kAbc, {rule("replace", {"a"}, "o", "d", "x")}, "a=foo b=bar c=baz"},
        {"no match changes nothing", kAbc, {rule("replace", {"a"}, ".*(b).*", "a", "$1")}, "a=foo b=bar c=baz"},
        {"an empty result takes away", kAbc, {rule("replace", {"a"}, "(f).*", "a", "$2")}, "b=bar c=baz"},
        {"without sources", {}, {rule("replace", {}, "(.*)", "d", "static")}, "d=static"},
        {"the target is a template",
         {{"a", "some-name"}, {"n", "x_1"}},
         {rule("replace", {"n"}, "x_(.)", "d$1", "yes"), rule("replace", {"a"}, "(.*)", "${1}", "no")},
         "a=some-name d1=yes n=x_1"},
        {"names and $$",
         {{"a", "v1"}},
         {rule("replace", {"a"}, "v(?P<num>.)", "b", "${num}$$1$num $x.$")},
         "a=v1 b=1$11 .$"},
        {"$1x is a name", {{"a", "v"}}, {rule("replace", {"a"}, "(.*)", "b", "$1x-${1}x")}, "a=v b=-vx"},
        {"line ends match", {{"a", "x\ny"}}, {rule("keep", {"a"}, "x.y")}, "a=x\ny"},
        {"alternatives are anchored together", kAbc, {rule("drop", {"a"}, "fo|o")}, "a=foo b=bar c=baz"},
        {"drop", kAbc, {rule("drop", {"a"}, "f.*")}, "(dropped)"},
        {"drop of nothing", kAbc, {rule("drop", {"a"}, "f")}, "a=foo b=bar c=baz"},
        {"keep", kAbc, {rule("keep", {"a"}, "foo")}, "a=foo b=bar c=baz"},
        {"keep of others", kAbc, {rule("keep", {"a"}, "no-match")}, "(dropped)"},
        {"keep of a label not there", kAbc, {rule("keep", {"zz"}, ".+")}, "(dropped)"},
        {"what is dropped stays so",
         kAbc,
         {rule("drop", {"a"}, "f.*"), rule("replace", {}, "(.*)", "d", "x")},
         "(dropped)"},
        {"labelmap",
         {{"__meta_x_one", "1"}, {"__meta_x_two", "2"}, {"y", "3"}},
         {rule("labelmap", {}, "__meta_x_(.+)", "", "k_$1")},
         "__meta_x_one=1 __meta_x_two=2 k_one=1 k_two=2 y=3"},
        {"labelmap sees the labels from before", {{"aa", "1"}}, {rule("labelmap", {}, "a(.+)")}, "a=1 aa=1"},
        {"labeldrop", kAbc, {rule("labeldrop", {}, "a|b")}, "c=baz"},
        {"labelkeep", kAbc, {rule("labelkeep", {}, "a.*")}, "a=foo"},
        {"lowercase", {{"a", "fOo ÄÖ"}}, {rule("lowercase", {"a"}, "(.*)", "b")}, "a=fOo ÄÖ b=foo äö"},
        {"uppercase", {{"a", "fOo жé"}}, {rule("uppercase", {"a"}, "(.*)", "b")}, "a=fOo жé b=FOO ЖÉ"},
        {"keepequal", {{"p", "80"}, {"q", "80"}}, {rule("keepequal", {"p"}, "(.*)", "q")}, "p=80 q=80"},
        {"keepequal of others", {{"p", "80"}, {"q", "81"}}, {rule("keepequal", {"p"}, "(.*)", "q")}, "(dropped)"},
        {"dropequal", {{"p", "80"}, {"q", "80"}}, {rule("dropequal", {"p"}, "(.*)", "q")}, "(dropped)"},
        {"dropequal of others", {{"p", "80"}, {"q", "81"}}, {rule("dropequal", {"p"}, "(.*)", "q")}, "p=80 q=81"},
        {"actions in any case", kAbc, {rule("KEEP", {"a"}, "foo")}, "a=foo b=bar c=baz"},
    };
    for (const Case& one : cases) EXPECT_EQ(applied(one.labels, one.rules), one.expected) << one.what;
}

TEST(Relabel, HashModIsPrometheus) {
    // From Prometheus' own tests: "bar" is 976 of 1000; "foo" with a line end in it is 734.
    RelabelConfig mod = rule("hashmod", {"c"}, "(.*)", "d");
    mod.modulus = 1000;
    EXPECT_EQ(applied({{"c", "baz"}}, {mod}), "c=baz d=976");
    EXPECT_EQ(applied({{"c", "foo\nbar"}}, {mod}), "c=foo\nbar d=734");
}

TEST(Relabel, RefusesWhatPrometheusRefuses) {
    RelabelConfig mod = rule("hashmod", {"a"}, "(.*)", "d");
    EXPECT_THAT(problem_of(mod), testing::HasSubstr("modulus"));
    EXPECT_THAT(problem_of(rule("replace", {"a"})), testing::HasSubstr("needs a 'target_label'"));
    EXPECT_THAT(problem_of(rule("replace", {"a"}, "(.*)", "0a")), testing::HasSubstr("no valid 'target_label'"));
    EXPECT_THAT(problem_of(rule("lowercase", {"a"}, "(.*)", "${3}")), testing::HasSubstr("no valid 'target_label'"));
    EXPECT_THAT(problem_of(rule("uppercase", {"a"}, "(.*)", "b", "x")), testing::HasSubstr("'replacement'"));
    EXPECT_THAT(problem_of(rule("labelmap", {}, "(.*)", "", "a-b")), testing::HasSubstr("'a-b'"));
    EXPECT_THAT(problem_of(rule("labeldrop", {"a"}, "x")), testing::HasSubstr("takes only 'regex'"));
    EXPECT_THAT(problem_of(rule("dropequal", {"a"}, "x", "b")), testing::HasSubstr("takes only"));
    EXPECT_THAT(problem_of(rule("keep", {"a"}, "(")), testing::HasSubstr("regex '('"));
    EXPECT_THAT(problem_of(rule("kepe", {"a"})), testing::HasSubstr("did you mean 'keep'?"));
    EXPECT_THAT(problem_of(rule("keep", {"a-b"})), testing::HasSubstr("'a-b'"));
    EXPECT_EQ(problem_of(rule("replace", {"a"}, "(.*)", "x_${1}_$2")), "");
}

}  // namespace
}  // namespace stoker::collect
