// Whether an inference engine answers on this machine, asked once before anything is started.
#pragma once

namespace stoker::app {

// Looks at the ports that engines use by default; takes a second at most.
bool engine_on_this_machine();

}  // namespace stoker::app
