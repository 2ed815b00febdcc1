#include "gateway/route/route_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "gateway/route/release.h"
#include "gateway/route/route_choice.h"

namespace stoker::gateway {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

// One request, as the rules see it.
struct Someone {
    std::string model = "chat";
    std::string path = "/v1/chat/completions";
    net::Headers headers = {{"x-team", "search"}};
    Identity identity;
    std::int64_t tokens = 100;
    std::string user = "ann";
    Timestamp at = *parse_timestamp("2026-11-23T12:00:00Z");  // A Monday.

    Someone() {
        identity.tenant = "acme";
        identity.metadata = {{"tier", "gold"}};
    }
    RouteQuestion asks() const {
        return {.model = model,
                .path = path,
                .headers = headers,
                .identity = identity,
                .prompt_tokens = tokens,
                .user = user,
                .now = at};
    }
};

TEST(RouteRules, Patterns) {
    EXPECT_TRUE(matches_pattern("chat", "chat"));
    EXPECT_FALSE(matches_pattern("chat", "chat2"));
    EXPECT_TRUE(matches_pattern("llama-*", "llama-3"));
    EXPECT_TRUE(matches_pattern("*", ""));
    EXPECT_TRUE(matches_pattern("a*b*c", "a-b-b-c"));
    EXPECT_FALSE(matches_pattern("a*b*c", "a-b-b"));
    EXPECT_FALSE(matches_pattern("", "a"));
    EXPECT_FALSE(matches_pattern("*a*a*a*a*b", std::string(2000, 'a')));
}

TEST(RouteRules, EachConditionMustHold) {
    const Someone someone;
    const struct {
        RuleOptions rule;
        RuleField first_wrong;
        const char* why;
    } cases[] = {
        {{}, RuleField::None, "matches everything"},
        {{.models = {"other", "ch*"}}, RuleField::None, "model"},
        {{.models = {"other"}}, RuleField::Model, "model is 'chat', the rule wants other"},
        {{.paths = {"/v1/embeddings"}}, RuleField::Path, "wants /v1/embeddings"},
        {{.tenants = {"acme"}}, RuleField::None, "tenant"},
        {{.tenants = {"globex"}}, RuleField::Tenant, "tenant is 'acme'"},
        {{.headers = {{"X-Team", "sea*"}}}, RuleField::None, "header X-Team"},
        {{.headers = {{"x-team", "ads"}}}, RuleField::Header, "header x-team is 'search', the rule wants ads"},
        {{.headers = {{"x-none", "*"}}}, RuleField::Header, "header x-none is not there"},
        {{.metadata = {{"tier", "gold"}}}, RuleField::None, "metadata tier"},
        {{.metadata = {{"tier", "free"}}}, RuleField::Metadata, "tier is 'gold'"},
        {{.min_prompt_tokens = 101}, RuleField::PromptTokens, "about 100 tokens"},
        {{.max_prompt_tokens = 99}, RuleField::PromptTokens, "at most 99"},
        {{.min_prompt_tokens = 100, .max_prompt_tokens = 100}, RuleField::None, "prompt length"},
        {{.time = TimeWindow{.from_minute = 0, .to_minute = 60, .text = "at night"}}, RuleField::Time, "at night"},
    };
    for (const auto& one : cases) {
        EXPECT_EQ(mismatch(one.rule, someone.asks()), one.first_wrong) << one.why;
        EXPECT_THAT(explain_rule(one.rule, someone.asks()), HasSubstr(one.why));
    }
}

TEST(RouteRules, HoursAndDaysWhereTheZoneSays) {
    const TimeZone berlin = *TimeZone::from_rule("CET-1CEST,M3.5.0,M10.5.0/3");
    const auto at = [](std::string_view time) { return *parse_timestamp(time); };
    const TimeWindow office{.from_minute = 9 * 60, .to_minute = 17 * 60, .days = 0x3e, .zone = berlin};
    EXPECT_TRUE(holds(office, at("2026-11-23T08:00:00Z")));
    EXPECT_FALSE(holds(office, at("2026-11-23T07:59:59Z")));
    EXPECT_FALSE(holds(office, at("2026-11-23T16:00:00Z")));
    EXPECT_FALSE(holds(office, at("2026-11-22T10:00:00Z"))) << "a Sunday";
    EXPECT_TRUE(holds(office, at("2026-07-20T07:00:00Z"))) << "summer time";
    // The night from Friday belongs to Friday, the one from Sunday does not.
    const TimeWindow night{.from_minute = 22 * 60, .to_minute = 6 * 60, .days = 0x20, .zone = berlin};
    EXPECT_TRUE(holds(night, at("2026-11-27T21:30:00Z")));
    EXPECT_TRUE(holds(night, at("2026-11-28T04:59:00Z")));
    EXPECT_FALSE(holds(night, at("2026-11-28T05:00:00Z")));
    EXPECT_FALSE(holds(night, at("2026-11-28T21:30:00Z")));
    EXPECT_FALSE(holds(night, at("2026-11-27T04:00:00Z")));
}

class RoutingTest : public testing::Test {
protected:
    Routing make(RoutingOptions options) {
        const auto in_effect = release_.in_effect(std::move(options), Timestamp{});
        return Routing(in_effect, release_.canaries(),
                       [this](const std::string& by, const std::string& name, const std::string& to) {
                           return &counted_.with({by, name, to});
                       });
    }
    std::string to(const Routing& routing, const Someone& someone, double point = 0) {
        return std::string(routing.choose(someone.asks(), point).model);
    }

    metrics::Registry registry_;
    metrics::Family<metrics::Counter>& counted_ = registry_.counter("routed", "", {"by", "name", "to"});
    Release release_{registry_};
};

TEST_F(RoutingTest, TheFirstRuleThatMatchesDecides) {
    const Routing routing = make({.rules = {{.name = "long", .min_prompt_tokens = 1000, .to = "large"},
                                            {.name = "acme", .tenants = {"acme"}, .to = "theirs"},
                                            {.name = "all", .to = "small"}}});
    Someone someone;
    EXPECT_EQ(to(routing, someone), "theirs");
    someone.tokens = 5000;
    EXPECT_EQ(to(routing, someone), "large");
    someone = Someone();
    someone.identity.tenant = "other";
    EXPECT_EQ(to(routing, someone), "small");
    std::vector<std::string> why;
    EXPECT_EQ(routing.choose(someone.asks(), 0, &why).rule, "all");
    EXPECT_THAT(why, ElementsAre(HasSubstr("rule long: the prompt has about 100 tokens"),
                                 HasSubstr("rule acme: tenant is 'other', the rule wants acme"),
                                 HasSubstr("rule all: matches everything, so the request goes to small")));
}

TEST_F(RoutingTest, AliasesLeadOnAndASplitMayHaveAModelsName) {
    const Routing routing = make({.aliases = {{"gpt-4o", "best"}, {"best", "chat"}},
                                  .splits = {{.name = "chat", .arms = {{"chat", 50}, {"chat-next", 50}}}}});
    Someone someone;
    someone.model = "gpt-4o";
    EXPECT_EQ(to(routing, someone, 0.4), "chat");
    EXPECT_EQ(to(routing, someone, 0.6), "chat-next");
    EXPECT_EQ(routing.choose(someone.asks(), 0.6).split, "chat");
    someone.model = "else";
    EXPECT_EQ(to(routing, someone), "else");
    EXPECT_TRUE(routing.knows("best"));
    EXPECT_FALSE(routing.knows("chat-next"));
}

TEST_F(RoutingTest, StickyByWhatTheSplitSays) {
    const auto side = [this](StickyBy by, const std::string& header, const Someone& someone) {
        const Routing routing =
            make({.splits = {{.name = "chat", .by = by, .header = header, .arms = {{"a", 50}, {"b", 50}}}}});
        std::string drawn;
        for (double point : {0.1, 0.9, 0.3, 0.7}) drawn += to(routing, someone, point);
        return drawn;
    };
    Someone ann;
    EXPECT_EQ(side(StickyBy::Nothing, "", ann), "abab");
    for (const auto& [by, header] : {std::pair{StickyBy::User, ""}, std::pair{StickyBy::Header, "x-team"},
                                     std::pair{StickyBy::Tenant, ""}, std::pair{StickyBy::Session, ""}}) {
        const std::string drawn = side(by, header, ann);
        EXPECT_TRUE(drawn == "aaaa" || drawn == "bbbb") << to_string(by) << drawn;
    }
    EXPECT_EQ(side(StickyBy::Header, "x-none", ann), "abab") << "nothing to stick to";
    // Users are spread.
    std::string sides;
    for (int i = 0; i < 30; ++i) {
        Someone someone;
        someone.user = "user" + std::to_string(i);
        sides += side(StickyBy::User, "", someone)[0];
    }
    EXPECT_THAT(sides, testing::AllOf(HasSubstr("a"), HasSubstr("b")));
}

TEST_F(RoutingTest, ACanaryDrawsByItsShare) {
    const CanaryOptions canary{.name = "chat", .control = "chat", .candidate = "chat-next", .steps = {25, 50}};
    const Routing routing = make({.canaries = {canary}});
    Someone someone;
    EXPECT_EQ(to(routing, someone, 0.74), "chat");
    EXPECT_EQ(to(routing, someone, 0.76), "chat-next");
    EXPECT_EQ(routing.choose(someone.asks(), 0.76).sample, &release_.canaries().at("chat")->candidate);
    ASSERT_TRUE(release_.steer("chat", "promote", {.by = "ann", .reason = "test"}, Timestamp{}));
    EXPECT_EQ(to(routing, someone, 0.01), "chat-next") << "at once, in the table there is";
    ASSERT_TRUE(release_.steer("chat", "rollback", {.by = "ann", .reason = "test"}, Timestamp{}));
    EXPECT_EQ(to(routing, someone, 0.99), "chat");
    EXPECT_FALSE(release_.steer("chat", "explode", {.by = "ann", .reason = "test"}, Timestamp{}));
    EXPECT_EQ(release_.steer("none", "promote", {.by = "ann", .reason = "test"}, Timestamp{}).error().code,
              Errc::NotFound);
}

TEST_F(RoutingTest, ASwitchHoldsUntilTheConfigurationSaysAnother) {
    const auto knows = [](const std::string& name) { return name != "nowhere"; };
    std::string kept;
    std::vector<ReleaseEvent> told;
    release_.restore(
        "", [&kept](const std::string& json) { kept = json; },
        [&told](const ReleaseEvent& event) { told.push_back(event); });
    const RoutingOptions options{.aliases = {{"chat", "blue"}, {"other", "chat"}}};
    ASSERT_EQ(to(make(options), {}), "blue");
    ASSERT_TRUE(release_.switch_alias("chat", "green", knows, {"ann", "v2 is out"}, from_millis(7)));
    EXPECT_EQ(to(make(options), {}), "green");
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(gateway::to_json(told[0]).dump(),
              R"({"at_ms":7,"by":"ann","event":"release","from":"blue","kind":"alias_switched","name":"chat",)"
              R"("reason":"v2 is out","to":"green","v":1})");
    EXPECT_THAT(release_.switch_alias("chta", "green", knows, {}, Timestamp{}).error().message,
                HasSubstr("did you mean 'chat'"));
    EXPECT_EQ(release_.switch_alias("chat", "nowhere", knows, {}, Timestamp{}).error().code, Errc::InvalidArgument);
    EXPECT_THAT(release_.switch_alias("chat", "other", knows, {}, Timestamp{}).error().message,
                HasSubstr("chat -> other -> chat"));
    // After a restart.
    metrics::Registry registry;
    Release again(registry);
    again.restore(kept, {});
    EXPECT_EQ(again.in_effect(options, Timestamp{}).aliases[0].to, "green");
    EXPECT_THAT(again.to_json(), HasSubstr("v2 is out")) << "who did what is still known";
    // What is newer in the file wins, and going back to what it said before does not bring the switch back.
    EXPECT_EQ(again.in_effect({.aliases = {{"chat", "red"}}}, Timestamp{}).aliases[0].to, "red");
    EXPECT_EQ(again.in_effect(options, Timestamp{}).aliases[0].to, "blue");
    ASSERT_TRUE(release_.switch_alias("chat", "", knows, {}, Timestamp{}));
    EXPECT_EQ(to(make(options), {}), "blue");
}

TEST_F(RoutingTest, ACanaryGoesOnAfterARestart) {
    std::string kept;
    release_.restore("", [&kept](const std::string& json) { kept = json; });
    CanaryOptions canary{.name = "chat", .control = "v1", .candidate = "v2", .steps = {25, 50}};
    (void)make({.canaries = {canary}});
    ASSERT_TRUE(release_.steer("chat", "rollback", {.by = "ann", .reason = "too slow"}, Timestamp{}));
    metrics::Registry registry;
    Release again(registry);
    again.restore(kept, {});
    (void)again.in_effect({.canaries = {canary}}, Timestamp{});
    EXPECT_EQ(again.canaries().at("chat")->candidate_percent, 0);
    EXPECT_THAT(again.to_json(), HasSubstr(R"("kind":"canary_rolled_back")"));
    EXPECT_THAT(again.to_json(), HasSubstr("too slow"));
    // Another candidate is another canary.
    canary.candidate = "v3";
    (void)again.in_effect({.canaries = {canary}}, Timestamp{});
    EXPECT_EQ(again.canaries().at("chat")->candidate_percent, 25);
    for (const char* odd : {"", "{", "[]", R"({"v":9})", R"({"v":1,"canaries":[1,{"phase":"?"}],"switches":[2]})"}) {
        metrics::Registry fresh;
        Release(fresh).restore(odd, {});
    }
}

}  // namespace
}  // namespace stoker::gateway
