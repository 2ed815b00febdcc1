// Events, their log, and webhooks.
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "outward/event_log.h"
#include "outward/reader_name.h"
#include "outward/webhook_sender.h"

namespace stoker::outward {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::ElementsAre;

Event event(const std::string& type, Severity severity = Severity::Info, const std::string& subject = "chat/a:1") {
    Event made;
    made.at = from_millis(1'700'000'000'123);
    made.type = type;
    made.severity = severity;
    made.subject = subject;
    made.summary = "It said \"no\".";
    made.data = R"({"a":1})";
    return made;
}

TEST(Event, KeepsEverythingInJson) {
    Event before = event("incident.opened", Severity::Critical);
    before.sequence = 7;
    before.id = "x-7";
    const auto after = event_from_json(to_json(before));
    ASSERT_TRUE(after);
    EXPECT_EQ(to_json(*after), to_json(before));
    EXPECT_EQ(json::parse(to_json(before))["time"], "2023-11-14T22:13:20.123Z");
    for (const char* bad : {"", "[]", "{}", "{\"type\":1}", "{\"type\":\"\"}"})
        EXPECT_FALSE(event_from_json(bad)) << bad;
}

TEST(EventFilter, MatchesTypesAndSeverity) {
    const auto matches = [](EventFilter filter) { return filter.matches(event("incident.opened", Severity::Warning)); };
    EXPECT_TRUE(matches({}));
    EXPECT_TRUE(matches({{"incident.opened"}, Severity::Info}));
    EXPECT_TRUE(matches({{"alert.*", "incident.*"}, Severity::Warning}));
    EXPECT_TRUE(matches({{"*"}, Severity::Info}));
    EXPECT_FALSE(matches({{"incident"}, Severity::Info}));
    EXPECT_FALSE(matches({{"alert.*"}, Severity::Info}));
    EXPECT_FALSE(matches({{}, Severity::Critical}));
    EXPECT_TRUE(is_event_pattern("incident.*"));
    EXPECT_TRUE(is_event_pattern("alert.fired"));
    EXPECT_FALSE(is_event_pattern("incidents.*"));
    EXPECT_FALSE(is_event_pattern(""));
}

struct EventLogTest : testing::Test {
    std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / ("event_log" + std::to_string(getpid()));
    metrics::Registry registry;
    std::unique_ptr<EventLog> log;

    void SetUp() override {
        std::filesystem::remove_all(folder);
        reopen();
    }
    void reopen() {
        log.reset();
        auto opened = EventLog::open(folder.string(), {}, registry);
        ASSERT_TRUE(opened) << opened.error().message;
        log = *std::move(opened);
    }
    std::vector<std::uint64_t> selected(EventQuery query, std::uint64_t* next = nullptr) {
        const auto page = log->select(query);
        EXPECT_TRUE(page);
        std::vector<std::uint64_t> sequences;
        for (const auto& one : page->events) sequences.push_back(one.sequence);
        if (next != nullptr) *next = page->next;
        return sequences;
    }
};

TEST_F(EventLogTest, NewestFirstOrOnFromAPlace) {
    for (int i = 0; i < 1200; ++i) log->publish(event(i % 3 == 0 ? "alert.fired" : "alert.resolved"));
    EXPECT_THAT(selected({{}, 0, 3}), ElementsAre(1200, 1199, 1198));
    EXPECT_THAT(selected({{{"alert.fired"}, Severity::Info}, 0, 3}), ElementsAre(1198, 1195, 1192));
    EXPECT_EQ(selected({{{"alert.fired"}, Severity::Info}, 0, 1000}).size(), 400U);
    std::uint64_t next = 0;
    EXPECT_THAT(selected({{{"alert.fired"}, Severity::Info}, 1, 2}, &next), ElementsAre(4, 7));
    EXPECT_EQ(next, 7U);
    EXPECT_THAT(selected({{{"alert.fired"}, Severity::Info}, 1195, 10}, &next), ElementsAre(1198));
    EXPECT_EQ(next, 1200U);
    EXPECT_TRUE(selected({{}, 1200, 10}, &next).empty());
    EXPECT_EQ(next, 1200U);
    EXPECT_TRUE(selected({{}, 5000, 10}, &next).empty());
    reopen();
    EXPECT_THAT(selected({{}, 1198, 10}), ElementsAre(1199, 1200));
}

TEST_F(EventLogTest, AnEmptyLogHasNothing) {
    EXPECT_TRUE(selected({}).empty());
    EXPECT_TRUE(selected({{}, 1, 10}).empty());
}

TEST_F(EventLogTest, PublishingTellsWithIdAndSequence) {
    std::vector<std::string> told;
    log->on_publish([&](const Event& one) { told.push_back(one.id + " " + std::to_string(one.sequence)); });
    log->publish(event("alert.fired"));
    const auto kept = log->read(1, 10);
    ASSERT_EQ(kept->size(), 1U);
    EXPECT_THAT(told, ElementsAre((*kept)[0].id + " 1"));
    EXPECT_NE(registry.text().find("stoker_events_total{type=\"alert.fired\"} 1\n"), std::string::npos);
}

TEST(Webhook, BodiesByFormat) {
    Event one = event("alert.fired", Severity::Warning);
    one.id = "x-7";
    WebhookOptions options;
    options.source = "https://stoker.example";
    EXPECT_EQ(webhook_request(options, one, from_millis(5'000)).body, to_json(one));
    options.format = WebhookFormat::CloudEvents;
    const auto cloud = webhook_request(options, one, from_millis(5'000));
    EXPECT_EQ(cloud.content_type, "application/cloudevents+json");
    EXPECT_EQ(json::parse(cloud.body), json::parse(R"({"specversion":"1.0","id":"x-7","source":"https://stoker.example",
        "type":"stoker.alert.fired","time":"2023-11-14T22:13:20.123Z","subject":"chat/a:1",
        "datacontenttype":"application/json","data":{"a":1,"severity":"warning","summary":"It said \"no\"."}})"));
    options.format = WebhookFormat::Template;
    options.body = R"x({"text":"{{severity}}: {{ summary }} ({{source}})","more":{{data}}})x";
    EXPECT_EQ(webhook_request(options, one, from_millis(5'000)).body,
              R"x({"text":"warning: It said \"no\". (https://stoker.example)","more":{"a":1}})x");
}

TEST(Webhook, TemplatesAreChecked) {
    EXPECT_EQ(*fill_template("no fields", {}, ""), "no fields");
    EXPECT_EQ(fill_template("{{id", {}, "").error().message, "a {{ without its }}");
    EXPECT_TRUE(fill_template("{{title}}", {}, "").error().message.starts_with("there is no {{title}}; there are id,"));
}

// The example of Standard Webhooks' specification.
TEST(Webhook, SignsAsStandardWebhooksDo) {
    const auto key = webhook_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    ASSERT_TRUE(key);
    EXPECT_EQ(webhook_signature(*key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})"),
              "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    EXPECT_FALSE(webhook_key("whsec_not base64"));
    EXPECT_EQ(*webhook_key("any text"), "any text");
    WebhookOptions options;
    EXPECT_FALSE(webhook_request(options, event("alert.fired"), from_millis(5'000)).headers.get("webhook-signature"));
    options.secret = "s";
    Event one = event("alert.fired");
    one.id = "x-7";
    const auto request = webhook_request(options, one, from_millis(5'000));
    EXPECT_EQ(request.headers.get("webhook-id"), "x-7");
    EXPECT_EQ(request.headers.get("webhook-timestamp"), "5");
    EXPECT_EQ(request.headers.get("webhook-signature"), webhook_signature("s", "x-7", 5, request.body));
}

TEST(Webhook, WhatAnswersMean) {
    const auto verdict = [](int status, net::Headers headers = {}) {
        return judge_delivery(net::Response{status, std::move(headers), ""});
    };
    for (const int status : {200, 202, 204}) EXPECT_EQ(verdict(status).delivery, Delivery::Taken) << status;
    for (const int status : {408, 425, 429, 500, 503})
        EXPECT_EQ(verdict(status).delivery, Delivery::TryAgain) << status;
    for (const int status : {301, 400, 401, 404, 410}) EXPECT_EQ(verdict(status).delivery, Delivery::Refused) << status;
    EXPECT_EQ(verdict(429, {{"Retry-After", "7"}}).retry_after, 7s);
    EXPECT_EQ(verdict(429, {{"Retry-After", "soon"}}).retry_after, 0s);
    EXPECT_EQ(judge_delivery(Error{Errc::Unavailable, "nobody there"}).error, "nobody there");
}

struct WebhookSenderTest : EventLogTest {
    std::vector<int> answers;  // What the receiver answers next; then 200. 0: nobody is there.
    std::vector<std::string> seen;
    SteadyTime steady{1h};
    bool stopping = false;

    WebhookOptions options(EventFilter filter = {}) {
        WebhookOptions made;
        made.name = "hook";
        made.filter = std::move(filter);
        made.give_up_after = 10s;
        return made;
    }
    WebhookSender sender(EventFilter filter = {}) {
        const PostFn post = [this](const WebhookOptions&, const WebhookRequest& request) -> Result<net::Response> {
            seen.push_back(json::parse(request.body)["subject"]);
            int answer = 200;
            if (!answers.empty()) {
                answer = answers.front();
                answers.erase(answers.begin());
            }
            if (answer == 0) return Error{Errc::Unavailable, "refused"};
            return net::Response{answer, {}, ""};
        };
        return {options(std::move(filter)), *log, post, registry};
    }
    void publish(const std::string& subject, const std::string& type = "alert.fired") {
        log->publish(event(type, Severity::Info, subject));
    }
    void send(WebhookSender& to) {
        to.send(steady, from_millis(1'000), [this] { return stopping; });
    }
    double count(const std::string& result) {
        return registry.counter("stoker_webhook_deliveries_total", "", {"webhook", "result"})
            .with({"hook", result})
            .value();
    }
};

TEST_F(WebhookSenderTest, BeginsWithWhatComesAndGoesOnAfterARestart) {
    publish("before");
    {
        auto hook = sender();
        publish("a");
        publish("b");
        send(hook);
        EXPECT_THAT(seen, ElementsAre("a", "b"));
    }
    publish("c");
    auto hook = sender();
    send(hook);
    EXPECT_THAT(seen, ElementsAre("a", "b", "c"));
    EXPECT_EQ(count("taken"), 3);
}

TEST_F(WebhookSenderTest, TriesAgainInOrderWithPauses) {
    auto hook = sender({{"alert.*"}, Severity::Info});
    publish("a");
    publish("not this", "route.changed");
    publish("b");
    answers = {0, 503};
    send(hook);
    send(hook);  // Within the pause: not asked.
    EXPECT_THAT(seen, ElementsAre("a"));
    steady += 1s;
    send(hook);
    steady += 1s;
    send(hook);  // The pause has doubled.
    EXPECT_THAT(seen, ElementsAre("a", "a"));
    steady += 1s;
    send(hook);
    EXPECT_THAT(seen, ElementsAre("a", "a", "a", "b"));
    EXPECT_EQ(count("again"), 2);
    EXPECT_EQ(count("taken"), 2);
}

TEST_F(WebhookSenderTest, GivesUpWhatIsRefusedAndWhatIsTooOld) {
    auto hook = sender();
    publish("refused");
    publish("b");
    answers = {400};
    send(hook);
    EXPECT_THAT(seen, ElementsAre("refused", "b"));
    EXPECT_EQ(count("dead"), 1);
    publish("old");
    publish("d");
    answers = {0, 0, 0, 0, 0};
    for (int i = 0; i < 5; ++i) {
        send(hook);
        steady += 5s;
    }
    EXPECT_EQ(count("dead"), 2);
    steady += 300s;
    answers.clear();
    send(hook);
    EXPECT_EQ(seen.back(), "d");
}

TEST_F(WebhookSenderTest, StopsBetweenTwoEvents) {
    auto hook = sender();
    publish("a");
    stopping = true;
    send(hook);
    EXPECT_TRUE(seen.empty());
}

TEST(ReaderName, FitsTheJournal) {
    EXPECT_EQ(reader_name("kafka", "llm.requests"), "kafka.llm.requests");
    EXPECT_EQ(reader_name("kafka", ""), "kafka.");
    const std::string longest = reader_name("webhook", std::string(56, 'x'));
    EXPECT_EQ(longest, "webhook." + std::string(56, 'x'));
    const std::string a = reader_name("webhook", std::string(56, 'x') + "a");
    const std::string b = reader_name("webhook", std::string(56, 'x') + "b");
    EXPECT_EQ(a.size(), 64u);
    EXPECT_NE(a, b);
}

}  // namespace
}  // namespace stoker::outward
