// `stoker events`: what happened, and trying webhooks out.
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/ask.h"
#include "app/config_convert.h"
#include "app/outward.h"
#include "app/table.h"

namespace stoker::app {
namespace {

using nlohmann::json;

constexpr Duration kFollow{1'000};

Params asked(const EventsOptions& options) {
    return {{"type", options.type}, {"severity", options.severity}, {"limit", std::to_string(options.limit)}};
}

void print_line(const json& event) {
    std::printf("%s  %-8s  %-19s  %s\n", event.value("time", "").c_str(), event.value("severity", "").c_str(),
                event.value("type", "").c_str(), event.value("summary", "").c_str());
}

void print(const EventsOptions& options, const json& events) {
    for (const auto& event : events) {
        if (options.client.output == Output::Json) {
            std::printf("%s\n", event.dump().c_str());
        } else {
            print_line(event);
        }
    }
    std::fflush(stdout);
}

// Until the user has had enough, or Stoker is gone.
int follow(const EventsOptions& options, std::uint64_t after) {
    while (true) {
        Params params = asked(options);
        params.emplace_back("after", std::to_string(after));
        const auto answer = ask(options.client, "GET", "/api/v1/events", params);
        if (!answer) return fail(answer.error());
        print(options, answer->at("events"));
        after = answer->value("next", after);
        if (answer->at("events").empty()) std::this_thread::sleep_for(kFollow);
    }
}

}  // namespace

int events(const EventsOptions& options) {
    const auto answer = ask(options.client, "GET", "/api/v1/events", asked(options));
    if (!answer) return fail(answer.error());
    json list = answer->at("events");
    std::reverse(list.begin(), list.end());
    if (!options.follow && options.client.output == Output::Json) {
        std::printf("%s\n", answer->dump().c_str());
        return 0;
    }
    print(options, list);
    if (list.empty() && !options.follow) std::puts("no events");
    return options.follow ? follow(options, answer->value("next", std::uint64_t{0})) : 0;
}

int webhooks_test(const WebhooksTestOptions& options) {
    const LoadedConfig loaded = load_config(options.config_file, config::process_environment());
    for (const auto& problem : loaded.problems) std::fprintf(stderr, "%s\n", problem.text().c_str());
    if (!loaded.ok()) return 2;
    bool good = true;
    std::size_t tried = 0;
    for (const WebhookConfig& webhook : loaded.config.events.webhooks) {
        if (!options.name.empty() && webhook.name != options.name) continue;
        ++tried;
        outward::Event event;
        event.at = now();
        event.id = "test-" + std::to_string(to_millis(event.at));
        event.type = "stoker.test";
        event.summary = "A test of the webhook " + webhook.name + ".";
        const auto made = webhook_options(webhook, external_url(loaded.config));
        const auto post = webhook_post(webhook, loaded.config, nullptr);
        const auto verdict = outward::judge_delivery(post(made, outward::webhook_request(made, event, event.at)));
        const bool taken = verdict.delivery == outward::Delivery::Taken;
        good = good && taken;
        if (options.output == Output::Json) {
            std::printf("%s\n",
                        json{{"webhook", webhook.name}, {"taken", taken}, {"error", verdict.error}}.dump().c_str());
        } else {
            std::printf("%s: %s\n", webhook.name.c_str(), taken ? "taken" : verdict.error.c_str());
        }
    }
    if (tried > 0) return good ? 0 : 1;
    return fail({Errc::NotFound, options.name.empty() ? options.config_file + " has no events.webhooks"
                                                      : "no webhook " + options.name + " in " + options.config_file});
}

}  // namespace stoker::app
