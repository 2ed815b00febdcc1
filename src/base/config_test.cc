#include "base/config.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "base/id.h"

namespace stoker::config {
namespace {

using namespace std::chrono_literals;

struct Inner {
    std::string url;
    std::int64_t weight = 1;
};

void describe(Fields& f, Inner& c) {
    f.field("url", c.url, "Where it is.");
    f.required("url");
    f.field("weight", c.weight, "Share | of traffic.");
    f.check("weight", c.weight > 0, "must be above 0");
}

struct Outer {
    std::string name = "none";
    bool enabled = true;
    double ratio = 0.5;
    Duration timeout = 15s;
    Bytes limit{65536};
    std::vector<std::string> models = {"a"};
    std::map<std::string, std::string> headers;
    std::string key;
    std::string policy = "refuse";
    Inner inner{"http://default", 1};
    std::optional<Inner> extra;
    std::vector<Inner> list;
};

void describe(Fields& f, Outer& c) {
    f.field("name", c.name, "A name.");
    f.field("enabled", c.enabled, "Whether it runs.");
    f.field("ratio", c.ratio, "A share.");
    f.field("timeout", c.timeout, "How long.");
    f.field("limit", c.limit, "How much.");
    f.field("models", c.models, "Which.");
    f.field("headers", c.headers, "Sent along.");
    f.secret("key", c.key, "A key.");
    f.choice("policy", c.policy, {"refuse", "drop_oldest"}, "When full.");
    f.object("inner", c.inner, "One.");
    f.object("extra", c.extra, "Perhaps one.");
    f.list("list", c.list, "Many.");
    for (std::size_t i = 1; i < c.list.size(); ++i) {
        f.check("list[" + std::to_string(i) + "].url", c.list[i].url != c.list[i - 1].url, "repeats the one before");
    }
}

std::optional<std::string> variables(const std::string& name) {
    if (name == "HOST") return "example.org";
    if (name == "DOLLAR") return "$";
    return std::nullopt;
}

// The problems, one a line, "" when there are none.
std::string problems(std::string_view text, Outer& outer, const std::string& file = "c.yaml") {
    std::string out;
    for (const Problem& problem : read_yaml(
             text, file, [&](Fields& f) { describe(f, outer); }, variables)) {
        out += problem.text() + '\n';
    }
    return out;
}

std::string problems(std::string_view text) {
    Outer ignored;
    return problems(text, ignored);
}

Outer read(std::string_view text) {
    Outer outer;
    EXPECT_EQ(problems(text, outer), "");
    return outer;
}

TEST(ConfigReader, EmptyKeepsDefaults) {
    for (const char* text : {"", "# nothing\n", "---\n", "{}", "inner:\n  # url: x\nextra:\n"}) {
        const Outer c = read(text);
        EXPECT_EQ(c.name, "none") << text;
        EXPECT_EQ(c.models, std::vector<std::string>{"a"}) << text;
        EXPECT_EQ(c.inner.url, "http://default") << text;
        EXPECT_FALSE(c.extra) << text;
    }
}

TEST(ConfigReader, ReadsEveryType) {
    const Outer c = read(R"(
name: chat
enabled: no
ratio: 1e-2
timeout: 1m30s
limit: 16MiB
models: [x, "2", true]
headers: {a: "1", b: two}
key: s3cret
policy: drop_oldest
inner: {url: http://a, weight: 3}
extra: {url: http://e}
list:
  - url: http://b
  - {url: http://c, weight: 2}
)");
    EXPECT_EQ(c.name, "chat");
    EXPECT_FALSE(c.enabled);
    EXPECT_EQ(c.ratio, 0.01);
    EXPECT_EQ(c.timeout, 90s);
    EXPECT_EQ(c.limit.count, 16U << 20);
    EXPECT_EQ(c.models, (std::vector<std::string>{"x", "2", "true"}));
    EXPECT_EQ(c.headers, (std::map<std::string, std::string>{{"a", "1"}, {"b", "two"}}));
    EXPECT_EQ(c.key, "s3cret");
    EXPECT_EQ(c.policy, "drop_oldest");
    EXPECT_EQ(c.inner.weight, 3);
    EXPECT_EQ(c.extra->url, "http://e");
    ASSERT_EQ(c.list.size(), 2U);
    EXPECT_EQ(c.list[1].url, "http://c");
}

TEST(ConfigReader, EmptyListsClear) {
    EXPECT_TRUE(read("models: []").models.empty());
    EXPECT_TRUE(read("models:\nlist:\n").models.empty());
}

TEST(ConfigReader, ReplacesVariables) {
    EXPECT_EQ(read("name: https://${HOST}:${HOST}/").name, "https://example.org:example.org/");
    EXPECT_EQ(read("name: $${HOST} $x $").name, "${HOST} $x $");
    EXPECT_EQ(read("name: ${DOLLAR}${HOST}").name, "$example.org");
    EXPECT_EQ(read("models: ['${HOST}']").models.front(), "example.org");
    EXPECT_EQ(problems("name: ${NOPE}"), "c.yaml:1:7: name: the environment variable NOPE is not set\n");
    EXPECT_EQ(problems("name: '${HOST'"),
              "c.yaml:1:7: name: a '}' is missing after '${'; write ${NAME}, or $${ for a literal ${\n");
    EXPECT_EQ(problems("name: ${a b}"),
              "c.yaml:1:7: name: 'a b' is not a variable's name; write ${NAME}, or $${ for a literal ${\n");
}

TEST(ConfigReader, RefusesUnknownKeys) {
    EXPECT_EQ(problems("naem: x"), "c.yaml:1:1: naem: unknown key; did you mean 'name'?\n");
    EXPECT_EQ(problems("list:\n  - url: x\n    wieght: 2"),
              "c.yaml:3:5: list[0].wieght: unknown key; did you mean 'weight'?\n");
    EXPECT_EQ(problems("inner: {url: x, colour: red}"),
              "c.yaml:1:17: inner.colour: unknown key; known here: url, weight\n");
    EXPECT_EQ(problems("inner: {url: x, url_file: red}"),
              "c.yaml:1:17: inner.url_file: unknown key; known here: url, weight\n");
}

TEST(ConfigReader, RefusesDuplicateKeys) {
    EXPECT_EQ(problems("name: a\nenabled: true\nname: b"), "c.yaml:3:1: name: is given twice, first in line 1\n");
    EXPECT_EQ(problems("headers: {a: b, a: c}"), "c.yaml:1:17: headers.a: is given twice, first in line 1\n");
}

TEST(ConfigReader, TypeErrorsSayWhatIsThereAndWhatShouldBe) {
    EXPECT_EQ(problems("enabled: maybe"), "c.yaml:1:10: enabled: expected true or false, found 'maybe'\n");
    EXPECT_EQ(problems("ratio: [1]"), "c.yaml:1:8: ratio: expected a number, found a list\n");
    EXPECT_EQ(problems("ratio: half"), "c.yaml:1:8: ratio: expected a number, found 'half'\n");
    EXPECT_EQ(problems("name:"), "c.yaml:1:1: name: expected text, found nothing\n");
    EXPECT_EQ(problems("name: {a: b}"), "c.yaml:1:7: name: expected text, found an object\n");
    EXPECT_EQ(problems("timeout: 15"),
              "c.yaml:1:10: timeout: '15' is not a duration: write a number with a unit, such as 250ms, 15s, 1m30s or "
              "2h\n");
    EXPECT_EQ(problems("limit: 64KB"),
              "c.yaml:1:8: limit: '64KB' is not a size: write a whole number of bytes, or one with KiB, MiB, GiB or "
              "TiB\n");
    EXPECT_EQ(problems("models: a"), "c.yaml:1:9: models: expected a list such as [a, b], found 'a'\n");
    EXPECT_EQ(problems("models: [a, [b]]"), "c.yaml:1:13: models[1]: expected text, found a list\n");
    EXPECT_EQ(problems("headers: [a]"),
              "c.yaml:1:10: headers: expected an object such as {name: value}, found a list\n");
    EXPECT_EQ(problems("policy: refuze"),
              "c.yaml:1:9: policy: expected one of refuse, drop_oldest, found 'refuze'; did you mean 'refuse'?\n");
    EXPECT_EQ(problems("inner: 7"), "c.yaml:1:8: inner: expected an object such as {key: value}, found '7'\n");
    EXPECT_EQ(problems("list: {url: x}"), "c.yaml:1:7: list: expected a list of objects, found an object\n");
    EXPECT_EQ(problems("list: [x]"), "c.yaml:1:8: list[0]: expected an object such as {key: value}, found 'x'\n");
    EXPECT_EQ(problems("list:\n  -\n"),
              "c.yaml:2:3: list[0]: expected an object such as {key: value}, found nothing\n");
    EXPECT_EQ(problems("inner: {url: x, weight: 2.5}"),
              "c.yaml:1:25: inner.weight: expected a whole number, found '2.5'\n");
    EXPECT_EQ(problems("[a, b]"), "c.yaml:1:1: expected keys such as 'gateway: ...', found a list\n");
    EXPECT_EQ(problems("? [a]\n: b\n"), "c.yaml:1:3: expected text as a key, found a list\n");
}

TEST(ConfigReader, ReportsEveryProblemInOrder) {
    EXPECT_EQ(problems("inner:\n  weight: 0\nratio: x\nzzz: 1\n"),
              "c.yaml:2:3: inner.url: is required and not given\n"
              "c.yaml:2:11: inner.weight: must be above 0\n"
              "c.yaml:3:8: ratio: expected a number, found 'x'\n"
              "c.yaml:4:1: zzz: unknown key; known here: name, enabled, ratio, timeout, limit, models, headers, key, "
              "key_file, policy, inner, extra, list\n");
}

TEST(ConfigReader, ChecksAcrossKeysHaveThePlaceTheyName) {
    EXPECT_EQ(problems("list:\n  - url: a\n  - weight: 2\n    url: a\n"),
              "c.yaml:4:10: list[1].url: repeats the one before\n");
    EXPECT_EQ(problems("list: [{url: a}, {url: a, weight: no}]"),
              "c.yaml:1:35: list[1].weight: expected a whole number, found 'no'\n");
}

TEST(ConfigReader, BrokenValueIsReportedOnce) {
    EXPECT_EQ(problems("inner: {url: x, weight: many}"),
              "c.yaml:1:25: inner.weight: expected a whole number, found 'many'\n");
}

TEST(ConfigReader, SyntaxErrorsHaveTheirPlace) {
    EXPECT_EQ(problems("name: a\nmodels: [a, b\n"), "c.yaml:3:1: YAML syntax: end of sequence flow not found\n");
    EXPECT_EQ(problems("name: *nobody\n"), "c.yaml:1:7: YAML syntax: the referenced anchor is not defined\n");
    EXPECT_EQ(problems("name: a\n---\nname: b\n"),
              "c.yaml:2:1: expected one YAML document, found another after '---'\n");
}

TEST(ConfigReader, OneDocumentMayBeMarked) {
    EXPECT_EQ(read("%YAML 1.2\n# hello\n---\nname: a\n").name, "a");
    EXPECT_EQ(read("--- # hello\nname: ---\n...\n").name, "---");
    EXPECT_EQ(problems("---\n---\n"), "c.yaml:2:1: expected one YAML document, found another after '---'\n");
}

TEST(ConfigReader, SecretsComeFromFiles) {
    const std::string folder = std::filesystem::temp_directory_path() / ("stoker-config-" + random_hex(6));
    ASSERT_TRUE(ensure_directory(folder));
    ASSERT_TRUE(write_file_atomic(folder + "/key", "s3cret \r\nsecond line\n"));
    ASSERT_TRUE(write_file_atomic(folder + "/empty", "\n"));
    const std::string file = folder + "/c.yaml";

    Outer c;
    EXPECT_EQ(problems("key_file: key", c, file), "");
    EXPECT_EQ(c.key, "s3cret");
    EXPECT_EQ(problems("key_file: " + folder + "/key", c, file), "");
    EXPECT_EQ(problems("key_file: nope", c, file),
              file + ":1:11: key_file: cannot open " + folder + "/nope: No such file or directory\n");
    EXPECT_EQ(problems("key_file: empty", c, file),
              file + ":1:11: key_file: the first line of " + folder + "/empty is empty\n");
    EXPECT_EQ(problems("key: a\nkey_file: key", c, file),
              file + ":2:11: key_file: 'key' and 'key_file' are both given; keep one of them\n");
    std::filesystem::remove_all(folder);
}

TEST(ConfigReader, SurvivesHostileNesting) {
    EXPECT_NE(problems(std::string(100'000, '[')), "");
    EXPECT_NE(problems(std::string(100'000, '{')), "");
    EXPECT_NE(problems("name: &a [*a, *a]"), "");
}

// Every text of three of YAML's own characters ends, and its problems have a place.
TEST(ConfigReader, SurvivesEveryShortText) {
    constexpr std::string_view kAlphabet = "a \n\t-?:,[]{}#&*!|>'\"%@`$~<.";
    std::string text(3, ' ');
    for (char first : kAlphabet) {
        for (char second : kAlphabet) {
            for (char third : kAlphabet) {
                text = {first, second, third};
                Outer ignored;
                const auto found = read_yaml(
                    text, "c.yaml", [&](Fields& f) { describe(f, ignored); }, variables);
                for (const Problem& problem : found) ASSERT_GE(problem.line, 1) << text;
            }
        }
    }
}

TEST(ConfigBytes, ReadAndWrite) {
    for (const char* text : {"0", "512", "64KiB", "16MiB", "2GiB", "3TiB", "1025"}) {
        EXPECT_EQ(format_bytes(*parse_bytes(text)), text);
    }
    for (const char* text : {"", "KiB", "-1", "1.5GiB", "1 KiB", "64kb", "9999999999TiB"}) {
        EXPECT_FALSE(parse_bytes(text)) << text;
    }
}

TEST(ConfigFlatten, ListsEveryValue) {
    Outer c = read("{models: [x], headers: {a: b}, key: k, list: [{url: u}]}");
    const auto values = flatten([&](Fields& f) { describe(f, c); });
    std::string text;
    for (const auto& [key, value] : values) text += key + '=' + value + '\n';
    EXPECT_EQ(text,
              "name=none\nenabled=true\nratio=0.5\ntimeout=15s\nlimit=64KiB\nmodels[0]=x\nheaders.a=b\nkey=k\n"
              "policy=refuse\ninner.url=http://default\ninner.weight=1\nlist[0].url=u\nlist[0].weight=1\n");
}

TEST(ConfigDocument, TablesFollowTheDescription) {
    Outer defaults;
    EXPECT_EQ(document("Configuration", [&](Fields& f) { describe(f, defaults); }), R"(# Configuration

| key | type | default | meaning |
|---|---|---|---|
| `name` | text | `none` | A name. |
| `enabled` | true or false | `true` | Whether it runs. |
| `ratio` | number | `0.5` | A share. |
| `timeout` | duration | `15s` | How long. |
| `limit` | size | `64KiB` | How much. |
| `models` | list of texts | `[a]` | Which. |
| `headers` | names to texts |  | Sent along. |
| `key` | secret, or a path as `key_file` |  | A key. |
| `policy` | `refuse`, `drop_oldest` | `refuse` | When full. |
| `inner` | object |  | See `inner` below. |
| `extra` | object, may be left out |  | See `extra` below. |
| `list` | list of objects |  | See `list[]` below. |

## `inner`

One.

| key | type | default | meaning |
|---|---|---|---|
| `url` | text | **required** | Where it is. |
| `weight` | whole number | `1` | Share \| of traffic. |

## `extra`

Perhaps one.

| key | type | default | meaning |
|---|---|---|---|
| `url` | text | **required** | Where it is. |
| `weight` | whole number | `1` | Share \| of traffic. |

## `list[]`

Many.

| key | type | default | meaning |
|---|---|---|---|
| `url` | text | **required** | Where it is. |
| `weight` | whole number | `1` | Share \| of traffic. |
)");
}

}  // namespace
}  // namespace stoker::config
