#include "twin/faults.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "twin/bad_metrics.h"

namespace stoker::twin {
namespace {

using Json = nlohmann::json;

struct KindRow {
    FaultKind kind;
    std::string_view name;
    bool per_request;                          // Takes probability and count.
    std::vector<std::string_view> parameters;  // Beside kind, for, probability and count.
};

const std::vector<KindRow>& kinds() {
    static const std::vector<KindRow> rows = {
        {FaultKind::Crash, "crash", true, {"after_tokens"}},
        {FaultKind::Hang, "hang", false, {}},
        {FaultKind::HangAll, "hang_all", false, {}},
        {FaultKind::KvExhausted, "kv_exhausted", false, {"share"}},
        {FaultKind::LatencyRamp, "latency_ramp", false, {"to", "over"}},
        {FaultKind::StallStream, "stall_stream", true, {"after_tokens"}},
        {FaultKind::CutStream, "cut_stream", true, {"after_tokens"}},
        {FaultKind::SlowFirstToken, "slow_first_token", true, {"delay"}},
        {FaultKind::ErrorRate, "error_rate", true, {"status"}},
        {FaultKind::RateLimit, "rate_limit", true, {"retry_after"}},
        {FaultKind::MalformedEvent, "malformed_event", true, {"after_tokens"}},
        {FaultKind::MissingDone, "missing_done", true, {}},
        {FaultKind::WrongUsage, "wrong_usage", true, {"factor"}},
        {FaultKind::NoUsage, "no_usage", true, {}},
        {FaultKind::ResetBeforeHeaders, "reset_before_headers", true, {}},
        {FaultKind::NoAnswer, "no_answer", true, {}},
        {FaultKind::ContextTooLong, "context_too_long", true, {}},
        {FaultKind::ContentRefused, "content_refused", true, {}},
        {FaultKind::RejectContinuation, "reject_continuation", true, {}},
        {FaultKind::BadMetrics, "bad_metrics", false, {"how"}},
    };
    return rows;
}

const KindRow& row_of(FaultKind kind) {
    return *std::find_if(kinds().begin(), kinds().end(), [kind](const KindRow& row) { return row.kind == kind; });
}

Error invalid(std::string message) {
    return {Errc::InvalidArgument, std::move(message)};
}

Result<const KindRow*> find_kind(const Json& body) {
    std::string known;
    auto name = body.find("kind");
    for (const auto& row : kinds()) {
        if (name != body.end() && name->is_string() && name->get_ref<const std::string&>() == row.name) return &row;
        known += (known.empty() ? "" : ", ") + std::string(row.name);
    }
    return invalid("kind must be one of: " + known);
}

Result<double> number_in(const Json& value, std::string_view key, double low, double high) {
    bool fits = value.is_number() && value.get<double>() >= low && value.get<double>() <= high;
    if (!fits) {
        return invalid(std::string(key) + " must be a number from " + format_number(low) + " to " +
                       format_number(high));
    }
    return value.get<double>();
}

// "1m30s", or a number of seconds.
Result<Duration> duration_in(const Json& value, std::string_view key) {
    if (value.is_string()) {
        auto parsed = parse_duration(value.get_ref<const std::string&>());
        if (!parsed) return std::move(parsed).error().context(key);
        return *parsed;
    }
    TRY(double seconds, number_in(value, key, 0, 1e9));
    return Duration{static_cast<std::int64_t>(seconds * 1000)};
}

Result<Unit> set_parameter(Fault& fault, const std::string& key, const Json& value) {
    if (key == "probability") {
        TRY(fault.probability, number_in(value, key, 0, 1));
    } else if (key == "count" || key == "after_tokens") {
        TRY(double number, number_in(value, key, 0, 4e9));
        if (key == "count")
            fault.count = static_cast<std::uint64_t>(number);
        else
            fault.after_tokens = static_cast<std::uint32_t>(number);
    } else if (key == "for") {
        TRY(fault.lasts, duration_in(value, key));
    } else if (key == "delay") {
        TRY(fault.delay, duration_in(value, key));
    } else if (key == "over") {
        TRY(fault.over, duration_in(value, key));
    } else if (key == "retry_after") {
        TRY(fault.retry_after, duration_in(value, key));
    } else if (key == "status") {
        TRY(double status, number_in(value, key, 400, 599));
        fault.status = static_cast<int>(status);
    } else if (key == "to" || key == "factor") {
        TRY(fault.factor, number_in(value, key, 0, 1e6));
    } else if (key == "share") {
        TRY(fault.share, number_in(value, key, 0, 1));
    } else if (key == "how") {
        std::string known;
        for (std::string_view way : bad_metrics_ways()) {
            if (value == way) fault.how = way;
            known += (known.empty() ? "" : ", ") + std::string(way);
        }
        if (value != fault.how) return invalid("how must be one of: " + known);
    }
    return Unit{};
}

// What a kind needs when it is not told.
void set_defaults(Fault& fault) {
    if (fault.kind == FaultKind::LatencyRamp || fault.kind == FaultKind::WrongUsage) fault.factor = 10;
    if (fault.kind == FaultKind::SlowFirstToken) fault.delay = Duration{5'000};
}

Json to_json(const Fault& fault, SteadyTime now) {
    const KindRow& row = row_of(fault.kind);
    auto seconds = [](Duration duration) { return static_cast<double>(duration.count()) / 1000; };
    Json out{{"kind", row.name}, {"hits", fault.hits}};
    if (row.per_request) out["probability"] = fault.probability;
    if (fault.count) out["count"] = *fault.count;
    if (fault.lasts) {
        auto gone = std::chrono::duration_cast<Duration>(now - fault.set_at);
        out["remaining_s"] = seconds(*fault.lasts - gone);
    }
    for (std::string_view name : row.parameters) {
        std::string key(name);
        if (name == "after_tokens" && fault.after_tokens)
            out[key] = *fault.after_tokens;
        else if (name == "delay")
            out[key] = seconds(fault.delay);
        else if (name == "over")
            out[key] = seconds(fault.over);
        else if (name == "retry_after" && fault.retry_after)
            out[key] = seconds(*fault.retry_after);
        else if (name == "status")
            out[key] = fault.status;
        else if (name == "to" || name == "factor")
            out[key] = fault.factor;
        else if (name == "share")
            out[key] = fault.share;
        else if (name == "how")
            out[key] = fault.how;
    }
    return out;
}

void apply(const Fault& fault, RequestFaults& request) {
    switch (fault.kind) {
        case FaultKind::Crash:
            request.crash_after = fault.after_tokens.value_or(0);
            break;
        case FaultKind::StallStream:
            request.stall_after = fault.after_tokens.value_or(1);
            break;
        case FaultKind::CutStream:
            request.cut_after = fault.after_tokens.value_or(1);
            break;
        case FaultKind::MalformedEvent:
            request.malformed_after = fault.after_tokens.value_or(1);
            break;
        case FaultKind::SlowFirstToken:
            request.first_token_delay = fault.delay;
            break;
        case FaultKind::ErrorRate:
            request.error_status = fault.status;
            break;
        case FaultKind::RateLimit:
            request.rate_limited = true;
            request.retry_after = fault.retry_after;
            break;
        case FaultKind::MissingDone:
            request.missing_done = true;
            break;
        case FaultKind::WrongUsage:
            request.usage_factor = fault.factor;
            break;
        case FaultKind::NoUsage:
            request.no_usage = true;
            break;
        case FaultKind::ResetBeforeHeaders:
            request.reset_before_headers = true;
            break;
        case FaultKind::NoAnswer:
            request.no_answer = true;
            break;
        case FaultKind::ContextTooLong:
            request.context_too_long = true;
            break;
        case FaultKind::ContentRefused:
            request.content_refused = true;
            break;
        case FaultKind::RejectContinuation:
            request.reject_continuation = true;
            break;
        case FaultKind::Hang:
        case FaultKind::HangAll:
        case FaultKind::KvExhausted:
        case FaultKind::LatencyRamp:
        case FaultKind::BadMetrics:
            break;  // Of the whole engine.
    }
}

}  // namespace

std::string_view to_string(FaultKind kind) {
    return row_of(kind).name;
}

Result<Fault> parse_fault(std::string_view json) {
    Json body = Json::parse(json, nullptr, false);
    if (!body.is_object()) return invalid("the body must be a JSON object with a \"kind\"");
    TRY(const KindRow* row, find_kind(body));
    std::vector<std::string_view> allowed = {"kind", "for"};
    if (row->per_request) allowed.insert(allowed.end(), {"probability", "count"});
    allowed.insert(allowed.end(), row->parameters.begin(), row->parameters.end());

    Fault fault;
    fault.kind = row->kind;
    set_defaults(fault);
    for (const auto& [key, value] : body.items()) {
        if (std::find(allowed.begin(), allowed.end(), key) == allowed.end()) {
            std::string known;
            for (std::string_view name : allowed) known += (known.empty() ? "" : ", ") + std::string(name);
            return invalid("'" + key + "' is no parameter of " + std::string(row->name) + "; valid: " + known);
        }
        TRY_UNIT(set_parameter(fault, key, value));
    }
    return fault;
}

void Faults::add(Fault fault, SteadyTime now) {
    drop_over(now);
    // One of a kind: a second crash or hang adds nothing, and the newest word counts.
    clear(fault.kind);
    fault.set_at = now;
    faults_.push_back(std::move(fault));
}

bool Faults::clear(FaultKind kind) {
    return std::erase_if(faults_, [kind](const Fault& fault) { return fault.kind == kind; }) > 0;
}

void Faults::drop_over(SteadyTime now) {
    std::erase_if(faults_, [now](const Fault& fault) { return fault.is_over(now); });
}

RequestFaults Faults::draw(SteadyTime now) {
    RequestFaults request;
    if (faults_.empty()) return request;
    drop_over(now);
    for (auto& fault : faults_) {
        if (!row_of(fault.kind).per_request) continue;
        if (std::uniform_real_distribution<double>(0, 1)(random_) >= fault.probability) continue;
        ++fault.hits;
        if (fault.count) --*fault.count;
        apply(fault, request);
    }
    return request;
}

bool Faults::hangs(SteadyTime now) const {
    return std::any_of(faults_.begin(), faults_.end(), [now](const Fault& fault) {
        return (fault.kind == FaultKind::Hang || fault.kind == FaultKind::HangAll) && !fault.is_over(now);
    });
}

bool Faults::health_hangs(SteadyTime now) const {
    return std::any_of(faults_.begin(), faults_.end(),
                       [now](const Fault& fault) { return fault.kind == FaultKind::HangAll && !fault.is_over(now); });
}

double Faults::kv_withheld(SteadyTime now) const {
    for (const auto& fault : faults_) {
        if (fault.kind == FaultKind::KvExhausted && !fault.is_over(now)) return fault.share;
    }
    return 0;
}

double Faults::slowdown(SteadyTime now) const {
    for (const auto& fault : faults_) {
        if (fault.kind != FaultKind::LatencyRamp || fault.is_over(now)) continue;
        if (fault.over.count() == 0) return fault.factor;
        double passed = std::chrono::duration<double>(now - fault.set_at) / fault.over;
        return 1 + (fault.factor - 1) * std::clamp(passed, 0.0, 1.0);
    }
    return 1;
}

std::string Faults::bad_metrics(SteadyTime now) const {
    for (const auto& fault : faults_) {
        if (fault.kind == FaultKind::BadMetrics && !fault.is_over(now)) return fault.how;
    }
    return "";
}

std::string Faults::json(SteadyTime now) {
    drop_over(now);
    Json list = Json::array();
    for (const auto& fault : faults_) list.push_back(to_json(fault, now));
    return Json{{"faults", std::move(list)}}.dump();
}

}  // namespace stoker::twin
