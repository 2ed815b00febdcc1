// The command line of the agent: run, check, status, config docs.
#pragma once

namespace stoker::agent {

// The process's exit status: 0 fine, 1 it did not work, 2 a wrong command line, 3 ended for its own memory limit.
int run_command(int argc, char** argv);

}  // namespace stoker::agent
