// routing: from the name that a client asks for to the model that serves it.
#include "app/config_routing.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/config_checks.h"
#include "base/text.h"
#include "gateway/route/route_choice.h"

namespace stoker::app {
namespace {

void describe_sticky(config::Fields& f, std::string& by, std::string& header) {
    f.choice("by", by, {"request", "user", "session", "tenant", "header"},
             "What stays on its side: nothing (each request is drawn), the body's `user` (else the key), the session "
             "(the header `x-session-id`, else the user), the tenant, or the value of `header`. A request that does "
             "not say it is drawn.");
    f.field("header", header, "The header for `by: header`; for `by: session` another one than x-session-id.");
    f.check("header", by != "header" || !header.empty(), "must be given with `by: header`");
}

}  // namespace

std::optional<int> parse_minute_of_day(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || text.size() != colon + 3 || colon == 0 || colon > 2) return {};
    const auto hours = parse_integer(text.substr(0, colon));
    const auto minutes = parse_integer(text.substr(colon + 1));
    if (!hours || !minutes || *hours < 0 || *minutes < 0 || *minutes > 59 || *hours * 60 + *minutes > 24 * 60)
        return {};
    return static_cast<int>(*hours * 60 + *minutes) % (24 * 60);
}

std::optional<unsigned> parse_weekdays(std::string_view text) {
    constexpr std::string_view kDays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
    const auto day = [&](std::string_view name) -> std::optional<unsigned> {
        const auto* found = std::find(std::begin(kDays), std::end(kDays), name);
        if (found == std::end(kDays)) return {};
        return static_cast<unsigned>(found - std::begin(kDays));
    };
    const auto dash = text.find('-');
    const auto first = day(text.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : day(text.substr(dash + 1));
    if (!first || !last) return {};
    unsigned bits = 0;
    for (unsigned at = *first;; at = (at + 1) % 7) {
        bits |= 1U << at;
        if (at == *last) return bits;
    }
}

void describe(config::Fields& f, AliasConfig& c) {
    f.field("name", c.name, "What clients may ask for.");
    f.required("name");
    f.field("to", c.to,
            "What it stands for: a model, a pool (`pool:NAME`), a split, a canary or another alias. `stoker route "
            "switch` changes it while "
            "Stoker runs, until this value here is changed.");
    f.required("to");
}

void describe(config::Fields& f, RuleTimeConfig& c) {
    f.field("from", c.from, "HH:MM, inclusive.");
    f.check("from", parse_minute_of_day(c.from).has_value(), "expected HH:MM, such as 22:00");
    f.field("to", c.to, "HH:MM, exclusive; before `from`: on the next day. The same as `from`: the whole day.");
    f.check("to", parse_minute_of_day(c.to).has_value(), "expected HH:MM, such as 06:00");
    f.field("days", c.days, "`mon` to `sun`, or `mon-fri`: the days on which it begins. Empty: every day.");
    for (std::size_t i = 0; i < c.days.size(); ++i) {
        f.check(fmt::format("days[{}]", i), parse_weekdays(c.days[i]).has_value(),
                fmt::format("expected a day such as mon, or days such as mon-fri, found '{}'", c.days[i]));
    }
    f.field("zone", c.zone, "Time zone, as the system's zoneinfo names it: Europe/Berlin.");
    const auto zone = TimeZone::find(c.zone);
    f.check("zone", zone.has_value(), zone ? "" : zone.error().message);
}

void describe(config::Fields& f, RoutingRuleConfig& c) {
    f.field("name", c.name, "Name in metrics and explanations.");
    f.required("name");
    f.check("name", c.name.empty() || is_plain_name(c.name), "must be letters, digits, '_', '.', '-', at most 64");
    f.field("models", c.models, "What the client asks for; `*` in this and the following stands for any characters.");
    f.field("paths", c.paths, "Paths of the API: /v1/embeddings.");
    f.field("tenants", c.tenants, "Tenants of the client's key.");
    f.field("headers", c.headers, "Headers of the request with the values they must have; `*` for any.");
    f.field("metadata", c.metadata, "Metadata of the client's key with the values it must have.");
    at_least(f, "min_prompt_tokens", c.min_prompt_tokens, 0,
             "Prompts of at least so many tokens, estimated as a quarter of their bytes.");
    at_least(f, "max_prompt_tokens", c.max_prompt_tokens, 0, "Prompts of at most so many tokens; 0: no bound.");
    f.check("max_prompt_tokens", c.max_prompt_tokens == 0 || c.max_prompt_tokens >= c.min_prompt_tokens,
            "must not be below `min_prompt_tokens`");
    f.object("time", c.time, "Hours of the day and days of the week; always if it is not given.");
    f.field(
        "to", c.to,
        "Where such requests go: a model, an alias, a split, a canary, or `pool:NAME`, which serves the model that was "
        "asked for, or its own first one.");
    f.required("to");
}

void describe(config::Fields& f, SplitTargetConfig& c) {
    f.field("to", c.to, "A model, `pool:NAME`, or an alias of those.");
    f.required("to");
    f.field("weight", c.weight, "Its share, relative to the others'; 0 takes it out.");
    f.required("weight");
    f.check("weight", c.weight >= 0 && c.weight <= 1e9, "must be from 0 to 1e9");
}

void describe(config::Fields& f, SplitConfig& c) {
    f.field("name", c.name, "What clients ask for. It may be the name of a model, which is then split.");
    f.required("name");
    describe_sticky(f, c.by, c.header);
    f.list("targets", c.targets, "Where the requests go.");
    f.required("targets");
    double total = 0;
    for (const SplitTargetConfig& target : c.targets) total += target.weight;
    f.check("targets", total > 0, "all weights are 0, so no request could go anywhere; give one of them a weight");
}

void describe(config::Fields& f, CanaryConfig& c) {
    f.field("name", c.name, "What clients ask for. It may be the name of a model, which is then released by a canary.");
    f.required("name");
    f.field("control", c.control, "The model that is in use.");
    f.required("control");
    f.field("candidate", c.candidate, "The model that is to take its place. Another one here begins a new release.");
    f.required("candidate");
    f.check("candidate", c.candidate.empty() || c.candidate != c.control, "is the control itself");
    describe_sticky(f, c.by, c.header);
    f.field("steps", c.steps, "Percent of the requests that the candidate gets, rising; after the last step all.");
    f.check("steps", !c.steps.empty(), "must have at least one step");
    double before = 0;
    for (std::size_t i = 0; i < c.steps.size(); ++i) {
        const auto percent = parse_number(c.steps[i]);
        f.check(fmt::format("steps[{}]", i), percent && *percent > before && *percent < 100,
                "must be a number above the one before it and below 100");
        before = percent.value_or(before);
    }
    positive(f, "hold", c.hold, "How long each step lasts at least.");
    at_least(f, "min_requests", c.min_requests, 10,
             "Requests of each of the two on each step before anything is decided.");
    f.field("max_error_increase", c.max_error_increase,
            "How much more of its requests than the control's may fail: 0.01 is one in a hundred.");
    f.check("max_error_increase", c.max_error_increase >= 0 && c.max_error_increase < 1, "must be from 0 to below 1");
    f.field("max_latency_ratio", c.max_latency_ratio,
            "How many times the control's its 95th percentiles of time to first token and of duration may be.");
    f.check("max_latency_ratio", c.max_latency_ratio >= 1, "must be at least 1");
    f.field("false_alarm", c.false_alarm,
            "The chance, on each step, that a candidate just within these bounds is rolled back by bad luck.");
    f.check("false_alarm", c.false_alarm > 0 && c.false_alarm <= 0.5, "must be above 0, at most 0.5");
}

void describe(config::Fields& f, RoutingConfig& c) {
    f.list("aliases", c.aliases, "Other names for models, splits and canaries.");
    f.list("rules", c.rules,
           "The first rule whose conditions all hold decides where a request goes, whatever it asked for. Without one "
           "it goes to what it asked for.");
    f.list("splits", c.splits, "Names whose requests are divided between models by weight.");
    f.list("canaries", c.canaries,
           "Names whose requests move from one model to another step by step, and back if that one does worse.");
    f.list(
        "shadows", c.shadows,
        "Copies of some requests for another model, whose answers are compared with the clients' and thrown away. The "
        "conditions are those of rules, on what the client asked for; `to` gets the copies. The first that matches, "
        "and whose share the request falls into, makes one.");
}

namespace {

// All names that a destination may have, and who has them.
class Names {
public:
    Names(config::Fields& f, const RoutingConfig& c, const std::vector<std::string>& served)
        : f_(f), config_(c), served_(served), all_(served) {
        for (const AliasConfig& alias : c.aliases) {
            aliases_.push_back({alias.name, alias.to});
            all_.push_back(alias.name);
        }
        for (const SplitConfig& split : c.splits) all_.push_back(split.name);
        for (const CanaryConfig& canary : c.canaries) all_.push_back(canary.name);
    }

    void check_unique() {
        std::vector<std::string> taken;
        const auto check = [&](const std::string& key, const std::string& name) {
            f_.check(key, !contains(taken, name), fmt::format("an alias, split or canary is named '{}' already", name));
            taken.push_back(name);
        };
        for (std::size_t i = 0; i < config_.aliases.size(); ++i) {
            const std::string key = fmt::format("routing.aliases[{}].name", i);
            check(key, config_.aliases[i].name);
            f_.check(key, !contains(served_, config_.aliases[i].name), "is a model that a pool serves already");
        }
        for (std::size_t i = 0; i < config_.splits.size(); ++i) {
            check(fmt::format("routing.splits[{}].name", i), config_.splits[i].name);
        }
        for (std::size_t i = 0; i < config_.canaries.size(); ++i) {
            check(fmt::format("routing.canaries[{}].name", i), config_.canaries[i].name);
        }
    }

    void check_aliases() {
        for (std::size_t i = 0; i < aliases_.size(); ++i) {
            const std::string key = fmt::format("routing.aliases[{}].to", i);
            const auto end = gateway::follow_aliases(aliases_, aliases_[i].name);
            f_.check(key, end.has_value(), end ? "" : end.error().message);
            if (end) check_destination(key, aliases_[i].to);
        }
    }

    // A model, an alias, a split or a canary.
    void check_destination(const std::string& key, const std::string& name) {
        if (served_.empty() || name.empty()) return;
        const bool known = contains(all_, name);
        f_.check(key, known, unknown("model, alias, split or canary", name, all_));
    }

    // A model, or an alias that ends at one.
    void check_model(const std::string& key, const std::string& name) {
        if (served_.empty() || name.empty()) return;
        const auto end = gateway::follow_aliases(aliases_, name);
        const bool known = end && contains(served_, *end);
        f_.check(key, known, unknown("model", name, served_));
    }

private:
    static bool contains(const std::vector<std::string>& names, const std::string& name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    }
    static std::string unknown(const char* what, const std::string& name, const std::vector<std::string>& names) {
        const auto nearest = nearest_name(name, names);
        return fmt::format("there is no {} '{}'{}", what, name,
                           nearest ? fmt::format("; did you mean '{}'?", *nearest) : "");
    }

    config::Fields& f_;
    const RoutingConfig& config_;
    const std::vector<std::string>& served_;
    std::vector<std::string> all_;
    std::vector<gateway::AliasOptions> aliases_;
};

}  // namespace

void check_routing(config::Fields& f, const RoutingConfig& c, const std::vector<std::string>& served) {
    Names names(f, c, served);
    for (std::size_t i = 0; i < c.shadows.size(); ++i) {
        for (std::size_t earlier = 0; earlier < i; ++earlier) {
            f.check(fmt::format("routing.shadows[{}].name", i),
                    c.shadows[earlier].match.name != c.shadows[i].match.name,
                    fmt::format("another shadow is named '{}' already", c.shadows[i].match.name));
        }
        names.check_model(fmt::format("routing.shadows[{}].to", i), c.shadows[i].match.to);
    }
    names.check_unique();
    names.check_aliases();
    for (std::size_t i = 0; i < c.rules.size(); ++i) {
        for (std::size_t earlier = 0; earlier < i; ++earlier) {
            f.check(fmt::format("routing.rules[{}].name", i), c.rules[earlier].name != c.rules[i].name,
                    fmt::format("another rule is named '{}' already", c.rules[i].name));
        }
        names.check_destination(fmt::format("routing.rules[{}].to", i), c.rules[i].to);
    }
    for (std::size_t i = 0; i < c.splits.size(); ++i) {
        for (std::size_t t = 0; t < c.splits[i].targets.size(); ++t) {
            names.check_model(fmt::format("routing.splits[{}].targets[{}].to", i, t), c.splits[i].targets[t].to);
        }
    }
    for (std::size_t i = 0; i < c.canaries.size(); ++i) {
        names.check_model(fmt::format("routing.canaries[{}].control", i), c.canaries[i].control);
        names.check_model(fmt::format("routing.canaries[{}].candidate", i), c.canaries[i].candidate);
    }
}

}  // namespace stoker::app
