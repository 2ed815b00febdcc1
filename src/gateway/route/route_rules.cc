#include "gateway/route/route_rules.h"

#include <algorithm>

#include "base/text.h"

namespace stoker::gateway {
namespace {

bool any_matches(const std::vector<std::string>& patterns, std::string_view text) {
    return patterns.empty() || std::any_of(patterns.begin(), patterns.end(),
                                           [&](const std::string& pattern) { return matches_pattern(pattern, text); });
}

bool header_matches(const std::string& name, const std::string& pattern, const net::Headers& headers) {
    const auto value = headers.get(name);
    return value && matches_pattern(pattern, *value);
}

bool metadata_matches(const std::string& name, const std::string& pattern, const Identity& identity) {
    const auto found = identity.metadata.find(name);
    return found != identity.metadata.end() && matches_pattern(pattern, found->second);
}

bool length_matches(const RuleOptions& rule, std::int64_t tokens) {
    return tokens >= rule.min_prompt_tokens && (rule.max_prompt_tokens == 0 || tokens <= rule.max_prompt_tokens);
}

std::string quoted(std::string_view text) {
    constexpr std::size_t kMostShown = 80;
    return "'" + std::string(text.substr(0, kMostShown)) + "'";
}

std::string wants(const std::vector<std::string>& patterns) {
    return ", the rule wants " + join(patterns, " or ");
}

std::string explain_headers(const RuleOptions& rule, const RouteQuestion& question) {
    for (const auto& [name, pattern] : rule.headers) {
        if (header_matches(name, pattern, question.headers)) continue;
        const auto value = question.headers.get(name);
        return "header " + name + (value ? " is " + quoted(*value) : " is not there") + wants({pattern});
    }
    return {};
}

std::string explain_metadata(const RuleOptions& rule, const RouteQuestion& question) {
    for (const auto& [name, pattern] : rule.metadata) {
        if (metadata_matches(name, pattern, question.identity)) continue;
        const auto found = question.identity.metadata.find(name);
        const bool there = found != question.identity.metadata.end();
        return "the key's metadata " + name + (there ? " is " + quoted(found->second) : " is not there") +
               wants({pattern});
    }
    return {};
}

std::string bounds_of(const RuleOptions& rule) {
    std::string text = "at least " + std::to_string(rule.min_prompt_tokens);
    if (rule.max_prompt_tokens > 0) text += " and at most " + std::to_string(rule.max_prompt_tokens);
    return text;
}

std::string conditions_of(const RuleOptions& rule) {
    std::vector<std::string> conditions;
    if (!rule.models.empty()) conditions.emplace_back("model");
    if (!rule.paths.empty()) conditions.emplace_back("path");
    if (!rule.tenants.empty()) conditions.emplace_back("tenant");
    for (const auto& [name, pattern] : rule.headers) conditions.push_back("header " + name);
    for (const auto& [name, pattern] : rule.metadata) conditions.push_back("metadata " + name);
    if (rule.min_prompt_tokens > 0 || rule.max_prompt_tokens > 0) conditions.emplace_back("prompt length");
    if (rule.time) conditions.push_back("time " + rule.time->text);
    return conditions.empty() ? "matches everything" : "matches: " + join(conditions, ", ");
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) {
    // The classic: on a mismatch after a star, the star takes one character more. Linear but for such retreats.
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;
    std::size_t taken = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            taken = t;
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++taken;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool holds(const TimeWindow& window, Timestamp now) {
    const auto local = window.zone.local(now);
    const auto day = std::chrono::floor<std::chrono::days>(local);
    const auto minute = static_cast<int>(std::chrono::floor<std::chrono::minutes>(local - day).count());
    const unsigned today = std::chrono::weekday{day}.c_encoding();
    const auto on = [&](unsigned weekday) { return (window.days >> weekday & 1U) != 0; };
    if (window.from_minute == window.to_minute) return on(today);
    if (window.from_minute < window.to_minute) {
        return on(today) && minute >= window.from_minute && minute < window.to_minute;
    }
    if (minute >= window.from_minute) return on(today);
    return minute < window.to_minute && on((today + 6) % 7);
}

RuleField mismatch(const RuleOptions& rule, const RouteQuestion& question) {
    if (!any_matches(rule.models, question.model)) return RuleField::Model;
    if (!any_matches(rule.paths, question.path)) return RuleField::Path;
    if (!any_matches(rule.tenants, question.identity.tenant)) return RuleField::Tenant;
    for (const auto& [name, pattern] : rule.headers) {
        if (!header_matches(name, pattern, question.headers)) return RuleField::Header;
    }
    for (const auto& [name, pattern] : rule.metadata) {
        if (!metadata_matches(name, pattern, question.identity)) return RuleField::Metadata;
    }
    if (!length_matches(rule, question.prompt_tokens)) return RuleField::PromptTokens;
    if (rule.time && !holds(*rule.time, question.now)) return RuleField::Time;
    return RuleField::None;
}

std::string explain_rule(const RuleOptions& rule, const RouteQuestion& question) {
    switch (mismatch(rule, question)) {
        case RuleField::None:
            return conditions_of(rule);
        case RuleField::Model:
            return "model is " + quoted(question.model) + wants(rule.models);
        case RuleField::Path:
            return "path is " + quoted(question.path) + wants(rule.paths);
        case RuleField::Tenant:
            return "tenant is " + quoted(question.identity.tenant) + wants(rule.tenants);
        case RuleField::Header:
            return explain_headers(rule, question);
        case RuleField::Metadata:
            return explain_metadata(rule, question);
        case RuleField::PromptTokens:
            return "the prompt has about " + std::to_string(question.prompt_tokens) + " tokens" +
                   wants({bounds_of(rule)});
        case RuleField::Time:
            return "it is " + format_timestamp(question.now) + wants({rule.time->text});
    }
    return {};
}

std::string_view sticky_key(StickyBy by, std::string_view header, const RouteQuestion& question) {
    const std::string_view user = question.user.empty() ? std::string_view(question.identity.key_id) : question.user;
    switch (by) {
        case StickyBy::Nothing:
            return {};
        case StickyBy::User:
            return user;
        case StickyBy::Session:
        case StickyBy::Header: {
            const auto value = question.headers.get(header);
            if (value && !value->empty()) return *value;
            return by == StickyBy::Session ? user : std::string_view();
        }
        case StickyBy::Tenant:
            return question.identity.tenant;
    }
    return {};
}

std::string_view to_string(StickyBy by) {
    switch (by) {
        case StickyBy::Nothing:
            return "request";
        case StickyBy::User:
            return "user";
        case StickyBy::Session:
            return "session";
        case StickyBy::Tenant:
            return "tenant";
        case StickyBy::Header:
            return "header";
    }
    return "unknown";
}

}  // namespace stoker::gateway
