// `stoker import`.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "app/ask.h"
#include "app/commands.h"
#include "app/config.h"
#include "app/config_convert.h"
#include "app/data_folder.h"
#include "base/time.h"
#include "collect/import/import.h"

namespace stoker::app {
namespace {

using nlohmann::json;

constexpr Duration kLongestSettle{10LL * 60 * 1000};

collect::ImportWatch show_progress(const std::string& file, std::uint64_t size) {
    // A terminal gets one line that changes, a log file a line every few seconds.
    const bool terminal = isatty(STDERR_FILENO) != 0;
    static constexpr auto kEvery = std::chrono::seconds(10);
    return [file, size, terminal,
            shown = std::chrono::steady_clock::now()](const collect::ImportProgress& progress) mutable {
        const auto at = std::chrono::steady_clock::now();
        if (!terminal && at - shown < kEvery) return true;
        shown = at;
        const std::uint64_t percent = size == 0 ? 0 : progress.bytes * 100 / size;
        std::fprintf(stderr, "%s%s %3d %%, %llu samples%s", terminal ? "\r" : "", file.c_str(),
                     static_cast<int>(percent), static_cast<unsigned long long>(progress.samples),
                     terminal ? "" : "\n");
        return true;
    };
}

json to_json(const std::string& file, const collect::ImportSummary& summary) {
    return {{"file", file},
            {"lines", summary.lines},
            {"samples", summary.samples},
            {"duplicates", summary.duplicates},
            {"refused", summary.refused},
            {"problems", summary.first_problems},
            {"oldest_ms", summary.oldest_time},
            {"newest_ms", summary.newest_time}};
}

void print(const std::string& file, const collect::ImportSummary& summary, const std::string& retention) {
    std::printf("%s: %llu samples", file.c_str(), static_cast<unsigned long long>(summary.samples));
    if (summary.samples > 0) {
        std::printf(" from %s to %s", format_timestamp(from_millis(summary.oldest_time)).c_str(),
                    format_timestamp(from_millis(summary.newest_time)).c_str());
    }
    std::printf(", %llu there already\n", static_cast<unsigned long long>(summary.duplicates));
    for (const auto& [why, count] : summary.refused) {
        const std::string more = why == "past_retention" ? ", storage.metrics.retention is " + retention : "";
        std::printf("  refused %llu: %s%s\n", static_cast<unsigned long long>(count), why.c_str(), more.c_str());
    }
    for (const auto& problem : summary.first_problems) std::printf("  %s\n", problem.c_str());
}

}  // namespace

int import(const ImportCommandOptions& options) {
    Config config = default_config();
    if (!options.config_file.empty()) {
        auto loaded = load_config(options.config_file, config::process_environment());
        if (!loaded.ok()) return config_check(options.config_file, options.output);
        config = std::move(loaded.config);
    }
    if (!options.data_dir.empty()) config.data_dir = std::filesystem::absolute(options.data_dir);
    auto path = data_folder(config, config::process_environment());
    if (!path) return fail(path.error());
    auto folder = DataFolder::open(*path);
    if (!folder) return fail(folder.error());
    metrics::Registry registry;
    tsdb::StoreOptions store_options = metrics_options(config);
    // History is older than what a series has already, and what an import before this one brought is there.
    store_options.out_of_order_window = store_options.retention;
    auto store = tsdb::Store::open(folder->at("tsdb"), store_options, registry);
    if (!store) return fail(std::move(store).error().context("open the metrics store"));

    static const std::map<std::string, collect::ImportFormat> formats = {
        {"auto", collect::ImportFormat::Auto},
        {"prometheus", collect::ImportFormat::Prometheus},
        {"openmetrics", collect::ImportFormat::OpenMetrics}};
    collect::ImportOptions import_options;
    import_options.format = formats.at(options.format);
    import_options.oldest_time = to_millis(now() - config.storage.metrics.retention);
    for (const auto& label : options.labels) {
        const auto equals = label.find('=');
        if (equals == std::string::npos || equals == 0) {
            return fail({Errc::InvalidArgument, "--label " + label + ": must be NAME=VALUE"});
        }
        import_options.labels.emplace_back(label.substr(0, equals), label.substr(equals + 1));
    }
    json all = json::array();
    bool refused = false;
    for (const auto& file : options.files) {
        std::error_code ignored;
        const auto size = std::filesystem::file_size(file, ignored);
        const auto watch = show_progress(file, ignored ? 0 : size);
        auto summary = collect::import_file(file, **store, import_options, watch);
        if (isatty(STDERR_FILENO) != 0) std::fputc('\n', stderr);
        if (!summary) return fail(std::move(summary).error().context(file));
        refused = refused || !summary->refused.empty();
        if (options.output == Output::Json) {
            all.push_back(to_json(file, *summary));
        } else {
            print(file, *summary, format_duration(config.storage.metrics.retention));
        }
        if (auto kept = (*store)->maintain(now()); !kept) return fail(kept.error());
    }
    // Metadata is durable with the checkpoint that this writes.
    if (auto settled = (*store)->settle(now(), kLongestSettle); !settled) return fail(settled.error());
    if (options.output == Output::Json) {
        std::printf("%s\n", json{{"version", 1}, {"files", std::move(all)}}
                                .dump(-1, ' ', false, json::error_handler_t::replace)
                                .c_str());
    }
    return refused ? 1 : 0;
}

}  // namespace stoker::app
