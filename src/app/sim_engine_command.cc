// `stoker sim-engine`.
#include <cstdio>

#include "app/ask.h"
#include "app/commands.h"
#include "app/signals.h"
#include "base/metrics.h"
#include "net/loops.h"
#include "twin/sim_engine.h"

namespace stoker::app {

int sim_engine(const SimEngineOptions& options) {
    Signals signals;
    metrics::Registry registry;
    net::Loops loops(1);
    loops.start();
    twin::SimOptions sim;
    sim.listen = options.listen;
    sim.model = options.model;
    sim.profile = options.profile;
    sim.dialect = options.dialect;
    sim.continuation = options.continuation;
    auto engine = twin::SimEngine::open(loops, sim, registry);
    if (!engine) return fail(engine.error());
    std::printf("simulated engine: http://%s model %s profile %s\n", (*engine)->address().c_str(), sim.model.c_str(),
                sim.profile.c_str());
    std::fflush(stdout);
    signals.wait_for_end();
    (*engine)->stop();
    loops.stop();
    return 0;
}

}  // namespace stoker::app
