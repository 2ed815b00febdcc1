// The places for inspection and prices, with somebody in them.
#include "gateway/hooks/content_scanner.h"
#include "gateway/hooks/price_hook.h"
#include "gateway/rig_test.h"

namespace stoker::gateway::test {
namespace {

using testing::HasSubstr;

// Knows one word.
class OneWord final : public ContentScanner {
public:
    explicit OneWord(std::string word) : word_(std::move(word)) {}
    ScanVerdict on_request(const ScanSubject& subject, std::string_view body) override {
        EXPECT_EQ(subject.model, "tiny");
        return look(word_, body);
    }
    std::unique_ptr<StreamScanner> on_stream(const ScanSubject&) override { return std::make_unique<Stream>(word_); }

private:
    static ScanVerdict look(const std::string& word, std::string_view text) {
        if (text.find(word) == std::string_view::npos) return {};
        return {false, "the word is not to be said"};
    }
    class Stream final : public StreamScanner {
    public:
        explicit Stream(std::string word) : word_(std::move(word)) {}
        ScanVerdict on_event(std::string_view data) override { return look(word_, data); }

    private:
        const std::string word_;
    };

    const std::string word_;
};

class Till final : public PriceHook {
public:
    void on_metered(const records::RequestRecord& record) override {
        tokens_ += record.prompt_tokens + record.completion_tokens;
        ++requests_;
    }
    std::int64_t tokens() const { return tokens_; }
    int requests() const { return requests_; }

private:
    std::atomic<std::int64_t> tokens_{0};
    std::atomic<int> requests_{0};
};

GatewayOptions with_scanner(const std::string& word) {
    GatewayOptions options;
    options.scanner = std::make_shared<OneWord>(word);
    return options;
}

TEST(Hooks, ARequestThatTheScannerRefusesReachesNoEngine) {
    Rig rig(1, {}, with_scanner("hi"));
    const Reply reply = rig.ask();
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(reply.code(), "content_blocked");
    EXPECT_THAT(reply.body, HasSubstr("the word is not to be said"));
    EXPECT_EQ(rig.upstream(0).requests(), 0);
}

TEST(Hooks, AStreamEndsBeforeTheEventThatTheScannerRefuses) {
    Rig rig(2, {}, with_scanner("t2"));
    const Reply reply = rig.ask();
    EXPECT_EQ(reply.status, 200);
    EXPECT_TRUE(reply.has("\"t1\""));
    EXPECT_FALSE(reply.has("\"t2\""));
    EXPECT_EQ(reply.code(), "content_blocked");
    EXPECT_EQ(rig.upstream(0).requests() + rig.upstream(1).requests(), 1) << "no other replica may say it";
    EXPECT_EQ(rig.records(1)[0].outcome, "truncated");
    EXPECT_EQ(rig.status(0).failures_total + rig.status(1).failures_total, 0) << "no fault of the replica's";
}

TEST(Hooks, AStreamThatIsRefusedFromItsFirstEventOnIsAnError) {
    Rig rig(2, {}, with_scanner("t0"));
    const Reply reply = rig.ask();
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(reply.code(), "content_blocked");
    EXPECT_EQ(rig.upstream(0).requests() + rig.upstream(1).requests(), 1);
}

TEST(Hooks, ThePriceHookHearsOfEveryRequestOnce) {
    auto till = std::make_shared<Till>();
    GatewayOptions options;
    options.price = till;
    Rig rig(1, {}, std::move(options));
    rig.ask();
    rig.ask({.body = kWhole});
    rig.ask({.body = R"({"model":"none"})"});
    ASSERT_TRUE(eventually([&] { return till->requests() == 3; }));
    EXPECT_EQ(till->tokens(), 26);
}

}  // namespace
}  // namespace stoker::gateway::test
