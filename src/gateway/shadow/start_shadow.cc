// Where copies begin: on the client's way, so everything here is short, and what can be late is done by the copy.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <random>
#include <utility>

#include "gateway/balance/affinity.h"
#include "gateway/request_context.h"
#include "gateway/shadow/shadow_copy.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

double random_fraction() {
    thread_local std::minstd_rand generator{std::random_device{}()};
    return std::uniform_real_distribution<double>(0, 1)(generator);
}

// The first that is for this request and whose share it falls into.
const ShadowOptions* shadow_for(RequestContext& context) {
    const auto& shadows = context.plan.table->routing().options().shadows;
    if (shadows.empty()) return nullptr;
    const RouteQuestion question = question_of(context);
    for (const ShadowOptions& shadow : shadows) {
        if (mismatch(shadow.match, question) != RuleField::None) continue;
        if (random_fraction() * 100 < shadow.percent) return &shadow;
    }
    return nullptr;
}

// It is one engine's alone, which remembers what came before, or from which the answer is fetched later.
bool is_kept(const RequestContext& context) {
    return context.endpoint.dialect == wire::Dialect::Responses &&
           (context.scan.previous_response_value.present() || context.scan.background);
}

// The engine of the copy is not to store its answer, as it would unless it is told.
void keep_nothing(ShadowCopy& copy) {
    const wire::RequestScan& scan = copy.scan;
    if (scan.store_value.present()) {
        copy.body.replace(scan.store_value.begin, scan.store_value.size(), "false");
    } else {
        copy.body.insert(scan.inside, R"("store":false,)");  // The body has a model, so a comma always follows.
    }
    // What it was is known to be well, and still is.
    if (auto edited = wire::scan_request(copy.body)) copy.scan = *std::move(edited);
}

bool serves(const Pool& pool) {
    for (const Target& target : pool.targets) {
        if (target.replica->serving() && !target.replica->resting(std::chrono::steady_clock::now())) return true;
    }
    return false;
}

// Where requests wait for a place, copies ask for none: they take what is left over.
bool is_busy(const Pool& pool) {
    const AdmissionGate& gate = pool.admission->gate;
    if (!gate.active()) return false;
    std::int64_t outstanding = 0;  // Copies too.
    for (const Target& target : pool.targets) outstanding += target.replica->outstanding();
    const auto limit = gate.status(0, std::chrono::steady_clock::now()).limit;
    return limit && outstanding >= static_cast<std::int64_t>(*limit);
}

bool is_degraded(RequestContext& context, const Pool& pool) {
    if (!context.core().degradation.degraded()) return false;
    DegradationLevel level = DegradationLevel::Normal;
    (void)context.core().degradation.of(pool.name, {}, level);
    return level != DegradationLevel::Normal || context.degradation != DegradationLevel::Normal;
}

std::optional<ShadowSkip> reason_to_skip(RequestContext& context, const ShadowOptions& shadow, const Pool& pool) {
    if (context.core().shadows.stopping()) return ShadowSkip::Stopping;
    if (is_kept(context)) return ShadowSkip::Stored;
    if (context.upload || context.body.size() > shadow.max_body_bytes) return ShadowSkip::Body;
    if (is_degraded(context, pool)) return ShadowSkip::Degraded;
    if (!serves(pool)) return ShadowSkip::NoReplica;
    if (is_busy(pool)) return ShadowSkip::Busy;
    return {};
}

records::RequestRecord record_of(RequestContext& context, const ShadowOptions& shadow, const ModelRoute& route) {
    const records::RequestRecord& request = context.record();
    const TraceContext trace = continue_trace(context.trace().traceparent());
    records::RequestRecord record;
    record.id = request.id + "-" + shadow.match.name;
    record.trace_id = trace.trace_id;
    record.span_id = trace.span_id;
    record.parent_span_id = trace.parent_id;
    record.time_ms = to_millis(now());
    record.endpoint = request.endpoint;
    record.model = route.model;
    if (context.scan.model != route.model) record.requested_model = context.scan.model;
    record.pool = route.pool->name;
    record.stream = context.scan.stream;
    record.request_bytes = request.request_bytes;
    record.outcome = "shadow";
    record.shadow = shadow.match.name;
    record.shadow_of = request.id;
    return record;
}

}  // namespace

void start_shadow(RequestContext& context) {
    const ShadowOptions* shadow = shadow_for(context);
    if (shadow == nullptr) return;
    const RouteTable& table = *context.plan.table;
    const ModelRoute* route = table.find_destination(shadow->match.to, context.scan.model);
    Core& core = context.core();
    auto log = core.shadows.find(shadow->match.name);
    if (route == nullptr || !log) return;
    const std::string& name = shadow->match.name;
    if (const auto reason = reason_to_skip(context, *shadow, *route->pool)) {
        return core.shadows.skipped(name, *log, *reason);
    }
    const std::int64_t tokens =
        core.estimator.estimate(route->model, context.scan.prompt_bytes, context.scan.max_tokens);
    const auto reservation = core.shadows.reserve(name, *log, tokens);
    if (!reservation) return;
    log->started();
    auto link = std::make_shared<ShadowLink>(ShadowLink{name, log, {.request_id = context.id()}});
    auto copy = std::make_shared<ShadowCopy>();
    copy->core = core.shared_from_this();
    copy->alive = core.shadows.begin();
    copy->table = context.plan.table;
    copy->route = route;
    copy->link = link;
    copy->reservation = *reservation;
    copy->timeout = shadow->timeout;
    copy->body = context.body;
    copy->scan = context.scan;
    if (context.endpoint.dialect == wire::Dialect::Responses) keep_nothing(*copy);
    copy->endpoint = context.endpoint;
    copy->head = context.exchange().request();
    copy->session = context.identity->key_id;
    copy->asks_usage = context.scan.stream && context.endpoint.can_stream_usage;
    copy->record = record_of(context, *shadow, *route);
    copy->traceparent = context.trace().traceparent(copy->record.span_id);
    context.follow_shadow(std::move(link));
    asio::co_spawn(context.loop().loop, run_shadow(std::move(copy)), asio::detached);
}

}  // namespace stoker::gateway
