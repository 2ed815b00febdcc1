// Which requests have a tenant in their metrics.
#include "gateway/route_series.h"

#include "crypto/hash.h"
#include "gateway/rig_test.h"

namespace stoker::gateway::test {
namespace {

using testing::HasSubstr;
using testing::Not;

Identity identity(const std::string& tenant, bool named = true) {
    Identity who;
    who.tenant = tenant;
    who.tenant_is_label = named;
    return who;
}

TEST(RouteSeries, OnlyNamedTenantsAreLabels) {
    metrics::Registry registry;
    RequestMetrics metrics(registry);
    RouteSeries series(metrics, "p", "m", {"p/a:1"});
    series.of(identity("acme")).model.ok->add(2);
    series.of(identity("stranger", false)).model.ok->add(3);
    series.of(identity("")).replicas[0].prompt_tokens->add(5);
    EXPECT_EQ(&series.of(identity("stranger", false)), &series.of(identity("")));
    EXPECT_EQ(&series.of(identity("acme")), &series.of(identity("acme")));
    const std::string text = registry.text();
    EXPECT_THAT(text, HasSubstr(R"(llm_requests_total{pool="p",model="m",code="200",outcome="ok",tenant="acme"} 2)"));
    EXPECT_THAT(text, HasSubstr("llm_requests_total{pool=\"p\",model=\"m\",code=\"200\",outcome=\"ok\"} 3\n"));
    EXPECT_THAT(text, Not(HasSubstr("stranger")));
}

TEST(RouteSeries, PastABoundTenantsShareALabel) {
    metrics::Registry registry;
    RequestMetrics metrics(registry);
    RouteSeries series(metrics, "p", "m", {});
    for (std::size_t i = 0; i < 2 * RouteSeries::kMostTenants; ++i) {
        series.of(identity("t" + std::to_string(i))).model.ok->add();
    }
    EXPECT_THAT(registry.text(),
                HasSubstr("outcome=\"ok\",tenant=\"(others)\"} " + std::to_string(RouteSeries::kMostTenants) + "\n"));
    EXPECT_EQ(series.of(identity("t0")).tenant, "t0");
}

TEST(RouteSeries, ARequestIsCountedForItsTenant) {
    Rig rig(1);
    const NewKey acme = make_key("a");
    const NewKey other = make_key("b");
    AuthOptions auth;
    auth.required = true;
    for (const auto* key : {&acme, &other}) {
        KeyOptions& options = auth.keys.emplace_back();
        options.id = key->id;
        options.tenant = key == &acme ? "acme" : "other";
        options.hash = crypto::sha256(key->key);
    }
    auth.tenants = {{.name = "acme"}, {.name = "other"}};
    ASSERT_TRUE(rig.gateway().apply_auth(auth));
    const auto ask = [&rig](const std::string& key, std::string body) {
        return rig.ask({.body = std::move(body), .headers = {{"authorization", "Bearer " + key}}}).status;
    };
    EXPECT_EQ(ask(acme.key, kWhole), 200);
    EXPECT_EQ(ask(other.key, kWhole), 200);
    EXPECT_EQ(ask(other.key, kWhole), 200);
    EXPECT_EQ(ask(acme.key, R"({"model":"unknown"})"), 404);
    const std::string text = rig.registry().text();
    EXPECT_THAT(text, HasSubstr(R"(code="200",outcome="ok",tenant="acme"} 1)"));
    EXPECT_THAT(text, HasSubstr(R"(code="200",outcome="ok",tenant="other"} 2)"));
    EXPECT_THAT(text, HasSubstr(R"(type="prompt",source="engine",tenant="other"} 20)"));
    EXPECT_THAT(text, HasSubstr(R"(llm_requests_total{code="404",outcome="client_error",tenant="acme"} 1)"));
    EXPECT_THAT(text, HasSubstr(R"(llm_active_requests{pool="chat",model="tiny",tenant="other"} 0)"));
}

}  // namespace
}  // namespace stoker::gateway::test
