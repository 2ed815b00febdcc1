#include "gateway/upstream/engine_body.h"

#include <utility>

#include "gateway/upstream/engine_kind.h"

namespace stoker::gateway {

void edit_for(const RequestContext& context, const StreamProgress& progress, const Target& target,
              wire::EditedBody& body) {
    std::string own_name = target.engine_model.empty() ? context.route->upstream_model : target.engine_model;
    std::string member;
    if (const std::string_view wanted = context.adapter(); !wanted.empty()) {
        // Unloaded a moment ago: the engine then says that it has none of that name.
        const auto adapter = target.adapter(wanted).value_or(LoraAdapter{.name = std::string(wanted)});
        AdapterAsk ask = ask_for_adapter(target.replica->engine(), own_name, adapter);
        own_name = std::move(ask.model);
        member = std::move(ask.member);
    }
    if (!progress.begun) {
        body.assign(context.body, wire::request_edits(context.scan, own_name, context.asks_usage, member));
        return;
    }
    const auto scan = wire::scan_request(progress.body);
    body.assign(progress.body,
                scan ? wire::request_edits(*scan, own_name, context.asks_usage, member) : wire::BodyEdits{});
}

}  // namespace stoker::gateway
