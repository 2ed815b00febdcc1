// The places for inspection and prices, with somebody in them.
#include "gateway/cache/cache_options.h"
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
        return look(word_now(), body);
    }
    std::unique_ptr<AnswerScanner> on_answer(const ScanSubject& subject) override {
        sources_[static_cast<std::size_t>(subject.source)]++;
        return std::make_unique<Answer>(word_now());
    }
    // From now on another.
    void set_word(std::string word) {
        MutexLock lock(mutex_);
        word_ = std::move(word);
    }
    int answers_of(AnswerSource source) const { return sources_[static_cast<std::size_t>(source)]; }

private:
    static ScanVerdict look(const std::string& word, std::string_view text) {
        if (text.find(word) == std::string_view::npos) return {};
        return {false, "the word is not to be said"};
    }
    class Answer final : public AnswerScanner {
    public:
        explicit Answer(std::string word) : word_(std::move(word)) {}
        ScanVerdict on_event(std::string_view data) override { return look(word_, data); }
        ScanVerdict on_body(std::string_view piece) override { return look(word_, piece); }

    private:
        const std::string word_;
    };

    std::string word_now() const {
        MutexLock lock(mutex_);
        return word_;
    }

    mutable Mutex mutex_;
    std::string word_ GUARDED_BY(mutex_);
    std::array<std::atomic<int>, 4> sources_{};
};

class Till final : public PriceHook {
public:
    void on_metered(const records::RequestRecord& record, AnswerSource source) override {
        sources_[static_cast<std::size_t>(source)]++;
        tokens_ += record.prompt_tokens + record.completion_tokens;
        ++requests_;
    }
    std::int64_t tokens() const { return tokens_; }
    int requests() const { return requests_; }
    int answers_of(AnswerSource source) const { return sources_[static_cast<std::size_t>(source)]; }

private:
    std::atomic<std::int64_t> tokens_{0};
    std::atomic<int> requests_{0};
    std::array<std::atomic<int>, 4> sources_{};
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

TEST(Hooks, AWholeAnswerIsLookedAtBeforeAnythingOfItIsSent) {
    Rig rig(2, {}, with_scanner("hello"));
    const Reply reply = rig.ask({.body = kWhole});
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(reply.code(), "content_blocked");
    EXPECT_FALSE(reply.has("hello"));
    EXPECT_EQ(rig.upstream(0).requests() + rig.upstream(1).requests(), 1);
    const auto record = rig.records(1)[0];
    EXPECT_EQ(record.error, "content_blocked");
    EXPECT_EQ(record.completion_tokens, 3) << "the engine made them, and is to be paid for them";
    EXPECT_EQ(record.wasted_tokens, 3);
    EXPECT_EQ(rig.status(0).failures_total + rig.status(1).failures_total, 0);
}

TEST(Hooks, AnAnswerInPiecesBreaksOffWhereItIsRefused) {
    GatewayOptions options = with_scanner("7");  // Only the usage at its end has one.
    options.hold_answer_bytes = 1024;
    Rig rig(1, {}, std::move(options));
    rig.upstream(0).play({.act = Act::Big, .events = 1'000'000});
    const Reply reply = rig.ask({.body = kWhole});
    EXPECT_EQ(reply.status, 200);
    EXPECT_FALSE(reply.clean);
    EXPECT_FALSE(reply.has("7"));
    EXPECT_EQ(rig.records(1)[0].error, "content_blocked");
    EXPECT_EQ(rig.records(1)[0].outcome, "truncated");
}

const std::string kSame = R"({"model":"tiny","temperature":0,"messages":[{"role":"user","content":"hi"}]})";
const std::string kSameStream =
    R"({"model":"tiny","temperature":0,"stream":true,"messages":[{"role":"user","content":"hi"}]})";

TEST(Hooks, ACachedAnswerIsLookedAtAsAnyOther) {
    for (const std::string& body : {kSame, kSameStream}) {
        auto scanner = std::make_shared<OneWord>("nothing");
        auto till = std::make_shared<Till>();
        GatewayOptions options;
        options.scanner = scanner;
        options.price = till;
        Rig rig(1, {}, std::move(options));
        CacheOptions cache;
        cache.rules = {{.coalesce = false}};
        rig.gateway().set_cache(cache);
        rig.ask({.body = body});
        EXPECT_EQ(rig.ask({.body = body}).header("x-stoker-cache"), "hit");
        EXPECT_EQ(scanner->answers_of(AnswerSource::Engine), 1);
        EXPECT_EQ(scanner->answers_of(AnswerSource::Cache), 1);
        scanner->set_word("\"choices\"");
        const Reply refused = rig.ask({.body = body});
        EXPECT_EQ(refused.status, 400);
        EXPECT_EQ(refused.code(), "content_blocked");
        EXPECT_EQ(rig.upstream(0).requests(), 1);
        ASSERT_TRUE(eventually([&] { return till->requests() == 3; }));
        EXPECT_EQ(till->answers_of(AnswerSource::Engine), 1);
        EXPECT_EQ(till->answers_of(AnswerSource::Cache), 2);
        EXPECT_EQ(till->tokens(), 13) << "what is kept costs nothing again";
    }
}

// Holds the upstream's answer back until told, so that another request can follow it.
TEST(Hooks, WhoFollowsAnotherRequestHasItsOwnLook) {
    auto scanner = std::make_shared<OneWord>("nothing");
    auto till = std::make_shared<Till>();
    GatewayOptions options;
    options.scanner = scanner;
    options.price = till;
    Rig rig(1, {}, std::move(options));
    CacheOptions cache;
    cache.rules = {{.exact = false}};
    rig.gateway().set_cache(cache);
    auto open = std::make_shared<std::atomic<bool>>(false);
    Script script;
    script.until = [open] { return open->load(); };
    rig.upstream(0).play(script);
    auto leader = rig.begin({.body = kSameStream});
    ASSERT_TRUE(eventually([&] { return rig.flowing() == 1; }));
    scanner->set_word("\"stop\"");
    auto follower = rig.begin({.body = kSameStream});
    ASSERT_TRUE(eventually([&] { return rig.flowing() == 2; }));
    *open = true;
    EXPECT_TRUE(leader.get().clean);
    const Reply cut = follower.get();
    EXPECT_TRUE(cut.has("t2"));
    EXPECT_EQ(cut.code(), "content_blocked");
    ASSERT_TRUE(eventually([&] { return till->requests() == 2; }));
    EXPECT_EQ(till->answers_of(AnswerSource::Engine), 1);
    EXPECT_EQ(till->answers_of(AnswerSource::Shared), 1);
    EXPECT_EQ(rig.upstream(0).requests(), 1);
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
    EXPECT_EQ(till->answers_of(AnswerSource::Engine), 2);
    EXPECT_EQ(till->answers_of(AnswerSource::None), 1);
}

}  // namespace
}  // namespace stoker::gateway::test
