// `stoker agent …` is a program of its own, small enough for every node, that stands beside this one.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "app/cli_parts.h"

namespace stoker::app {
namespace {

// Becomes stoker-agent: the one beside this binary, else the one that PATH finds. Returns only if there is none.
int become_agent(const std::vector<std::string>& arguments) {
    std::error_code ignored;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", ignored);
    const std::string beside = self.parent_path() / "stoker-agent";
    std::vector<char*> argv;
    std::string name = "stoker-agent";
    argv.push_back(name.data());
    std::vector<std::string> copies = arguments;
    for (std::string& one : copies) argv.push_back(one.data());
    argv.push_back(nullptr);
    ::execv(beside.c_str(), argv.data());
    ::execvp(name.c_str(), argv.data());
    std::fprintf(stderr, "stoker agent: neither %s nor a stoker-agent in PATH can be run: %s\n", beside.c_str(),
                 std::strerror(errno));
    return 1;
}

}  // namespace

void add_agent(CLI::App& app, Run& run) {
    auto& agent = add_command(app, "agent", "The node agent: this machine's metrics to a server, over outages",
                              "  stoker agent run --config /etc/stoker/agent.yaml\n  stoker agent status\n");
    agent.prefix_command();
    agent.set_help_flag();  // The agent has its own.
    agent.callback([&run, &agent] { run = [arguments = agent.remaining()] { return become_agent(arguments); }; });
}

}  // namespace stoker::app
