// What `stoker serve` and `stoker demo` share.
#pragma once

#include <functional>

#include "app/commands.h"
#include "app/signals.h"
#include "app/stoker.h"

namespace stoker::app {

// A setup from what `load` gives, with the command line's overrides. Errors: every problem of the configuration.
Result<StokerSetup> make_setup(const ServeOptions& options, const std::function<LoadedConfig()>& load);

// Prints where the page and the gateway are.
void announce(const Stoker& stoker);

// Serves until TERM or INT, reloads on HUP; then stops. Returns the exit code.
int run_until_signal(Stoker& stoker, Signals& signals);

}  // namespace stoker::app
