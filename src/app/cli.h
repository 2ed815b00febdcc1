// The command line: `stoker COMMAND ...`.
#pragma once

namespace stoker::app {

// Runs the command and returns the exit code: 0 done, 1 the thing asked for failed, 2 wrong usage.
int run_cli(int argc, char** argv);

}  // namespace stoker::app
