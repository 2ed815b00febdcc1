// Keys without I/O: their form, which are good when, what they allow, and how guessing is slowed down.
#include "gateway/auth/keyring.h"

#include <gtest/gtest.h>

#include <set>

#include "gateway/auth/auth_failures.h"

namespace stoker::gateway {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kNow = from_millis(1'700'000'000'000);

KeyOptions options_of(const NewKey& key, const std::string& tenant = "acme") {
    KeyOptions options;
    options.id = key.id;
    options.tenant = tenant;
    options.hash = crypto::sha256(key.key);
    return options;
}

std::shared_ptr<const Keyring> ring_of(AuthOptions options, const Keyring& previous = {}) {
    auto ring = Keyring::build(options, previous);
    EXPECT_TRUE(ring) << ring.error().message;
    return *std::move(ring);
}

std::shared_ptr<const Keyring> ring_of(const KeyOptions& key) {
    AuthOptions options;
    options.keys = {key};
    return ring_of(options);
}

TEST(Key, HasAPublicPartAndASecretThatIsNeverTheSame) {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        const NewKey key = make_key();
        EXPECT_TRUE(key.key.starts_with("sk-stoker-" + key.id + "-")) << key.key;
        EXPECT_EQ(key.id.size(), 12);
        EXPECT_EQ(key.key.size(), 10 + 12 + 1 + 43);
        EXPECT_EQ(
            key.key.substr(10).find_first_not_of("0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
            std::string::npos);
        EXPECT_TRUE(seen.insert(key.key).second);
    }
}

TEST(Keyring, TakesTheWholeKeyAndNothingElse) {
    const NewKey key = make_key();
    const NewKey other = make_key();
    const auto ring = ring_of(options_of(key));
    EXPECT_EQ(ring->check(key.key, kNow).fault, KeyFault::None);
    EXPECT_EQ(ring->check(key.key, kNow).identity->key_id, key.id);
    EXPECT_EQ(ring->check(key.key, kNow).identity->tenant, "acme");
    std::string changed = key.key;
    changed.back() = changed.back() == 'a' ? 'b' : 'a';
    const std::string wrong[] = {"",
                                 "sk-stoker-",
                                 "sk-stoker--",
                                 "sk-stoker-" + key.id,
                                 "sk-stoker-" + key.id + "-",
                                 key.key.substr(0, key.key.size() - 1),
                                 key.key + "a",
                                 changed,
                                 other.key,
                                 "sk-stoker-" + key.id + "-" + other.key.substr(other.key.size() - 43),
                                 crypto::to_hex(crypto::sha256(key.key)),
                                 std::string(100'000, 'k')};
    for (const std::string& text : wrong) {
        EXPECT_EQ(ring->check(text, kNow).fault, KeyFault::Unknown) << text;
        EXPECT_EQ(ring->check(text, kNow).identity, nullptr) << text;
    }
}

TEST(Keyring, TakesKeysOfOtherFormsByTheirHash) {
    KeyOptions key;
    key.id = "old-proxy";
    key.tenant = "acme";
    key.hash = crypto::sha256("sk-made-elsewhere");
    const auto ring = ring_of(key);
    EXPECT_EQ(ring->check("sk-made-elsewhere", kNow).identity->key_id, "old-proxy");
    EXPECT_EQ(ring->check("sk-made-elsewher", kNow).fault, KeyFault::Unknown);
    EXPECT_EQ(ring->check("old-proxy", kNow).fault, KeyFault::Unknown);
    const NewKey chosen = make_key("ci-runner");  // An id with a hyphen in it.
    EXPECT_EQ(ring_of(options_of(chosen))->check(chosen.key, kNow).fault, KeyFault::None);
}

TEST(Keyring, KnowsWhenAKeyIsGood) {
    const NewKey old_key = make_key();
    const NewKey key = make_key(old_key.id);
    KeyOptions options = options_of(key);
    options.previous_hash = crypto::sha256(old_key.key);
    options.previous_until = kNow + 1h;
    options.expires = kNow + 10h;
    const auto ring = ring_of(options);
    struct Row {
        Timestamp at;
        KeyFault current;
        KeyFault previous;
    };
    const Row rows[] = {{kNow, KeyFault::None, KeyFault::None},
                        {kNow + 1h - 1ms, KeyFault::None, KeyFault::None},
                        {kNow + 1h, KeyFault::None, KeyFault::Rotated},
                        {kNow + 10h - 1ms, KeyFault::None, KeyFault::Rotated},
                        {kNow + 10h, KeyFault::Expired, KeyFault::Expired}};
    for (const Row& row : rows) {
        EXPECT_EQ(ring->check(key.key, row.at).fault, row.current);
        EXPECT_EQ(ring->check(old_key.key, row.at).fault, row.previous);
    }
    options.revoked = true;
    EXPECT_EQ(ring_of(options)->check(key.key, kNow).fault, KeyFault::Revoked);
    EXPECT_EQ(ring_of(options)->check(old_key.key, kNow).fault, KeyFault::Revoked);
}

TEST(Keyring, AKeyHasItsTenantsTermsAndItsOwn) {
    const NewKey key = make_key();
    AuthOptions options;
    options.tenants = {{.name = "acme",
                        .priority = Priority::Low,
                        .models = {"llama-*", "tiny"},
                        .metadata = {{"team", "a"}, {"cost", "1"}}}};
    options.keys = {options_of(key)};
    const auto plain = ring_of(options)->check(key.key, kNow).identity;
    EXPECT_EQ(plain->priority, Priority::Low);
    EXPECT_TRUE(plain->tenant_is_label);
    EXPECT_TRUE(plain->models.allow("llama-70b") && plain->models.allow("tiny"));
    EXPECT_FALSE(plain->models.allow("tiny-2") || plain->models.allow("Llama-70b") || plain->models.allow(""));

    options.keys[0].priority = Priority::High;
    options.keys[0].models = {"llama-8b", "gpt"};
    options.keys[0].metadata = {{"cost", "2"}};
    const auto own = ring_of(options)->check(key.key, kNow).identity;
    EXPECT_EQ(own->priority, Priority::High);
    EXPECT_TRUE(own->models.allow("llama-8b"));
    EXPECT_FALSE(own->models.allow("llama-70b") || own->models.allow("gpt") || own->models.allow("tiny"));
    EXPECT_EQ(own->metadata, (std::map<std::string, std::string>{{"team", "a"}, {"cost", "2"}}));
}

TEST(Keyring, RefusesKeysOfTenantsThatAreNoLongerNamed) {
    const NewKey key = make_key();
    AuthOptions options;
    options.keys = {options_of(key)};
    EXPECT_EQ(ring_of(options)->check(key.key, kNow).fault, KeyFault::None);
    EXPECT_FALSE(ring_of(options)->check(key.key, kNow).identity->tenant_is_label);
    options.tenants = {{.name = "other"}};
    EXPECT_EQ(ring_of(options)->check(key.key, kNow).fault, KeyFault::UnknownTenant);
    EXPECT_EQ(ring_of(options)->tenant("acme"), nullptr);
    EXPECT_EQ(ring_of(options)->tenant("other")->tenant, "other");
}

TEST(Keyring, RemembersUseThroughAChange) {
    const NewKey key = make_key();
    AuthOptions options;
    options.keys = {options_of(key)};
    const auto ring = ring_of(options);
    EXPECT_TRUE(ring->used_since(Timestamp{}).empty());
    (void)ring->check(key.key, kNow);
    const auto after = ring_of(options, *ring);
    ASSERT_EQ(after->used_since(Timestamp{}).size(), 1);
    EXPECT_EQ(after->used_since(Timestamp{})[0].id, key.id);
    EXPECT_EQ(after->used_since(Timestamp{})[0].at, kNow);
    (void)ring->check(key.key, kNow + 5s);  // A request that holds the table before.
    EXPECT_EQ(after->used_since(kNow)[0].at, kNow + 5s);
    EXPECT_TRUE(after->used_since(kNow + 5s).empty());
}

TEST(Keyring, RefusesTwoOfOneIdOrHash) {
    const NewKey key = make_key();
    AuthOptions options;
    options.keys = {options_of(key), options_of(key)};
    EXPECT_FALSE(Keyring::build(options, {}));
    options.keys[1].id = "another";
    EXPECT_FALSE(Keyring::build(options, {}));
}

TEST(ModelBounds, NothingNamedAllowsNothing) {
    ModelBounds bounds;
    EXPECT_TRUE(bounds.allow("any") && bounds.everything());
    bounds.restrict_to({"*"});
    EXPECT_TRUE(bounds.allow("any"));
    bounds.restrict_to({});
    EXPECT_FALSE(bounds.allow("any") || bounds.allow(""));
}

TEST(AuthFailures, NamesNetworks) {
    EXPECT_EQ(peer_network("203.0.113.7:5555"), "203.0.113.7");
    EXPECT_EQ(peer_network("[2001:db8:1:2:3:4:5:6]:443"), "2001:db8:1:2::/64");
    EXPECT_EQ(peer_network("[2001:db8:1:2:ffff::1]:80"), "2001:db8:1:2::/64");
    EXPECT_EQ(peer_network("[::ffff:10.0.0.1]:80"), "::ffff:10.0.0.1");
    EXPECT_EQ(peer_network(""), "");
}

TEST(AuthFailures, SlowsAGuesserDownAndForgivesIt) {
    AuthFailures failures;
    SteadyTime now{};
    for (int i = 0; i < AuthFailures::kBurst; ++i) EXPECT_FALSE(failures.note("10.0.0.1:1", now)) << i;
    EXPECT_EQ(failures.note("10.0.0.1:2", now), AuthFailures::kRefill);
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(failures.note("10.0.0.1:3", now), AuthFailures::kRefill);
    EXPECT_FALSE(failures.note("10.0.0.2:1", now)) << "another peer";
    now += AuthFailures::kRefill;
    EXPECT_FALSE(failures.wait("10.0.0.1:4", now));
    EXPECT_TRUE(failures.note("10.0.0.1:4", now));
    now += AuthFailures::kBurst * AuthFailures::kRefill * 2;
    for (int i = 0; i < AuthFailures::kBurst; ++i) EXPECT_FALSE(failures.note("10.0.0.1:1", now)) << i;
}

TEST(AuthFailures, HoldsNoMorePeersThanItSays) {
    AuthFailures failures;
    SteadyTime now{};
    for (std::size_t i = 0; i < 3 * AuthFailures::kMostPeers; ++i) (void)failures.note(std::to_string(i) + ":1", now);
    EXPECT_EQ(failures.peers_for_test(), AuthFailures::kMostPeers + 1);
    EXPECT_TRUE(failures.wait("new:1", now)) << "who is not told apart shares a bucket";
    now += std::chrono::hours(1);
    (void)failures.note("new:1", now);
    EXPECT_EQ(failures.peers_for_test(), 1);
}

}  // namespace
}  // namespace stoker::gateway
