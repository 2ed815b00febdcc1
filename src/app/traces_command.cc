// `stoker traces`.
#include "app/traces_command.h"

#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "app/ask.h"
#include "app/table.h"
#include "base/time.h"

namespace stoker::app {
namespace {

using nlohmann::json;

constexpr std::int64_t kNanosPerMilli = 1'000'000;

std::int64_t number(const json& object, const char* key) {
    return object.value(key, std::int64_t{0});
}

std::string duration_of(const json& object) {
    return short_seconds(static_cast<double>(number(object, "duration_ns")) / 1e9);
}

int list(const TracesOptions& options) {
    Params params{{"last", options.last},
                  {"limit", std::to_string(options.limit)},
                  {"service", options.service},
                  {"name", options.name},
                  {"model", options.model},
                  {"q", options.text},
                  {"min_duration", options.min_duration},
                  {"errors", options.errors ? "true" : ""}};
    for (const std::string& tag : options.tags) params.emplace_back("tag", tag);
    const auto answer = ask(options.client, "GET", "/api/v1/traces", params);
    if (!answer) return fail(answer.error());
    if (options.client.output == Output::Json) {
        std::printf("%s\n", answer->dump().c_str());
        return 0;
    }
    Table table({"TIME", "TRACE", "SERVICE", "NAME", "MODEL", "SPANS", "ERRORS", "DURATION"});
    for (const json& trace : answer->at("traces")) {
        table.add({format_timestamp(from_millis(number(trace, "start_ns") / kNanosPerMilli)),
                   trace.value("trace_id", ""), trace.value("service", ""), trace.value("name", ""),
                   trace.value("model", ""), std::to_string(number(trace, "spans")),
                   std::to_string(number(trace, "errors")), duration_of(trace)});
    }
    if (table.empty()) {
        std::printf("no such traces in the last %s\n", options.last.c_str());
    } else {
        std::fputs(table.text().c_str(), stdout);
    }
    return 0;
}

// The spans by parent; those whose parent is not there are roots.
class Tree {
public:
    Tree(const json& spans, Table& table) : table_(table) {
        std::map<std::string, bool> known;
        for (const json& span : spans) known[span.value("span_id", "")] = true;
        for (const json& span : spans) {
            const std::string parent = span.value("parent_span_id", "");
            children_[known.count(parent) > 0 ? parent : ""].push_back(&span);
        }
        start_ = spans.empty() ? 0 : number(spans.front(), "start_ns");
    }

    void print() { print("", 0); }

private:
    void print(const std::string& parent, int depth) {
        constexpr int kDeepest = 100;  // A span that is its own ancestor ends here.
        const auto found = children_.find(parent);
        if (found == children_.end() || depth > kDeepest) return;
        const auto spans = std::move(found->second);
        children_.erase(found);
        for (const json* span : spans) {
            table_.add(
                {std::string(static_cast<std::size_t>(depth) * 2, ' ') + span->value("name", ""),
                 span->value("service", ""),
                 fmt::format("+{}", short_seconds(static_cast<double>(number(*span, "start_ns") - start_) / 1e9)),
                 duration_of(*span), span->value("error", false) ? "error " + span->value("status_message", "") : "",
                 span->value("span_id", "")});
            print(span->value("span_id", "-"), depth + 1);
        }
    }

    Table& table_;
    std::map<std::string, std::vector<const json*>> children_;
    std::int64_t start_ = 0;
};

int show(const TracesOptions& options) {
    const auto answer = ask(options.client, "GET", "/api/v1/traces/" + options.trace_id, {});
    if (!answer) return fail(answer.error());
    if (options.client.output == Output::Json) {
        std::printf("%s\n", answer->dump().c_str());
        return 0;
    }
    Table table({"NAME", "SERVICE", "START", "DURATION", "STATUS", "SPAN"});
    Tree(answer->at("spans"), table).print();
    std::fputs(table.text().c_str(), stdout);
    return 0;
}

}  // namespace

int traces(const TracesOptions& options) {
    return options.trace_id.empty() ? list(options) : show(options);
}

}  // namespace stoker::app
