#include "wire/flat_json.h"

#include <gtest/gtest.h>

#include <string>

namespace stoker::wire {
namespace {

std::string flat(std::string_view text, int depth) {
    std::string out;
    const bool object = flatten_json(text, depth, [&out](std::string_view key, std::string_view value, FlatKind kind) {
        out += std::string(key) +
               (kind == FlatKind::Text      ? "='"
                : kind == FlatKind::Integer ? "=#"
                                            : "=") +
               std::string(value) + " ";
    });
    return object ? out : "none";
}

TEST(FlatJson, MembersByPath) {
    constexpr const char* kText =
        R"({"a":"x","n":-5,"f":1.5,"o":{"p":{"q":"z"},"e":{}},"l":[1, "b"],"t":true,"z":null})";
    EXPECT_EQ(flat(kText, 3), R"(a='x n=#-5 f=1.5 o.p.q='z l=[1,"b"] t=true z=null )");
    EXPECT_EQ(flat(kText, 1), R"(a='x n=#-5 f=1.5 o={"p":{"q":"z"},"e":{}} l=[1,"b"] t=true z=null )");
}

TEST(FlatJson, AnythingElseIsNone) {
    for (const char* text : {"", "x", "[1]", "5", "{", "{\"a\":}", "{} {}"}) EXPECT_EQ(flat(text, 2), "none") << text;
    EXPECT_EQ(flat("{}", 2), "");
}

}  // namespace
}  // namespace stoker::wire
