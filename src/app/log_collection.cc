#include "app/log_collection.h"

#include <filesystem>

#include "app/builtin_files.h"
#include "base/check.h"
#include "base/file.h"

namespace stoker::app {
namespace {

namespace fs = std::filesystem;

constexpr Duration kPollFiles{250};
constexpr Duration kPollJournald{50};
constexpr Duration kJournaldWait{500};  // For the next entry, within one poll.

std::optional<collect::LogFormat> format_of(const std::string& name) {
    if (name == "text") return collect::LogFormat::Text;
    if (name == "docker") return collect::LogFormat::Docker;
    if (name == "cri") return collect::LogFormat::Cri;
    return std::nullopt;
}

std::vector<collect::FollowSpec> follow_specs(const Config& config, const std::string& data_dir) {
    std::vector<collect::FollowSpec> specs;
    for (const LogFilesConfig& files : config.logs.files) {
        collect::FollowSpec spec;
        for (const std::string& path : files.paths) {
            spec.paths.push_back(fs::absolute(fs::path(config.folder) / path).lexically_normal());
        }
        spec.exclude = files.exclude;
        spec.service = files.service;
        spec.format = format_of(files.format);
        if (!files.multiline_start.empty()) {
            spec.join.start = std::make_shared<const RE2>(files.multiline_start, RE2::Quiet);
        }
        spec.from_beginning = files.from == "beginning";
        spec.attributes.assign(files.attributes.begin(), files.attributes.end());
        specs.push_back(std::move(spec));
    }
    if (config.logs.engines) {
        specs.push_back({.paths = {data_dir + "/engines/*.log"}, .from_beginning = true});
    }
    if (config.logs.containers) {
        specs.push_back({.paths = {"/var/log/pods/*/*/*.log"}, .format = collect::LogFormat::Cri});
        specs.push_back({.paths = {"/var/lib/docker/containers/*/*-json.log"}, .format = collect::LogFormat::Docker});
    }
    for (auto& spec : specs) spec.join.max_bytes = config.logs.max_line.count;
    return specs;
}

}  // namespace

Result<std::vector<collect::SignatureSpec>> log_signatures(const Config& config) {
    auto builtin = collect::parse_signatures(kBuiltinSignatures, "built-in");
    STOKER_CHECK(builtin.problems.empty(), "the signatures that ship with Stoker are broken");
    std::vector<collect::SignatureSpec> more;
    for (const std::string& name : config.logs.signature_files) {
        const std::string path = fs::path(config.folder) / name;
        auto text = read_file(path);
        if (!text) return std::move(text).error().context("logs.signature_files");
        auto file = collect::parse_signatures(*text, path);
        if (!file.problems.empty()) {
            std::string all;
            for (const auto& problem : file.problems) all += (all.empty() ? "" : "\n") + problem.text();
            return Error{Errc::InvalidArgument, all};
        }
        more = collect::with_signatures(std::move(file.signatures), std::move(more));
    }
    return collect::with_signatures(std::move(builtin.signatures), std::move(more));
}

Result<std::unique_ptr<LogCollection>> LogCollection::create(const Config& config, const std::string& data_dir,
                                                             records::TelemetryStore& store, outward::EventLog& events,
                                                             metrics::Registry& registry) {
    TRY(auto specs, log_signatures(config));
    TRY(auto signatures, collect::Signatures::compile(std::move(specs)));
    return std::unique_ptr<LogCollection>(
        new LogCollection(config, data_dir, std::move(signatures), store, events, registry));
}

LogCollection::LogCollection(const Config& config, const std::string& data_dir,
                             std::shared_ptr<const collect::Signatures> signatures, records::TelemetryStore& store,
                             outward::EventLog& events, metrics::Registry& registry)
    : registry_(registry),
      events_(events),
      pipeline_(
          store, std::move(signatures), config.logs.max_lines_per_second, tail_,
          [this](const collect::SignatureSpec& spec, const records::LogRow& row) { events_.tell(spec, row, now()); },
          registry),
      receiver_(pipeline_,
                {.max_body_bytes = config.ingest.max_decompressed.count, .max_line_bytes = config.logs.max_line.count},
                registry) {
    if (auto specs = follow_specs(config, data_dir); !specs.empty()) {
        collect::FollowerOptions options;
        options.specs = std::move(specs);
        options.positions_file = data_dir + "/logs_positions.json";
        options.max_line = config.logs.max_line.count;
        files_ = std::make_unique<collect::FileFollower>(std::move(options), pipeline_, registry);
    }
    if (config.logs.journald.enabled) {
        collect::JournaldOptions options;
        options.units = config.logs.journald.units;
        if (!config.logs.journald.directory.empty()) {
            options.directory = fs::absolute(fs::path(config.folder) / config.logs.journald.directory);
        }
        options.cursor_file = data_dir + "/logs_journald_cursor";
        journald_ = std::make_unique<collect::JournaldFollower>(std::move(options), pipeline_, registry);
    }
}

void LogCollection::start() {
    if (files_) {
        const auto poll = [this] { files_->poll(std::chrono::steady_clock::now()); };
        jobs_.push_back(std::make_unique<Job>("follow_log_files", kPollFiles, poll, registry_));
    }
    if (journald_) {
        const auto poll = [this] { journald_->poll(std::chrono::steady_clock::now(), kJournaldWait); };
        jobs_.push_back(std::make_unique<Job>("follow_journald", kPollJournald, poll, registry_));
    }
}

void LogCollection::stop() {
    for (auto& job : jobs_) job->stop();
    if (files_) files_->poll(std::chrono::steady_clock::now(), true);
}

std::vector<api::PushEndpoint> LogCollection::endpoints() {
    constexpr int kTooMany = 429;
    return {
        {"/v1/logs", kTooMany, [this](const collect::PushRequest& request) { return receiver_.receive_otlp(request); }},
        {"/loki/api/v1/push", kTooMany,
         [this](const collect::PushRequest& request) { return receiver_.receive_loki(request); }}};
}

}  // namespace stoker::app
