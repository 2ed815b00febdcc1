// `stoker route`.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "app/ask.h"
#include "app/table.h"
#include "base/file.h"
#include "base/text.h"
#include "base/time.h"

namespace stoker::app {
namespace {

using nlohmann::json;

std::string number(double value) {
    return format_number(value);
}

// 0.25 of a second is "250 ms".
std::string milliseconds(double seconds) {
    return seconds == 0 ? "-" : std::to_string(static_cast<long long>(seconds * 1000)) + " ms";
}

void print_canary(const json& canary) {
    std::printf("\ncanary %s: %s, the candidate gets %s %%\n", canary.value("name", "").c_str(),
                canary.value("phase", "").c_str(), number(canary.value("candidate_percent", 0.0)).c_str());
    for (const char* key : {"reason", "judgement"}) {
        if (const auto text = canary.value(key, ""); !text.empty()) std::printf("  %s: %s\n", key, text.c_str());
    }
    Table table({"ARM", "MODEL", "REQUESTS", "FAILED", "TTFT P95", "DURATION P95"});
    for (const char* arm : {"control", "candidate"}) {
        const json& one = canary.at(arm);
        table.add({arm, one.value("model", ""), std::to_string(one.value("requests", 0)),
                   std::to_string(one.value("failed", 0)), milliseconds(one.value("ttft_p95_seconds", 0.0)),
                   milliseconds(one.value("duration_p95_seconds", 0.0))});
    }
    std::fputs(table.text().c_str(), stdout);
}

void print_release(const json& release) {
    Table aliases({"ALIAS", "TO", "CONFIGURED"});
    for (const json& alias : release.at("aliases")) {
        aliases.add({alias.value("name", ""), alias.value("to", ""), alias.value("configured", "")});
    }
    if (!aliases.empty()) std::fputs(aliases.text().c_str(), stdout);
    Table splits({"SPLIT", "BY", "TO"});
    for (const json& split : release.at("splits")) {
        std::vector<std::string> arms;
        for (const json& arm : split.at("arms"))
            arms.push_back(arm.value("to", "") + " " + number(arm.value("weight", 0.0)));
        splits.add({split.value("name", ""), split.value("by", ""), join(arms, ", ")});
    }
    if (!splits.empty()) std::fputs(splits.text().c_str(), stdout);
    for (const json& canary : release.at("canaries")) print_canary(canary);
    Table changes({"CHANGED", "WHAT", "NAME", "FROM", "TO", "BY", "REASON"});
    for (const json& one : release.at("changes")) {
        std::string to = one.value("to", "");
        if (one.contains("percent")) to += " " + number(one.value("percent", 0.0)) + " %";
        changes.add({format_timestamp(from_millis(one.value("at_ms", std::int64_t{0}))), one.value("kind", ""),
                     one.value("name", ""), one.value("from", ""), to, one.value("by", ""), one.value("reason", "")});
    }
    if (!changes.empty()) std::printf("\n%s", changes.text().c_str());
    if (aliases.empty() && splits.empty() && release.at("canaries").empty()) {
        std::puts("no aliases, splits or canaries: every request goes to the pool of its model");
    }
}

// "limit: used of limit"
std::string budget_of(const json& shadow) {
    std::vector<std::string> lines;
    for (const json& line : shadow.at("limits")) {
        lines.push_back(line.value("limit", "") + " " + std::to_string(line.value("used", std::int64_t{0})) + "/" +
                        std::to_string(line.value("of", std::int64_t{0})));
    }
    return lines.empty() ? "-" : join(lines, ", ");
}

// "answered 40, timed_out 2"
std::string counts_of(const json& counts) {
    std::vector<std::string> parts;
    for (const auto& [name, count] : counts.items()) {
        if (count.get<std::int64_t>() > 0) parts.push_back(name + " " + std::to_string(count.get<std::int64_t>()));
    }
    return parts.empty() ? "none" : join(parts, ", ");
}

void print_shadow(const json& shadow) {
    std::printf("shadow %s: %s %% of such requests, copied to %s\n", shadow.value("name", "").c_str(),
                number(shadow.value("percent", 0.0)).c_str(), shadow.value("to", "").c_str());
    std::printf(
        "  copies: %lld, of which %lld under way; %s\n", static_cast<long long>(shadow.value("sent", std::int64_t{0})),
        static_cast<long long>(shadow.value("in_flight", std::int64_t{0})), counts_of(shadow.at("results")).c_str());
    std::printf("  not made: %s\n  used: %s\n", counts_of(shadow.at("skipped")).c_str(), budget_of(shadow).c_str());
    std::printf("  compared: %lld; differences: %s\n",
                static_cast<long long>(shadow.value("compared", std::int64_t{0})),
                counts_of(shadow.at("differences")).c_str());
    Table table({"SIDE", "TOKENS", "TTFT P50", "TTFT P95", "DURATION P50", "DURATION P95"});
    for (const char* side : {"client", "copy"}) {
        const json& one = shadow.at(side);
        table.add({side, number(one.value("completion_tokens_mean", 0.0)),
                   milliseconds(one.value("ttft_p50_seconds", 0.0)), milliseconds(one.value("ttft_p95_seconds", 0.0)),
                   milliseconds(one.value("duration_p50_seconds", 0.0)),
                   milliseconds(one.value("duration_p95_seconds", 0.0))});
    }
    std::fputs(table.text().c_str(), stdout);
    Table last({"AT", "REQUEST", "DIFFERS BY", "STATUS", "TOKENS"});
    for (const json& one : shadow.at("last")) {
        const auto both = [&one](const char* key) {
            return std::to_string(one.at("client").value(key, std::int64_t{0})) + " / " +
                   std::to_string(one.at("copy").value(key, std::int64_t{0}));
        };
        last.add({format_timestamp(from_millis(one.value("at_ms", std::int64_t{0}))), one.value("request_id", ""),
                  join(one.value("what", std::vector<std::string>{}), ", "), both("status"),
                  both("completion_tokens")});
    }
    if (!last.empty()) std::fputs(last.text().c_str(), stdout);
}

void print_shadows(const json& answer) {
    if (answer.at("shadows").empty()) std::puts("no shadows: no request is copied");
    for (const json& shadow : answer.at("shadows")) print_shadow(shadow);
}

// "3 running, 1 waiting"
std::string engine_of(const json& replica) {
    const json& engine = replica.at("balance").at("engine");
    if (!engine.is_object()) return "-";
    return number(engine.value("running", 0.0)) + " running, " + number(engine.value("waiting", 0.0)) + " waiting";
}

std::string engine_age_of(const json& replica) {
    const json& engine = replica.at("balance").at("engine");
    return engine.is_object() ? std::to_string(engine.value("age_ms", std::int64_t{0})) + " ms" : "-";
}

// "serving", "serving, lacks_adapter": with why it is not asked, where that is another thing.
std::string state_of(const json& replica) {
    std::string state = replica.value("state", "");
    const std::string excluded = replica.at("balance").value("excluded", "");
    if (!excluded.empty() && excluded != state) state += ", " + excluded;
    return state;
}

void print_explanation(const json& answer) {
    const std::string pool = answer.value("pool", "");
    std::printf("%s -> %s%s\n", answer.value("asked", "").c_str(), answer.value("model", "").c_str(),
                pool.empty() ? "" : (" in pool " + pool).c_str());
    std::vector<std::string> led;
    if (const auto rule = answer.value("rule", ""); !rule.empty()) led.push_back("rule " + rule);
    if (const auto split = answer.value("split", ""); !split.empty()) {
        led.push_back("split " + split + "=" + answer.value("arm", ""));
    }
    if (!led.empty()) std::printf("  led by %s, as its record would say\n", join(led, ", ").c_str());
    for (const json& line : answer.at("why")) std::printf("  %s\n", line.get<std::string>().c_str());
    if (answer.contains("refused")) std::printf("  refused: %s\n", answer.value("refused", "").c_str());
    if (answer.contains("error")) std::printf("  %s\n", answer.value("error", "").c_str());
    int place = 0;
    for (const json& step : answer.at("steps")) {
        std::vector<std::string> after = step.value("after", std::vector<std::string>{});
        std::printf("\n%d. %s in pool %s%s\n", ++place, step.value("model", "").c_str(), step.value("pool", "").c_str(),
                    after.empty() ? "" : (", if what was before it ended by " + join(after, " or ")).c_str());
        if (step.contains("pick")) {
            std::printf("   now: %s (%s, by %s)\n", step.at("pick").value("replica", "").c_str(),
                        step.value("policy", "").c_str(), step.at("pick").value("reason", "").c_str());
        } else {
            std::puts("   now: nobody");
        }
        Table table({"REPLICA", "STATE", "OUTSTANDING", "SCORE", "ENGINE", "AGE", "HEALTH", "AGE"});
        for (const json& replica : step.at("replicas")) {
            const auto age = replica.value("health_age_ms", std::int64_t{-1});
            table.add({replica.value("replica", ""), state_of(replica), std::to_string(replica.value("outstanding", 0)),
                       number(replica.at("balance").value("score", 0.0)), engine_of(replica), engine_age_of(replica),
                       replica.value("health", ""), age < 0 ? "-" : std::to_string(age) + " ms"});
        }
        std::fputs(table.text().c_str(), stdout);
    }
}

std::string name_of_user(const std::string& given) {
    if (!given.empty()) return given;
    const char* user = std::getenv("USER");
    return user == nullptr || *user == '\0' ? "command line" : user;
}

int show(const Result<json>& answer, Output output, void (*print)(const json&)) {
    if (!answer) return fail(answer.error());
    if (output == Output::Json) {
        std::printf("%s\n", answer->dump().c_str());
    } else {
        print(*answer);
    }
    return 0;
}

// "name: value" or "name=value".
Result<json> pairs(const std::vector<std::string>& given, char separator) {
    json object = json::object();
    for (const std::string& one : given) {
        const auto at = one.find(separator);
        if (at == std::string::npos) {
            return Error{Errc::InvalidArgument,
                         "expected NAME" + std::string(1, separator) + "VALUE, found '" + one + "'"};
        }
        object[std::string(trim(one.substr(0, at)))] = trim(std::string_view(one).substr(at + 1));
    }
    return object;
}

Result<json> read_body(const std::string& file) {
    std::string text;
    if (file == "-") {
        text.assign(std::istreambuf_iterator<char>(std::cin), {});
    } else {
        TRY(text, read_file(file));
    }
    json body = json::parse(text, nullptr, false);
    if (!body.is_object()) return Error{Errc::InvalidArgument, file + " is not a JSON object"};
    return body;
}

Result<json> question(const RouteExplainOptions& options) {
    json asked = json::object();
    const std::pair<const char*, const std::string&> texts[] = {{"model", options.model},
                                                                {"path", options.path},
                                                                {"tenant", options.tenant},
                                                                {"user", options.user},
                                                                {"time", options.time}};
    for (const auto& [key, text] : texts) {
        if (!text.empty()) asked[key] = text;
    }
    if (options.prompt_tokens > 0) asked["prompt_tokens"] = options.prompt_tokens;
    TRY(asked["headers"], pairs(options.headers, ':'));
    TRY(asked["metadata"], pairs(options.metadata, '='));
    if (!options.body_file.empty()) {
        TRY(asked["body"], read_body(options.body_file));
    }
    return asked;
}

}  // namespace

int route_show(const RouteShowOptions& options) {
    return show(ask(options.client, "GET", "/api/v1/route"), options.client.output, print_release);
}

int route_switch(const RouteSwitchOptions& options) {
    if (options.to.empty() && !options.reset) {
        return fail({Errc::InvalidArgument, "say where the alias is to lead, or --reset"});
    }
    const json body = {{"alias", options.alias},
                       {"to", options.reset ? json() : json(options.to)},
                       {"by", name_of_user(options.by)},
                       {"reason", options.reason}};
    return show(ask(options.client, "POST", "/api/v1/route/switch", {}, body.dump()), options.client.output,
                print_release);
}

int route_canary(const RouteCanaryOptions& options) {
    const json body = {{"canary", options.canary},
                       {"action", options.action},
                       {"by", name_of_user(options.by)},
                       {"reason", options.reason}};
    return show(ask(options.client, "POST", "/api/v1/route/canary", {}, body.dump()), options.client.output,
                print_release);
}

int route_shadow(const RouteShadowOptions& options) {
    return show(ask(options.client, "GET", "/api/v1/route/shadow"), options.client.output, print_shadows);
}

int route_explain(const RouteExplainOptions& options) {
    const auto asked = question(options);
    if (!asked) return fail(asked.error());
    return show(ask(options.client, "POST", "/api/v1/route/explain", {}, asked->dump()), options.client.output,
                print_explanation);
}

}  // namespace stoker::app
