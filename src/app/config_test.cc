#include "app/config.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "app/config_convert.h"
#include "base/file.h"
#include "base/id.h"

namespace stoker::app {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::optional<std::string> no_variables(const std::string&) {
    return std::nullopt;
}

LoadedConfig read(std::string_view text) {
    return read_config(text, "/nowhere/c.yaml", no_variables);
}

// The problems, one a line, without the file's name.
std::string problems(std::string_view text) {
    std::string out;
    for (const config::Problem& problem : read(text).problems) {
        out += problem.text().substr(std::string("/nowhere/").size()) + '\n';
    }
    return out;
}

// A pool in flow style.
std::string pool(const std::string& name, const std::string& model, const std::string& url) {
    return "{name: " + name + ", models: [" + model + "], replicas: [{url: '" + url + "'}]}";
}

TEST(Config, EmptyIsTheDefault) {
    EXPECT_EQ(problems(""), "");
    EXPECT_TRUE(changed_sections(read("").config, default_config()).empty());
    EXPECT_EQ(default_config().gateway.listen, "127.0.0.1:8700");
    EXPECT_EQ(default_config().console.listen, "127.0.0.1:8701");
}

TEST(Config, ReadsThePublishedContract) {
    const auto loaded = read(R"(
gateway: {listen: 127.0.0.1:8700}
console: {listen: 127.0.0.1:8701}
pools:
  - name: chat
    models: [tiny]
    replicas:
      - url: http://127.0.0.1:9001
        model: tiny-random-llama
        run: [real-engine, run, "9001"]
rules: {files: [rules/*.yaml]}
healing: {dry_run: false, policies: [{name: p, on: [engine_down], steps: [eject, restart, readmit]}]}
)");
    ASSERT_EQ(loaded.problems.size(), 0U) << loaded.problems.front().text();
    const ReplicaConfig& replica = loaded.config.pools.at(0).replicas.at(0);
    EXPECT_EQ(replica.run, (std::vector<std::string>{"real-engine", "run", "9001"}));
    const auto made = routes(loaded.config);
    EXPECT_EQ(made.pools.at(0).replicas.at(0).model, "tiny-random-llama");
    EXPECT_EQ(made.pools.at(0).health.interval, gateway::HealthOptions{}.interval);
}

TEST(Config, ListenAddresses) {
    for (const char* good : {"127.0.0.1:0", "127.5.5.5:65535", "'[::1]:80'", "localhost:8700"}) {
        EXPECT_EQ(problems(std::string("gateway: {listen: ") + good + "}"), "") << good;
    }
    for (const char* bad :
         {"8700", "127.0.0.1", "'127.0.0.1:'", "127.0.0.1:65536", "example.org:80", "'::1:80'", "a:b"}) {
        EXPECT_NE(problems(std::string("gateway: {listen: ") + bad + "}").find("expected ADDRESS:PORT"),
                  std::string::npos)
            << bad;
    }
}

TEST(Config, OtherMachinesOnlyWhenAllowed) {
    for (const char* open : {"0.0.0.0:80", "':80'", "'*:80'", "'[::]:80'", "10.0.0.1:80"}) {
        const std::string listen = std::string("listen: ") + open;
        EXPECT_NE(problems("console: {" + listen + "}").find("the console asks for no credentials"), std::string::npos)
            << open;
        EXPECT_EQ(problems("console: {" + listen + ", allow_public: true}"), "") << open;
        EXPECT_NE(problems("gateway: {" + listen + "}").find("set auth.required: true"), std::string::npos) << open;
        EXPECT_EQ(problems("gateway: {" + listen + ", allow_public: true}"), "") << open;
        EXPECT_EQ(problems("{gateway: {" + listen + "}, auth: {required: true}}"), "") << open;
        EXPECT_NE(problems("{console: {" + listen + "}, auth: {required: true}}"), "") << "keys are the gateway's";
    }
    Config config = default_config();
    EXPECT_EQ(override_gateway_listen(config, "0.0.0.0:80").error().code, Errc::PermissionDenied);
    EXPECT_EQ(override_gateway_listen(config, "nonsense").error().code, Errc::InvalidArgument);
    EXPECT_EQ(config.gateway.listen, "127.0.0.1:8700");
    EXPECT_TRUE(override_gateway_listen(config, "127.0.0.1:0"));
    EXPECT_EQ(config.gateway.listen, "127.0.0.1:0");
    config.auth.required = true;
    EXPECT_TRUE(override_gateway_listen(config, "0.0.0.0:80"));
    EXPECT_EQ(override_console_listen(config, "0.0.0.0:81").error().code, Errc::PermissionDenied);
}

TEST(Config, KeysAndTenantsAreChecked) {
    const std::string hash(64, 'a');
    const std::string key = "{id: ci, sha256: " + hash + ", tenant: acme";
    EXPECT_EQ(problems("auth: {keys: [" + key + "}]}"), "");
    EXPECT_EQ(problems("auth: {tenants: [{name: acme}], keys: [" + key + "}]}"), "");
    EXPECT_NE(problems("auth: {tenants: [{name: other}], keys: [" + key + "}]}").find("there is no tenant 'acme'"),
              std::string::npos);
    EXPECT_NE(problems("auth: {tenants: [{name: a}, {name: a}]}").find("named 'a' already"), std::string::npos);
    EXPECT_NE(problems("auth: {keys: [" + key + "}, " + key + "}]}").find("the id 'ci' already"), std::string::npos);
    EXPECT_NE(problems("auth: {keys: [" + key + ", expires: tomorrow}]}").find("must be a time"), std::string::npos);
    EXPECT_NE(problems("auth: {keys: [{id: ci, sha256: abc, tenant: a}]}").find("64 hex digits"), std::string::npos);

    const auto loaded = read("auth: {required: true, tenants: [{name: acme, priority: low, models: [a, b]}], keys: [" +
                             key + ", expires: 2027-01-31T00:00:00Z, priority: high}]}");
    const gateway::AuthOptions auth = auth_options(loaded.config);
    EXPECT_TRUE(auth.required);
    EXPECT_EQ(auth.tenants.at(0).priority, gateway::Priority::Low);
    EXPECT_EQ(auth.tenants.at(0).models, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(crypto::to_hex(auth.keys.at(0).hash), hash);
    EXPECT_EQ(auth.keys.at(0).priority, gateway::Priority::High);
    EXPECT_EQ(format_timestamp(auth.keys.at(0).expires.value_or(Timestamp{})), "2027-01-31T00:00:00.000Z");
}

TEST(Config, ListenersDiffer) {
    EXPECT_EQ(problems("console: {listen: 127.0.0.1:8700}"),
              "c.yaml:1:19: console.listen: is the gateway's address as well\n");
    EXPECT_EQ(problems("{gateway: {listen: 127.0.0.1:0}, console: {listen: 127.0.0.1:0}}"), "");
}

TEST(Config, PoolsAreCheckedAgainstEachOther) {
    EXPECT_EQ(problems("pools:\n- " + pool("a", "m", "http://h:1") + "\n- " + pool("a", "n", "http://h:2")),
              "c.yaml:3:10: pools[1].name: another pool is named 'a' already\n");
    EXPECT_EQ(problems("pools:\n- " + pool("a", "m", "http://h:1") + "\n- " + pool("b", "m", "http://h:2")), "");
    EXPECT_NE(problems("pools:\n- " + pool("a", "m, m", "http://h:1")).find("is given twice"), std::string::npos);
    EXPECT_NE(problems("pools:\n- " + pool("a", "'pool:m'", "http://h:1")).find("must not begin"), std::string::npos);
    EXPECT_EQ(problems("pools:\n- " + pool("a", "m", "http://h:1") + "\n- " + pool("b", "n", "http://h:1")), "");
    EXPECT_NE(problems("pools:\n- {name: a, models: [m], replicas: [{url: http://h:1, run: [x]}]}\n"
                       "- {name: b, models: [n], replicas: [{url: http://h:1, run: [x]}]}\n")
                  .find("is run by pool 'a' already"),
              std::string::npos);
}

TEST(Config, ReplicasAreChecked) {
    const auto replicas = [](const std::string& list) {
        return problems("pools: [{name: a, models: [m], replicas: [" + list + "]}]");
    };
    EXPECT_NE(replicas("{url: http://h:1}, {url: http://h:1/v1}").find("same host and port"), std::string::npos);
    EXPECT_NE(replicas("{url: h}").find("pools[0].replicas[0].url: "), std::string::npos);
    EXPECT_NE(replicas("{url: http://h:1, run: [a], systemd: b}").find("excludes `run`"), std::string::npos);
    EXPECT_NE(replicas("{url: http://h:1, systemd: --force}").find("systemd unit"), std::string::npos);
    EXPECT_NE(replicas("{url: http://h:1, env: {A: b}}").find("only for `run`"), std::string::npos);
    EXPECT_NE(replicas("").find("at least one replica"), std::string::npos);
    EXPECT_NE(problems("pools: [{name: a/b, models: [], replicas: [{url: http://h}]}]").find("letters, digits"),
              std::string::npos);
}

TEST(Config, PoliciesAreChecked) {
    const std::string head = "pools: [" + pool("a", "m", "http://h:1") + "]\nhealing:\n  policies:\n";
    EXPECT_EQ(problems(head + "  - {name: p, pools: [a, b]}\n"),
              "c.yaml:4:26: healing.policies[0].pools[1]: there is no pool 'b'\n");
    EXPECT_EQ(problems(head + "  - {name: p}\n  - {name: p}\n"),
              "c.yaml:5:12: healing.policies[1].name: another policy is named 'p' already\n");
}

TEST(Config, MistypedKeyNamesTheNearest) {
    const std::string found = problems("gateway: {listen: 127.0.0.1:0}\npools:\n  - name: chat\n    modles: [a]\n");
    EXPECT_NE(found.find("c.yaml:4:5: pools[0].modles: unknown key; did you mean 'models'?\n"), std::string::npos)
        << found;
}

TEST(Config, MissingFileIsAProblem) {
    const auto loaded = load_config("/nowhere/c.yaml", no_variables);
    ASSERT_EQ(loaded.problems.size(), 1U);
    EXPECT_EQ(loaded.problems[0].text(), "/nowhere/c.yaml: cannot open /nowhere/c.yaml: No such file or directory");
}

TEST(Config, RuleFilesAreReadFromTheFilesFolder) {
    const fs::path folder = fs::temp_directory_path() / ("stoker-rules-" + random_hex(6));
    ASSERT_TRUE(ensure_directory(folder / "rules"));
    const auto write = [&](const char* name, const std::string& expr) {
        return write_file_atomic(folder / name, "groups: [{name: g, rules: [{record: r, expr: '" + expr + "'}]}]");
    };
    ASSERT_TRUE(write("rules/a.yaml", "up"));
    const std::string text = "rules: {files: [rules/*.yaml]}";
    const auto good = read_config(text, folder / "c.yaml", no_variables);
    EXPECT_TRUE(good.ok());
    EXPECT_EQ(good.rules.groups.size(), 1U);
    ASSERT_TRUE(write("rules/b.yaml", "sum("));
    const auto bad = read_config(text, folder / "c.yaml", no_variables);
    ASSERT_EQ(bad.problems.size(), 1U);
    EXPECT_EQ(bad.problems[0].file, folder / "rules/b.yaml");
    fs::remove_all(folder);
    EXPECT_NE(read("rules: {files: [none.yaml]}").problems.at(0).text().find("no such rule file"), std::string::npos);
}

TEST(Config, VerificationMustBePromql) {
    const std::string head = "healing: {policies: [{name: p, verify: {query: '";
    EXPECT_EQ(problems(head + "up{replica=\"$replica\",pool=\"$pool\"} == 1'}}]}"), "");
    EXPECT_NE(problems(head + "sum('}}]}").find("healing.policies[0].verify.query: "), std::string::npos);
}

TEST(Config, ChangesAreNamedBySection) {
    const Config before = default_config();
    Config after = before;
    EXPECT_TRUE(changed_sections(before, after).empty());
    after.pools.push_back({.name = "a", .models = {"m"}, .replicas = {}, .health = {}, .deadlines = {}, .retries = {}});
    after.storage.metrics.retention = 1h;
    after.gateway.tls = TlsConfig{};
    const auto changed = changed_sections(before, after);
    EXPECT_EQ(changed, (std::vector<std::string>{"gateway", "pools", "storage"}));
    EXPECT_EQ(restart_needed(changed), (std::vector<std::string>{"gateway", "storage"}));
}

TEST(Config, CollectIsChecked) {
    EXPECT_EQ(problems("collect: {discovery: {ports: [8085, 0]}}"),
              "c.yaml:1:37: collect.discovery.ports[1]: must be a port, from 1 to 65535\n");
    const auto loaded = read("collect: {scrape_interval: 1s, discovery: {ports: [8085]}}");
    const auto options = collect_options(loaded.config);
    EXPECT_EQ(options.timeout, 1s);
    EXPECT_EQ(options.discover_ports, std::vector<std::uint16_t>{8085});
}

TEST(Config, DataFolder) {
    Config config;
    config.folder = "/etc/stoker";
    config.data_dir = "data";
    EXPECT_EQ(*data_folder(config, no_variables), "/etc/stoker/data");
    config.data_dir = "/srv/stoker";
    EXPECT_EQ(*data_folder(config, no_variables), "/srv/stoker");
}

TEST(Config, NoPoliciesMeansTheDefaultOne) {
    EXPECT_EQ(healing(default_config()).policies.at(0).name, "restart-dead-engine");
}

TEST(Config, FallbacksNameModelsThatSomePoolServes) {
    const std::string pools =
        "pools: [" + pool("a", "large", "http://h:1") + ", " + pool("b", "small", "http://h:2") + "]\n";
    const auto loaded = read(pools + "models: [{name: large, fallback: [{to: small, on: [context_too_long]}]}]");
    ASSERT_TRUE(loaded.ok()) << loaded.problems.front().text();
    EXPECT_EQ(routes(loaded.config).models[0].fallback[0].on,
              gateway::FallbackCauses{gateway::FallbackCause::ContextTooLong});
    EXPECT_EQ(problems(pools + "models: [{name: large, fallback: [{to: smal}]}]"),
              "c.yaml:2:40: models[0].fallback[0].to: no pool serves a model 'smal'; did you mean 'small'?\n");
    EXPECT_EQ(problems(pools + "models: [{name: large, fallback: [{to: large}]}]"),
              "c.yaml:2:40: models[0].fallback[0].to: is the model itself\n");
    EXPECT_EQ(problems(pools + "models: [{name: large}, {name: large}]"),
              "c.yaml:2:32: models[1].name: the model 'large' is described already\n");
    EXPECT_EQ(problems(pools + "models: [{name: large, fallback: [{to: small, on: [dead]}]}]"),
              "c.yaml:2:52: models[0].fallback[0].on[0]: expected one of down, overloaded, context_too_long, "
              "content_refused, found 'dead'\n");
    EXPECT_TRUE(read("models: [{name: large, fallback: [{to: found-later}]}]").ok()) << "engines are found";
}

}  // namespace
}  // namespace stoker::app
