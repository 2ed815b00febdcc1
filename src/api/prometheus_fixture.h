// Calls Prometheus' API over a store in memory, for its tests.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "api/prometheus.h"
#include "api/testing.h"

namespace stoker::api {

class PrometheusFixture : public testing::Test {
protected:
    // At 600 s. `target` is ["METHOD "]PATH[?QUERY].
    net::Response call(const std::string& target, ApiRequest request = {}) {
        const std::size_t blank = target.find(' ');
        request.method = blank == std::string::npos ? "GET" : target.substr(0, blank);
        const std::string rest = blank == std::string::npos ? target : target.substr(blank + 1);
        const std::size_t mark = rest.find('?');
        request.path = rest.substr(0, mark);
        if (mark != std::string::npos) request.params = net::parse_query(rest.substr(mark + 1));
        const Router router(prometheus_routes(services));
        Match match = router.find(request.method, request.path);
        if (match.route == nullptr) return text_response("no route", match.path_known ? 405 : 404);
        request.captures = std::move(match.captures);
        return match.route->handler(request);
    }
    std::string body(const std::string& target) { return call(target).body; }

    // The `data` member of a good answer, or what went wrong instead.
    std::string data(const std::string& target) {
        const std::string text = body(target);
        const std::string begin = R"({"status":"success","data":)";
        return text.starts_with(begin) ? text.substr(begin.size(), text.size() - begin.size() - 1) : text;
    }

    // "STATUS errorType: error"
    std::string error(const std::string& target) {
        const net::Response response = call(target);
        const auto field = [&](const std::string& name) {
            const std::string key = "\"" + name + "\":\"";
            const std::size_t begin = response.body.find(key) + key.size();
            std::size_t end = begin;
            while (end < response.body.size() && (response.body[end] != '"' || response.body[end - 1] == '\\')) ++end;
            return response.body.substr(begin, end - begin);
        };
        return std::to_string(response.status) + " " + field("errorType") + ": " + field("error");
    }

    MemoryStore store;
    promql::Engine engine;
    std::vector<ScrapeTarget> targets;
    std::vector<alert::GroupStatus> groups;
    ServerFacts facts;
    PrometheusServices services{
        .store = store,
        .engine = engine,
        .now = [] { return from_millis(600'000); },
        .targets = [this] { return targets; },
        .rules = [this] { return std::make_shared<const std::vector<alert::GroupStatus>>(groups); },
        .facts = [this] { return facts; }};
};

}  // namespace stoker::api
