// The command line of `stoker route`.
#include <CLI/CLI.hpp>

#include "app/cli_parts.h"

namespace stoker::app {

void add_route(CLI::App& app, Run& run) {
    auto& route = add_command(app, "route", "Say where requests go and why; switch aliases; steer canaries",
                              "  stoker route show\n  stoker route switch chat green\n"
                              "  stoker route canary chat rollback --reason 'answers in the wrong language'\n"
                              "  stoker route explain --model chat --tenant acme --header 'x-team: search'\n");
    route.require_subcommand(1);

    static RouteShowOptions show_options;
    auto& show = add_command(route, "show", "Aliases, splits and canaries as they are now", "  stoker route show\n");
    add_client(show, show_options.client);
    show.callback([&run] { run = [] { return route_show(show_options); }; });

    static RouteSwitchOptions switch_options;
    auto& change = add_command(route, "switch", "Point an alias elsewhere, at once and for good",
                               "  stoker route switch chat green\n  stoker route switch chat --reset\n");
    change.add_option("alias", switch_options.alias, "the alias")->required()->option_text("ALIAS");
    auto* to = change.add_option("to", switch_options.to, "a model, pool:NAME, split or canary")->option_text("NAME");
    change.add_flag("--reset", switch_options.reset, "back to what the configuration says")->excludes(to);
    change.add_option("--reason", switch_options.reason, "for the journal and the page")
        ->capture_default_str()
        ->option_text("TEXT");
    change.add_option("--by", switch_options.by, "who says so (default: $USER)")->option_text("NAME");
    add_client(change, switch_options.client);
    change.callback([&run] { run = [] { return route_switch(switch_options); }; });

    static RouteCanaryOptions canary_options;
    auto& canary = add_command(route, "canary", "Decide about a canary by hand",
                               "  stoker route canary chat pause\n  stoker route canary chat promote\n");
    canary.add_option("canary", canary_options.canary, "its name")->required()->option_text("NAME");
    canary.add_option("action", canary_options.action, "promote, rollback, pause, resume or restart")
        ->required()
        ->check(CLI::IsMember({"promote", "rollback", "pause", "resume", "restart"}))
        ->option_text("ACTION");
    canary.add_option("--reason", canary_options.reason, "for the journal and the page")
        ->capture_default_str()
        ->option_text("TEXT");
    canary.add_option("--by", canary_options.by, "who says so (default: $USER)")->option_text("NAME");
    add_client(canary, canary_options.client);
    canary.callback([&run] { run = [] { return route_canary(canary_options); }; });

    static RouteShadowOptions shadow_options;
    auto& shadow = add_command(route, "shadow", "What shadows copied, what it cost, and how their answers differ",
                               "  stoker route shadow\n");
    add_client(shadow, shadow_options.client);
    shadow.callback([&run] { run = [] { return route_shadow(shadow_options); }; });

    static RouteExplainOptions explain_options;
    auto& explain =
        add_command(route, "explain", "Say where a request would go and why, without sending it",
                    "  stoker route explain --model chat\n"
                    "  stoker route explain --model chat --prompt-tokens 30000 --time 2026-12-24T23:00:00Z\n"
                    "  stoker route explain --body request.json --header 'x-session-id: 42'\n");
    explain.add_option("--model", explain_options.model, "what it asks for")->option_text("NAME");
    explain.add_option("--body", explain_options.body_file, "the request itself; - reads standard input")
        ->option_text("FILE");
    explain.add_option("--path", explain_options.path, "of the API (default: /v1/chat/completions)")
        ->option_text("PATH");
    explain.add_option("--header", explain_options.headers, "a header")->option_text("'NAME: VALUE'");
    explain.add_option("--tenant", explain_options.tenant, "of the client's key")->option_text("NAME");
    explain.add_option("--metadata", explain_options.metadata, "of the client's key")->option_text("NAME=VALUE");
    explain.add_option("--user", explain_options.user, "as the body says it")->option_text("NAME");
    explain.add_option("--prompt-tokens", explain_options.prompt_tokens, "length of the prompt")
        ->check(CLI::NonNegativeNumber)
        ->option_text("N");
    explain.add_option("--time", explain_options.time, "when: RFC 3339 (default: now)")->option_text("T");
    add_client(explain, explain_options.client);
    explain.callback([&run] { run = [] { return route_explain(explain_options); }; });
}

}  // namespace stoker::app
