// The command line of `stoker keys`.
#include <CLI/CLI.hpp>

#include "app/cli_parts.h"

namespace stoker::app {
namespace {

// --server, --output, and --json as the short of `--output json`.
void add_asking(CLI::App& command, ClientOptions& client) {
    add_client(command, client);
    command.add_flag_callback(
        "--json", [&client] { client.output = Output::Json; }, "the same as --output json");
}

void add_id(CLI::App& command, std::string& id) {
    command.add_option("id", id, "the key's id: what stands between sk-stoker- and the secret")
        ->required()
        ->option_text("ID");
}

void add_settings(CLI::App& command, KeySettings& settings) {
    command.add_option("--tenant", settings.tenant, "whose it is")->option_text("NAME");
    command.add_option("--models", settings.models, "what it may ask for: names or beginnings (llama-*); '*' for all")
        ->delimiter(',')
        ->option_text("MODEL,...");
    command.add_option("--metadata", settings.metadata, "texts for rules and records; NAME= takes one away")
        ->option_text("NAME=VALUE");
    command.add_option("--priority", settings.priority, "low, normal, high, or tenant for the tenant's")
        ->check(CLI::IsMember({"low", "normal", "high", "tenant"}))
        ->option_text("PRIORITY");
    command.add_option("--expires", settings.expires, "a time, how long from now (90d), or never")->option_text("WHEN");
}

void add_create(CLI::App& keys, Run& run) {
    static KeysCreateOptions options;
    auto& command =
        add_command(keys, "create", "Make a key, and print it this once",
                    "  stoker keys create --tenant acme\n"
                    "  stoker keys create --tenant acme --id ci --models 'llama-*' --expires 90d\n"
                    "  KEY=$(stoker keys create --tenant acme)     notes go to standard error\n"
                    "  stoker keys create --tenant acme --id old --sha256 9f86d0...   one made elsewhere\n");
    command.add_option("--id", options.id, "its public name (default: a random one)")->option_text("ID");
    command.add_option("--sha256", options.sha256, "of a long random key that clients have already")
        ->option_text("HEX");
    add_settings(command, options.settings);
    command.get_option("--tenant")->required();
    add_asking(command, options.client);
    command.callback([&run] { run = [] { return keys_create(options); }; });
}

void add_list(CLI::App& keys, Run& run) {
    static KeysListOptions options;
    auto& command = add_command(keys, "list", "List keys; never what they are",
                                "  stoker keys list --tenant acme --state active\n"
                                "  stoker keys list --prefix sk-stoker-ci      whose is this?\n");
    command.add_option("--tenant", options.tenant, "only its keys")->option_text("NAME");
    command.add_option("--state", options.state, "only these")
        ->check(CLI::IsMember({"active", "expired", "revoked", "unknown_tenant"}))
        ->option_text("active|expired|revoked|unknown_tenant");
    command.add_option("--prefix", options.prefix, "how the id, or the key itself, begins")->option_text("TEXT");
    command.add_option("--limit", options.limit, "at most so many")
        ->capture_default_str()
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{100'000}))
        ->option_text("N");
    add_asking(command, options.client);
    command.callback([&run] { run = [] { return keys_list(options); }; });
}

void add_changes(CLI::App& keys, Run& run) {
    static KeysRotateOptions rotation;
    auto& rotate = add_command(keys, "rotate", "Give a key a new secret, and print it this once",
                               "  stoker keys rotate ci                 the old one is good for another 24 hours\n"
                               "  stoker keys rotate ci --overlap 0     it ends now\n");
    add_id(rotate, rotation.id);
    rotate.add_option("--overlap", rotation.overlap, "how long the old one stays good")
        ->capture_default_str()
        ->option_text("DURATION");
    add_asking(rotate, rotation.client);
    rotate.callback([&run] { run = [] { return keys_rotate(rotation); }; });

    static KeysEditOptions edition;
    auto& edit = add_command(keys, "edit", "Change what a key may do",
                             "  stoker keys edit ci --models 'llama-*,qwen' --expires never\n"
                             "  stoker keys edit ci --metadata team=search --metadata cost_centre=\n");
    add_id(edit, edition.id);
    add_settings(edit, edition.settings);
    add_asking(edit, edition.client);
    edit.callback([&run] { run = [] { return keys_edit(edition); }; });
}

using OneKey = int (*)(const KeyOptions&);

template <OneKey Command>
void add_one(CLI::App& keys, Run& run, const char* name, const char* what, const char* examples) {
    static KeyOptions options;
    auto& command = add_command(keys, name, what, examples);
    add_id(command, options.id);
    add_asking(command, options.client);
    command.callback([&run] { run = [] { return Command(options); }; });
}

}  // namespace

void add_keys(CLI::App& app, Run& run) {
    auto& keys = add_command(app, "keys", "Keys of the gateway's clients: make, list, rotate, revoke, change",
                             "  stoker keys create --tenant acme --models 'llama-*' --expires 90d\n"
                             "  stoker keys list --tenant acme\n  stoker keys rotate ci --overlap 24h\n"
                             "  stoker keys revoke ci\n");
    keys.require_subcommand(1);
    add_create(keys, run);
    add_list(keys, run);
    add_one<&keys_show>(keys, run, "show", "Show one key", "  stoker keys show ci\n");
    add_changes(keys, run);
    add_one<&keys_revoke>(keys, run, "revoke", "End a key at once; it stays listed", "  stoker keys revoke ci\n");
    add_one<&keys_delete>(keys, run, "delete", "End a key at once, and forget it", "  stoker keys delete ci\n");
}

}  // namespace stoker::app
