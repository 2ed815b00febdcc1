// pools[].admission: how many requests a pool takes at a time, and the queue of the others.
#include "app/config.h"
#include "app/config_checks.h"
#include "app/config_convert.h"
#include "base/text.h"

namespace stoker::app {
namespace {

constexpr std::int64_t kMostPlaces = 1'000'000;

std::int64_t places(const std::string& concurrency) {
    return parse_integer(concurrency).value_or(0);
}

bool is_concurrency(const std::string& text) {
    return text == "off" || text == "auto" || (places(text) >= 1 && places(text) <= kMostPlaces);
}

}  // namespace

void describe(config::Fields& f, AdmissionConfig& c) {
    f.field(
        "concurrency", c.concurrency,
        "Requests under way for each replica that serves; more wait for their turn. A number; `auto` finds it by the "
        "time to first token and the engines' own queues; `off`: no limit.");
    f.check("concurrency", is_concurrency(c.concurrency), "must be off, auto, or a number from 1 to 1000000");
    at_least(f, "min", c.min, 1, "What `auto` never goes below, for each replica.");
    at_least(f, "max", c.max, 1, "What it never goes above.");
    f.check("max", c.max >= c.min && c.max <= kMostPlaces, "must be at least `min`, and at most 1000000");
    f.field("ttft_tolerance", c.ttft_tolerance,
            "How many times its least of the last ten minutes the median time to first token may be before `auto` lets "
            "fewer requests through.");
    f.check("ttft_tolerance", c.ttft_tolerance > 1, "must be above 1");
    at_least(f, "queue", c.queue, 0,
             "Requests that may wait, for the whole pool. When it is full, the newest of the lowest priority goes.");
    f.check("queue", c.queue <= kMostPlaces, "must be at most 1000000");
    positive(
        f, "timeout", c.timeout,
        "How long one may wait; then it falls back to another model (`overloaded`), or gets 503 and Retry-After. So "
        "does at once a request that by the pace of late would wait longer.");
    f.field("lower_share", c.lower_share,
            "Of the tokens that higher priorities are served, what each priority below them gets while it waits, so "
            "that none starves; 0: a higher one always goes first.");
    f.check("lower_share", c.lower_share >= 0 && c.lower_share <= 0.5, "must be from 0 to 0.5");
}

gateway::AdmissionOptions admission_options(const AdmissionConfig& c) {
    gateway::AdmissionOptions options;
    options.limit = places(c.concurrency);
    if (c.concurrency == "auto") options.mode = gateway::ConcurrencyMode::Auto;
    if (options.limit > 0) options.mode = gateway::ConcurrencyMode::Fixed;
    options.min = c.min;
    options.max = c.max;
    options.ttft_tolerance = c.ttft_tolerance;
    options.queue = static_cast<std::size_t>(c.queue);
    options.timeout = c.timeout;
    options.lower_share = c.lower_share;
    return options;
}

}  // namespace stoker::app
