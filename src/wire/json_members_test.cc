#include "wire/json_members.h"

#include <gtest/gtest.h>

namespace stoker::wire {
namespace {

std::string edit(std::string_view object, std::string_view append = {}) {
    auto edited = edit_members(
        object,
        [](std::string_view key, std::string_view value) -> MemberFate {
            if (key == "drop") return {MemberFate::Kind::Drop, {}};
            if (key == "cap" && value == "100") return {MemberFate::Kind::Replace, "10"};
            return {};
        },
        append);
    return edited ? *edited : "error: " + edited.error().message;
}

TEST(JsonMembers, WhatStaysKeepsItsBytes) {
    EXPECT_EQ(edit(R"({"a":"x\u00e9\n","n":1.0e+2 , "o" : { "drop":1 } })"),
              R"({"a":"x\u00e9\n","n":1.0e+2,"o":{ "drop":1 }})");
}
TEST(JsonMembers, DropsWhereverItStands) {
    EXPECT_EQ(edit(R"({"drop":1,"a":2})"), R"({"a":2})");
    EXPECT_EQ(edit(R"({"a":2,"drop":[1,{}]})"), R"({"a":2})");
    EXPECT_EQ(edit(R"({"a":2,"drop":1,"drop":2,"b":3})"), R"({"a":2,"b":3})");
    EXPECT_EQ(edit(R"({"drop":1})"), "{}");
    EXPECT_EQ(edit(R"({"dr\u006fp":1})"), "{}");
}
TEST(JsonMembers, Replaces) {
    EXPECT_EQ(edit(R"({"cap":100,"a":1})"), R"({"cap":10,"a":1})");
    EXPECT_EQ(edit(R"({"cap":5})"), R"({"cap":5})");
}
TEST(JsonMembers, Appends) {
    EXPECT_EQ(edit("{}", R"("b":1)"), R"({"b":1})");
    EXPECT_EQ(edit(R"({"a":1})", R"("b":1)"), R"({"a":1,"b":1})");
}
TEST(JsonMembers, RefusesWhatIsNoObject) {
    for (const char* text : {"", "[]", "{", R"({"a":})", R"({"a":1}x)", R"({"a" 1})", "nul"}) {
        EXPECT_TRUE(edit(text).starts_with("error: ")) << text << " gave " << edit(text);
    }
}

}  // namespace
}  // namespace stoker::wire
