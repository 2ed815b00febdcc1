#include "wire/canonical_json.h"

#include <gtest/gtest.h>

namespace stoker::wire {
namespace {

std::string canonical(std::string_view object) {
    const auto read = CanonicalObject::read(object);
    return read ? read->text([](std::string_view key) { return key == "user"; }) : "refused";
}

TEST(CanonicalJson, OrdersTheOutermostMembersAndDropsWhiteSpace) {
    const struct {
        std::string_view given;
        std::string_view wanted;
    } cases[] = {
        {R"({})", R"({})"},
        {R"({"b":1,"a":2})", R"({"a":2,"b":1})"},
        {"{ \"b\" : 1 ,\r\n\t\"a\" : [ 1 , 2 ] }", R"({"a":[1,2],"b":1})"},
        {R"({"a":{"z":1,"y":2}})", R"({"a":{"z":1,"y":2}})"},
        {R"({"a":" x  y ","user":"me"})", R"({"a":" x  y "})"},
        {R"({"a":"\" , \\"})", R"({"a":"\" , \\"})"},
        {R"({"a":1,"a":2})", R"({"a":1,"a":2})"},
        {R"([1])", "refused"},
        {R"({"a":)", "refused"},
        {R"({"a":1} x)", "refused"},
        {"", "refused"},
    };
    for (const auto& one : cases) EXPECT_EQ(canonical(one.given), one.wanted) << one.given;
}

TEST(CanonicalJson, FindsTheLastOfAName) {
    auto read = CanonicalObject::read(R"({"seed":null,"n":1,"n":2,"temp\u0065rature":0})");
    ASSERT_TRUE(read);
    const CanonicalObject moved = *std::move(read);
    EXPECT_EQ(moved.find("n"), "2");
    EXPECT_EQ(moved.find("seed"), std::nullopt);
    EXPECT_EQ(moved.find("temperature"), "0");
    EXPECT_EQ(moved.find("top_p"), std::nullopt);
}

}  // namespace
}  // namespace stoker::wire
