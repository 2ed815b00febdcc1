// What changes of the routes while Stoker runs: aliases switched by hand, canaries that go their way. Kept between
// restarts as one JSON text.
//
// A switch holds until the configuration itself names another destination for the alias: what is newer wins. A canary
// begins anew when its arms are others. Not thread-safe: the Gateway's mutex guards it.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "gateway/route/canary.h"
#include "gateway/route/release_event.h"
#include "gateway/route/route_choice.h"
#include "gateway/route/routing_options.h"

namespace stoker::gateway {

class Release {
public:
    using Save = std::function<void(const std::string& json)>;

    explicit Release(metrics::Registry& registry);

    // Told of each change, once it is kept.
    using Announce = std::function<void(const ReleaseEvent& event)>;

    // What was kept, and where to keep it and whom to tell from now on. A text that makes no sense counts as none.
    void restore(std::string_view kept, Save save, Announce announce = {});

    // The configured routes as they are to be now, and the canaries that they name.
    RoutingOptions in_effect(RoutingOptions configured, Timestamp now);
    const CanaryBook& canaries() const { return book_; }

    // Errors: NotFound (no such alias or canary), InvalidArgument (a circle, no such action), Conflict (not now).
    // `knows` says whether a name is a destination. An empty `to` goes back to the configuration.
    Result<Unit> switch_alias(const std::string& name, const std::string& to,
                              const std::function<bool(const std::string&)>& knows, const ReleaseOrder& order,
                              Timestamp now);
    // promote, rollback, pause, resume, restart.
    Result<Unit> steer(const std::string& canary, std::string_view action, const ReleaseOrder& order, Timestamp now);
    // Looks at the canaries. True: a share has changed.
    void tick(Timestamp now);

    // {"aliases":[...],"splits":[...],"canaries":[...],"changes":[the last ones, the newest first]}
    std::string to_json() const;

private:
    struct Switch {
        std::string to;
        std::string configured;  // What the configuration said when it was switched.
        Timestamp at{};
    };
    struct Run {
        Canary canary;
        std::shared_ptr<CanaryArms> arms;
        std::string control;  // The arms that the state is of.
        std::string candidate;
    };

    void took_a_step(Run& run, std::string_view what, std::string by, Timestamp now);
    void tell(ReleaseEvent event);
    void keep() const;

    metrics::Family<metrics::Gauge>& percent_;
    metrics::Family<metrics::Counter>& changes_;
    Save save_;
    Announce announce_;
    std::deque<ReleaseEvent> history_;  // The last ones, the newest first.
    RoutingOptions configured_;
    std::map<std::string, Switch> switches_;
    std::map<std::string, Run> runs_;
    struct Kept {
        CanaryState state;
        std::string control;
        std::string candidate;
    };
    std::map<std::string, Kept> kept_;  // Of canaries that the configuration did not name yet.
    CanaryBook book_;
};

}  // namespace stoker::gateway
