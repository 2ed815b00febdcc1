// Traces: a search over them, and one whole.
#include <fmt/format.h>

#include "api/handlers.h"
#include "api/trace_params.h"
#include "base/text.h"
#include "records/trace_query.h"

namespace stoker::api {
namespace {

constexpr std::size_t kMostSpans = 10'000;  // Of one trace.
constexpr Duration kLimit{10'000};
constexpr Duration kBudget{600};  // A click is answered within a second.

std::string summary_json(const records::TraceSummary& trace) {
    return fmt::format(R"({{"trace_id":"{}","name":{},"service":{},"start_ns":{},"duration_ns":{},"spans":{},)"
                       R"("errors":{},"services":{},"model":{},"input_tokens":{},"output_tokens":{},"weight":{}}})",
                       trace.trace_id, quote_json(trace.name), quote_json(trace.service), trace.start_ns,
                       trace.duration_ns, trace.spans, trace.errors, trace.services, quote_json(trace.model),
                       trace.input_tokens, trace.output_tokens, trace.weight);
}

net::Response list(Services& services, const ApiRequest& request) {
    auto filter = trace_filter(request, services.now());
    if (!filter) return error_response(filter.error());
    filter->budget = kBudget;
    records::TraceList list;
    const auto found = services.telemetry->read(kLimit, [&](records::duck::Connection& connection) -> Result<Unit> {
        TRY(list, records::find_traces(connection, *filter));
        return Unit{};
    });
    if (!found) return error_response(found.error());
    std::string body = R"({"traces":[)";
    for (const auto& trace : list.traces) {
        if (body.back() != '[') body += ',';
        body += summary_json(trace);
    }
    return json_response(
        body + fmt::format(R"(],"complete":{},"searched_from_ns":{}}})", list.complete, list.searched_from_ns));
}

net::Response get(Services& services, const ApiRequest& request) {
    const auto id = trace_id_of(request.captures.front());
    if (!id) return error_response(id.error());
    const auto near = time_param(request, "near");
    if (!near) return error_response(near.error());
    std::vector<records::SpanRow> spans;
    const auto found = services.telemetry->read(kLimit, [&](records::duck::Connection& connection) -> Result<Unit> {
        TRY(spans, records::get_trace(connection, *id, *near, kMostSpans));
        return Unit{};
    });
    if (!found) return error_response(found.error());
    return json_response(records::to_json(spans));
}

}  // namespace

std::vector<Route> trace_routes(Services& services) {
    const auto with = [&services](net::Response (*handler)(Services&, const ApiRequest&)) {
        return [&services, handler](const ApiRequest& request) { return handler(services, request); };
    };
    return {{"GET", "/api/v1/traces", Cost::Query, with(&list)}, {"GET", "/api/v1/traces/*", Cost::Query, with(&get)}};
}

}  // namespace stoker::api
