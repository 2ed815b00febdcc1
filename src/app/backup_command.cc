// `stoker backup` and `stoker restore`.
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/ask.h"
#include "app/backup.h"
#include "app/config.h"
#include "app/data_folder.h"
#include "base/text.h"
#include "base/time.h"

namespace stoker::app {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// On a terminal, a line that says how far it is.
BackupProgress show_progress(const char* what) {
    if (isatty(STDERR_FILENO) == 0) return [](std::uint64_t, std::uint64_t) {};
    return [what, shown = std::uint64_t{101}](std::uint64_t done, std::uint64_t all) mutable {
        const std::uint64_t percent = all == 0 ? 100 : done * 100 / all;
        if (percent == shown) return;
        shown = percent;
        std::fprintf(stderr, "\r%s %3d %%%s", what, static_cast<int>(percent), done == all ? "\n" : "");
    };
}

void print(const BackupManifest& manifest, const fs::path& path, const char* verb, Output output) {
    if (output == Output::Json) {
        const json answer = {{"path", path.string()},
                             {"created_ms", to_millis(manifest.created)},
                             {"files", manifest.files.size()},
                             {"bytes", manifest.bytes()},
                             {"stoker", manifest.stoker}};
        std::printf("%s\n", answer.dump().c_str());
        return;
    }
    std::printf("%s %s: %zu files, %.1f MiB, as of %s\n", verb, path.c_str(), manifest.files.size(),
                static_cast<double>(manifest.bytes()) / (1 << 20), format_timestamp(manifest.created).c_str());
}

bool holds_anything(const fs::path& directory) {
    std::error_code ignored;
    return fs::exists(directory) && !fs::is_empty(directory, ignored);
}

}  // namespace

int backup(const BackupOptions& options) {
    if (!options.to.empty() && fs::exists(options.to)) {
        return fail({Errc::Conflict, options.to + " exists already; name a folder that doesn't"});
    }
    auto answer = ask(options.client, "POST", "/api/v1/backup");
    if (!answer) return fail(answer.error());
    const fs::path made = answer->at("path").get<std::string>();
    if (options.to.empty()) {
        auto manifest = verify_backup(made, show_progress("checking"));
        if (!manifest) return fail(manifest.error());
        print(*manifest, made, "backed up to", options.client.output);
        return 0;
    }
    auto manifest = copy_backup(made, options.to, show_progress("copying"));
    if (!manifest) return fail(std::move(manifest).error().context("the backup stays in " + made.string()));
    std::error_code ignored;
    fs::remove_all(made, ignored);
    print(*manifest, options.to, "backed up to", options.client.output);
    return 0;
}

int restore(const RestoreOptions& options) {
    fs::path target = options.data_dir;
    if (target.empty()) {
        auto usual = data_folder(default_config(), config::process_environment());
        if (!usual) return fail(usual.error());
        target = *usual;
    }
    target = fs::absolute(target).lexically_normal();
    fs::path aside;
    if (holds_anything(target)) {
        // Refuses while a Stoker runs on it; the lock is let go before the folder is moved.
        auto unused = DataFolder::open(target.string());
        if (!unused) return fail(unused.error());
        if (!options.replace) {
            return fail({Errc::Conflict, target.string() +
                                             " holds data; --replace keeps that beside it and puts the backup in its "
                                             "place"});
        }
        aside = target.string() + ".before-restore-" + std::to_string(to_millis(now()));
    }
    // To its own name first: whatever fails, the old data stays where it is.
    const fs::path fresh = target.string() + ".restored-" + std::to_string(to_millis(now()));
    auto manifest = copy_backup(options.from, fresh, show_progress("checking"));
    if (!manifest) return fail(manifest.error());
    std::error_code code;
    if (!aside.empty()) fs::rename(target, aside, code);
    if (!code && aside.empty()) fs::remove(target, code);
    if (!code) fs::rename(fresh, target, code);
    if (code)
        return fail({Errc::Unavailable, "rename " + fresh.string() + " to " + target.string() + ": " + code.message()});
    if (!aside.empty() && options.output == Output::Text) std::printf("what was there is now in %s\n", aside.c_str());
    print(*manifest, target, "restored", options.output);
    return 0;
}

}  // namespace stoker::app
