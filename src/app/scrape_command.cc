#include "app/scrape_command.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "collect/discovery/file_sd.h"
#include "collect/discovery/prometheus_file.h"

namespace stoker::app {
namespace {

using nlohmann::json;

// What a job comes to as far as that can be told here: its written targets and those in files.
struct CheckedJob {
    std::string name;
    std::vector<std::string> sources;
    std::vector<collect::MadeTarget> targets;
    std::size_t dropped = 0;
    std::vector<std::string> problems;
};

// Files with credentials that are not there now.
void check_credentials(const collect::HttpConfig& http, CheckedJob& out) {
    std::vector<std::string> files = {http.bearer_token_file};
    if (http.basic_auth) files.push_back(http.basic_auth->password_file);
    if (http.authorization) files.push_back(http.authorization->credentials_file);
    if (const auto& tls = http.tls_config) files.insert(files.end(), {tls->ca_file, tls->cert_file, tls->key_file});
    for (const std::string& file : files) {
        if (file.empty()) continue;
        const auto read = read_file(file);
        if (!read) out.problems.push_back(read.error().message);
    }
}

void add_groups(const collect::TargetMaker& maker, const std::vector<collect::TargetGroup>& groups, CheckedJob& out) {
    for (const collect::TargetGroup& group : groups) {
        for (collect::LabelMap labels : group.targets) {
            labels.insert(group.labels.begin(), group.labels.end());
            auto made = maker.make(labels);
            if (!made) {
                out.problems.push_back(made.error().message);
            } else if (*made) {
                out.targets.push_back(*std::move(*made));
            } else {
                ++out.dropped;
            }
        }
    }
}

CheckedJob check_job(const collect::ScrapeConfig& job) {
    CheckedJob out{.name = job.job_name, .sources = collect::source_kinds(job), .targets = {}, .problems = {}};
    check_credentials(job.http, out);
    for (const auto& source : job.http_sd_configs) check_credentials(source.http, out);
    for (const auto& source : job.kubernetes_sd_configs) check_credentials(source.http, out);
    for (const auto& source : job.docker_sd_configs) check_credentials(source.http, out);
    for (const auto& source : job.consul_sd_configs) check_credentials(source.http, out);
    const auto maker = collect::TargetMaker::create(job);
    if (!maker) {
        out.problems.push_back(maker.error().message);
        return out;
    }
    add_groups(*maker, collect::static_discoverer(job.static_configs)->groups(), out);
    for (const collect::FileSdConfig& files : job.file_sd_configs) {
        collect::FileReader reader(files);
        const auto read = reader.read(true);
        if (!read) out.problems.push_back(read.error().message);
        add_groups(*maker, reader.groups(), out);
    }
    return out;
}

json to_json(const CheckedJob& job) {
    json targets = json::array();
    for (const auto& target : job.targets) targets.push_back({{"url", target.shown}, {"labels", target.labels}});
    return {{"job", job.name},
            {"sources", job.sources},
            {"targets", std::move(targets)},
            {"dropped", job.dropped},
            {"problems", job.problems}};
}

json to_json(const config::Problem& problem) {
    return {{"file", problem.file},
            {"line", problem.line},
            {"column", problem.column},
            {"key", problem.key},
            {"message", problem.message}};
}

void print(const CheckedJob& job, bool with_targets) {
    std::string sources;
    for (const std::string& source : job.sources) sources += (sources.empty() ? "" : ", ") + source;
    std::printf("  %s: %s; %zu targets known here, %zu dropped by relabelling\n", job.name.c_str(),
                sources.empty() ? "no source of targets" : sources.c_str(), job.targets.size(), job.dropped);
    if (!with_targets) return;
    for (const auto& target : job.targets) {
        std::string labels;
        for (const auto& [name, value] : target.labels) labels += " " + name + "=" + value;
        std::printf("    %s%s\n", target.shown.c_str(), labels.c_str());
    }
}

}  // namespace

int scrape_check(const ScrapeCheckOptions& options) {
    bool ok = true;
    json files = json::array();
    for (const std::string& pattern : options.files) {
        const collect::ScrapeFiles read = collect::read_scrape_files({pattern}, "");
        std::vector<CheckedJob> jobs;
        json problems = json::array();
        for (const auto& problem : read.problems) problems.push_back(to_json(problem));
        if (read.problems.empty()) {
            for (const auto& job : read.jobs) jobs.push_back(check_job(job));
        }
        bool good = read.problems.empty();
        json shown = json::array();
        for (const CheckedJob& job : jobs) {
            good = good && job.problems.empty();
            shown.push_back(to_json(job));
        }
        ok = ok && good;
        if (options.output == Output::Json) {
            files.push_back({{"file", pattern},
                             {"ok", good},
                             {"jobs", std::move(shown)},
                             {"unused", read.unused},
                             {"problems", std::move(problems)}});
            continue;
        }
        if (read.problems.empty()) {
            std::printf("%s: %s, %zu jobs\n", pattern.c_str(), good ? "good" : "has problems", jobs.size());
        }
        for (const CheckedJob& job : jobs) print(job, options.targets);
        for (const std::string& key : read.unused) std::printf("  not for scraping, left alone: %s\n", key.c_str());
        std::fflush(stdout);
        for (const auto& problem : read.problems) std::fprintf(stderr, "%s\n", problem.text().c_str());
        for (const CheckedJob& job : jobs) {
            for (const std::string& problem : job.problems) {
                std::fprintf(stderr, "%s: job '%s': %s\n", pattern.c_str(), job.name.c_str(), problem.c_str());
            }
        }
    }
    if (options.output == Output::Json) {
        const json all = {{"ok", ok}, {"files", std::move(files)}};
        std::printf("%s\n", all.dump(-1, ' ', false, json::error_handler_t::replace).c_str());
    }
    return ok ? 0 : 1;
}

}  // namespace stoker::app
