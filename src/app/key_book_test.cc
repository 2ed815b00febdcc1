// The keys that are made at run time: in force at once, kept, and never against the configuration file.
#include "app/key_book.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "app/key_services.h"
#include "base/id.h"

namespace stoker::app {
namespace {

using gateway::KeyFault;
using nlohmann::json;

class KeyBookTest : public testing::Test {
protected:
    KeyBookTest() {
        file_.required = true;
        file_.tenants = {{.name = "acme", .models = {"m-*"}}, {.name = "beta"}};
        file_.keys = {{.id = "of-file", .tenant = "acme", .hash = crypto::sha256("the file's")}};
        open();
    }
    ~KeyBookTest() override {
        store_.reset();
        std::filesystem::remove_all(path_);
    }

    // As after a restart.
    void open() {
        book_.reset();
        store_.reset();
        keyring_ = std::make_shared<const gateway::Keyring>();
        store_ = *state::StateStore::open(path_ + "/state.sqlite");
        auto apply = [this](const gateway::AuthOptions& auth) -> Result<Unit> {
            TRY(keyring_, gateway::Keyring::build(auth, *keyring_));
            return Unit{};
        };
        book_ = *KeyBook::open(*store_, {apply, [this](Timestamp since) { return keyring_->used_since(since); }});
        ASSERT_TRUE(book_->configure(file_));
    }

    KeyBook::Issued make(const std::string& body = R"({"tenant":"acme","id":"ci"})") {
        const auto request = parse_key_request(body, now());
        EXPECT_TRUE(request) << request.error().message;
        auto made = book_->create(*request);
        EXPECT_TRUE(made) << made.error().message;
        return *made;
    }
    KeyFault check(const std::string& key, Timestamp at = now()) { return keyring_->check(key, at).fault; }
    // In the order of the alphabet: keys made in the same millisecond have no other.
    std::string ids(const std::string& prefix) {
        std::set<std::string> found;
        api::KeySelection selection;
        selection.prefix = prefix;
        const json answer = json::parse(key_services(*book_).list(selection));
        for (const auto& key : answer["keys"]) {
            found.insert(key["id"].get<std::string>());
        }
        std::string all;
        for (const auto& id : found) all += id + " ";
        return all;
    }

    const std::string path_ = std::filesystem::temp_directory_path() / ("stoker-" + random_hex(8));
    gateway::AuthOptions file_;
    std::shared_ptr<const gateway::Keyring> keyring_;
    std::unique_ptr<state::StateStore> store_;
    std::unique_ptr<KeyBook> book_;
};

TEST_F(KeyBookTest, AKeyIsGoodAtOnceAndAfterARestart) {
    const auto made = make(R"({"tenant":"acme","models":["m-1"],"priority":"high","metadata":{"team":"x"}})");
    for (int i = 0; i < 2; ++i, open()) {
        const auto verdict = keyring_->check(made.secret, now());
        ASSERT_EQ(verdict.fault, KeyFault::None);
        EXPECT_EQ(verdict.identity->tenant, "acme");
        EXPECT_TRUE(verdict.identity->models.allow("m-1"));
        EXPECT_FALSE(verdict.identity->models.allow("m-2"));
        EXPECT_EQ(verdict.identity->priority, gateway::Priority::High);
        EXPECT_EQ(verdict.identity->metadata.at("team"), "x");
    }
}

TEST_F(KeyBookTest, RotationKeepsTheOldKeyForAWhile) {
    const auto made = make();
    const auto next = book_->rotate("ci", Duration{60'000});
    ASSERT_TRUE(next);
    open();
    EXPECT_EQ(check(made.secret), KeyFault::None);
    EXPECT_EQ(check(made.secret, now() + Duration{60'001}), KeyFault::Rotated);
    EXPECT_EQ(check(next->secret), KeyFault::None);
    const auto last = book_->rotate("ci", Duration{0});
    ASSERT_TRUE(last);
    EXPECT_EQ(check(made.secret), KeyFault::Unknown);
    EXPECT_EQ(check(next->secret), KeyFault::Unknown);
    EXPECT_EQ(check(last->secret), KeyFault::None);
}

TEST_F(KeyBookTest, RevokedIsForGood) {
    const auto made = make();
    ASSERT_TRUE(book_->revoke("ci"));
    EXPECT_TRUE(book_->revoke("ci")) << "twice is no error";
    EXPECT_EQ(check(made.secret), KeyFault::Revoked);
    EXPECT_EQ(book_->rotate("ci", Duration{0}).error().code, Errc::Conflict);
    EXPECT_EQ(book_->edit("ci", {}).error().code, Errc::Conflict);
    open();
    EXPECT_EQ(check(made.secret), KeyFault::Revoked);
    ASSERT_TRUE(book_->remove("ci"));
    EXPECT_EQ(check(made.secret), KeyFault::Unknown);
    EXPECT_EQ(book_->revoke("ci").error().code, Errc::NotFound);
}

TEST_F(KeyBookTest, ChangesAddToWhatIsThere) {
    const auto made = make(R"({"tenant":"acme","id":"ci","metadata":{"a":"1","b":"2"},"expires":"1h"})");
    const auto changes = parse_key_changes(R"({"metadata":{"a":null,"c":"3"},"expires":null,"models":["m-9"]})", now());
    ASSERT_TRUE(changes);
    const auto changed = book_->edit("ci", *changes);
    ASSERT_TRUE(changed);
    EXPECT_EQ(changed->options.metadata, (std::map<std::string, std::string>{{"b", "2"}, {"c", "3"}}));
    EXPECT_FALSE(changed->options.expires);
    EXPECT_EQ(check(made.secret, now() + Duration{7'200'000}), KeyFault::None);
    EXPECT_FALSE(keyring_->check(made.secret, now()).identity->models.allow("m-1"));
    EXPECT_EQ(book_->edit("ci", {.tenant = "nobody"}).error().code, Errc::InvalidArgument);
}

TEST_F(KeyBookTest, TheFileGoesFirst) {
    for (const auto& refused : {book_->revoke("of-file"), book_->edit("of-file", {})}) {
        EXPECT_EQ(refused.error().code, Errc::Conflict);
    }
    const auto made = make();
    EXPECT_EQ(book_->create(*parse_key_request(R"({"tenant":"acme","id":"of-file"})", now())).error().code,
              Errc::Conflict);
    file_.keys.push_back({.id = "ci", .tenant = "beta", .hash = crypto::sha256("another")});
    ASSERT_TRUE(book_->configure(file_));
    EXPECT_EQ(check("another"), KeyFault::None);
    EXPECT_EQ(check(made.secret), KeyFault::Unknown);
    EXPECT_EQ(book_->list().size(), 2u);
    EXPECT_EQ(book_->find("ci")->source, KeySource::Config);
}

TEST_F(KeyBookTest, AKeyMadeElsewhereIsTakenByItsHash) {
    const std::string body =
        R"({"tenant":"beta","id":"old","sha256":")" + crypto::to_hex(crypto::sha256("long and random")) + R"("})";
    EXPECT_EQ(make(body).secret, "");
    EXPECT_EQ(check("long and random"), KeyFault::None);
    const auto again = parse_key_request(
        R"({"tenant":"beta","sha256":")" + crypto::to_hex(crypto::sha256("long and random")) + R"("})", now());
    EXPECT_EQ(book_->create(*again).error().code, Errc::Conflict);
    ASSERT_TRUE(book_->rotate("old", Duration{60'000}));
    EXPECT_EQ(book_->create(*again).error().code, Errc::Conflict) << "good until the overlap is over";
    open();
    EXPECT_EQ(check("long and random"), KeyFault::None);
}

TEST_F(KeyBookTest, FoundByWhatTheyBeginWith) {
    const auto made = make();
    (void)make(R"({"tenant":"beta","id":"cd-2"})");
    EXPECT_EQ(ids("c"), "cd-2 ci ");
    EXPECT_EQ(ids("sk-stoker-c"), "cd-2 ci ");
    EXPECT_EQ(ids("sk-stoker-cd"), "cd-2 ");
    EXPECT_EQ(ids(made.secret), "ci ");
    EXPECT_EQ(ids("secret"), "");
}

TEST_F(KeyBookTest, NothingOfAKeyIsShownOrKept) {
    const auto made = make();
    const std::string secret = made.secret.substr(made.secret.size() - 43);
    const std::string shown = key_services(*book_).list({});
    EXPECT_EQ(shown.find(secret), std::string::npos);
    EXPECT_EQ(shown.find(crypto::to_hex(crypto::sha256(made.secret))), std::string::npos);
    const auto rows = store_->api_keys();
    ASSERT_EQ(rows->size(), 1u);
    EXPECT_EQ(rows->front().hash, crypto::to_hex(crypto::sha256(made.secret)));
}

TEST_F(KeyBookTest, RemembersWhenAKeyWasUsed) {
    const auto made = make();
    EXPECT_FALSE(book_->find("ci")->last_used);
    EXPECT_EQ(check(made.secret, from_millis(1'900'000'000'123)), KeyFault::None);
    EXPECT_EQ(book_->find("ci")->last_used, from_millis(1'900'000'000'000));
    ASSERT_TRUE(book_->save_uses());
    open();
    EXPECT_EQ(book_->find("ci")->last_used, from_millis(1'900'000'000'000));
}

TEST(KeyRequest, SaysWhatIsWrong) {
    const std::pair<const char*, const char*> bad[] = {
        {"", "JSON object"},
        {"[]", "JSON object"},
        {"{}", "tenant"},
        {R"({"tenant":5})", "tenant"},
        {R"({"tenant":"a b"})", "tenant"},
        {R"({"tenant":"a","id":"../x"})", "id"},
        {R"({"tenant":"a","colour":"red"})", "colour"},
        {R"({"tenant":"a","models":"m"})", "models"},
        {R"({"tenant":"a","models":[""]})", "models"},
        {R"({"tenant":"a","priority":"urgent"})", "priority"},
        {R"({"tenant":"a","expires":"soon"})", "expires"},
        {R"({"tenant":"a","expires":"2020-01-01T00:00:00Z"})", "over"},
        {R"({"tenant":"a","metadata":{"x":1}})", "metadata.x"},
        {R"({"tenant":"a","sha256":"abc"})", "sha256"},
    };
    for (const auto& [body, part] : bad) {
        const auto parsed = parse_key_request(body, now());
        ASSERT_FALSE(parsed) << body;
        EXPECT_NE(parsed.error().message.find(part), std::string::npos) << body << ": " << parsed.error().message;
    }
    EXPECT_FALSE(parse_key_changes(R"({"id":"x"})", now()));
    EXPECT_EQ(parse_key_rotation("").value_or(Duration{0}), std::chrono::hours{24});
    EXPECT_EQ(parse_key_rotation(R"({"overlap":"0"})").value_or(Duration{7}), Duration{0});
    EXPECT_FALSE(parse_key_rotation(R"({"overlap":"200d"})"));
}

}  // namespace
}  // namespace stoker::app
