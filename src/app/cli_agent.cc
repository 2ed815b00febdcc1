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

void add_asking(CLI::App& command, ClientOptions& client) {
    add_client(command, client);
    command.add_flag_callback(
        "--json", [&client] { client.output = Output::Json; }, "the same as --output json");
}

void add_tokens(CLI::App& agents, Run& run) {
    auto& token = add_command(agents, "token", "Tokens that let agents send here",
                              "  stoker agents token create --name rack-12 > agent.token\n"
                              "  stoker agents token list\n  stoker agents token revoke k3v9x2mq\n");
    token.require_subcommand(1);

    static AgentTokenOptions making;
    auto& create = add_command(token, "create", "Make a token, and print it this once",
                               "  stoker agents token create --name rack-12\n"
                               "  stoker agents token create --name rack-12 --expires 90d > agent.token\n");
    create.add_option("--name", making.name, "whose it is, for the list")->required()->option_text("NAME");
    create.add_option("--expires", making.expires, "how long from now (90d), or never")
        ->capture_default_str()
        ->option_text("WHEN");
    add_asking(create, making.client);
    create.callback([&run] { run = [] { return agent_token_create(making); }; });

    static ClientOptions listing;
    auto& list = add_command(token, "list", "List tokens; never what they are", "  stoker agents token list\n");
    add_asking(list, listing);
    list.callback([&run] { run = [] { return agent_token_list(listing); }; });

    static AgentTokenOptions ending;
    auto& revoke =
        add_command(token, "revoke", "End a token at once; it stays listed", "  stoker agents token revoke k3v9x2mq\n");
    revoke.add_option("id", ending.name, "what stands between sk-agent- and the secret")->required()->option_text("ID");
    add_asking(revoke, ending.client);
    revoke.callback([&run] { run = [] { return agent_token_revoke(ending); }; });
}

void add_agents(CLI::App& app, Run& run) {
    static ClientOptions listing;
    auto& agents = add_command(app, "agents", "The node agents that send here, and their tokens",
                               "  stoker agents\n  stoker agents token create --name rack-12 > agent.token\n"
                               "  stoker agents forget node-7\n");
    add_asking(agents, listing);
    agents.require_subcommand(0, 1);
    agents.callback([&run, &agents] {
        if (agents.get_subcommands().empty()) run = [] { return agents_list(listing); };
    });
    static AgentForgetOptions gone;
    auto& forget = add_command(agents, "forget", "Leave an agent that is gone for good out of the list and its alert",
                               "  stoker agents forget node-7\n");
    forget.add_option("name", gone.name, "as the list shows it")->required()->option_text("NAME");
    add_asking(forget, gone.client);
    forget.callback([&run] { run = [] { return agents_forget(gone); }; });
    add_tokens(agents, run);
}

}  // namespace

void add_agent(CLI::App& app, Run& run) {
    add_agents(app, run);
    auto& agent = add_command(app, "agent", "The node agent: this machine's metrics to a server, over outages",
                              "  stoker agent run --config /etc/stoker/agent.yaml\n  stoker agent status\n");
    agent.prefix_command();
    agent.set_help_flag();  // The agent has its own.
    agent.callback([&run, &agent] { run = [arguments = agent.remaining()] { return become_agent(arguments); }; });
}

}  // namespace stoker::app
