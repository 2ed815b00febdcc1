#include "collect/discovery/prometheus_file.h"

#include <fmt/format.h>
#include <glob.h>

#include <array>
#include <filesystem>
#include <set>

#include "base/config_more.h"
#include "base/file.h"

namespace stoker::collect {
namespace {

// What `global` may set for all jobs; the limits since Prometheus 3.
struct Global {
    Duration scrape_interval{60'000};
    Duration scrape_timeout{10'000};
    std::string body_size_limit = "0";
    std::int64_t sample_limit = 0;
    std::int64_t target_limit = 0;
    std::int64_t label_limit = 0;
    std::int64_t label_name_length_limit = 0;
    std::int64_t label_value_length_limit = 0;
    std::int64_t keep_dropped_targets = 0;
    std::vector<std::string> scrape_protocols;
};

void describe(config::Fields& f, Global& c) {
    f.field("scrape_interval", c.scrape_interval, "Of jobs without one.");
    f.field("scrape_timeout", c.scrape_timeout, "Of jobs without one.");
    f.check("scrape_interval", c.scrape_interval > Duration{0}, "must be positive");
    f.check("scrape_timeout", c.scrape_timeout > Duration{0}, "must be positive");
    f.field("body_size_limit", c.body_size_limit, "Of jobs without one.");
    f.check("body_size_limit", parse_prometheus_bytes(c.body_size_limit).has_value(), "must be a size such as 10MB");
    for (const auto& [key, value] : std::initializer_list<std::pair<const char*, std::int64_t*>>{
             {"sample_limit", &c.sample_limit},
             {"target_limit", &c.target_limit},
             {"label_limit", &c.label_limit},
             {"label_name_length_limit", &c.label_name_length_limit},
             {"label_value_length_limit", &c.label_value_length_limit},
             {"keep_dropped_targets", &c.keep_dropped_targets}}) {
        f.field(key, *value, "Of jobs without one.");
        f.check(key, *value >= 0, "must not be negative");
    }
    f.field("scrape_protocols", c.scrape_protocols, "Of jobs without one.");
    for (const char* key :
         {"evaluation_interval", "rule_query_offset", "external_labels", "query_log_file", "scrape_failure_log_file",
          "metric_name_validation_scheme", "metric_name_escaping_scheme", "always_scrape_classic_histograms",
          "convert_classic_histograms_to_nhcb", "scrape_native_histograms", "extra_scrape_metrics", "runtime"}) {
        static_cast<void>(config::given(f, key));
    }
}

void take_over(ScrapeConfig& job, const Global& global) {
    const auto take = [](std::int64_t& own, std::int64_t all) { own = own == 0 ? all : own; };
    take(job.sample_limit, global.sample_limit);
    take(job.target_limit, global.target_limit);
    take(job.label_limit, global.label_limit);
    take(job.label_name_length_limit, global.label_name_length_limit);
    take(job.label_value_length_limit, global.label_value_length_limit);
    take(job.keep_dropped_targets, global.keep_dropped_targets);
    if (job.body_size_limit == "0") job.body_size_limit = global.body_size_limit;
    if (job.scrape_protocols.empty()) job.scrape_protocols = global.scrape_protocols;
}

struct File {
    Global global;
    std::vector<ScrapeConfig> scrape_configs;
    std::vector<std::string> scrape_config_files;
    std::vector<std::string> unused;
};

void check_timeouts(config::Fields& f, const File& c) {
    for (std::size_t i = 0; i < c.scrape_configs.size(); ++i) {
        const ScrapeConfig& job = c.scrape_configs[i];
        const Duration interval = job.scrape_interval.count() > 0 ? job.scrape_interval : c.global.scrape_interval;
        f.check(fmt::format("scrape_configs[{}].scrape_timeout", i), job.scrape_timeout <= interval,
                "is longer than the job's scrape_interval, " + format_duration(interval));
    }
}

// `inner`: of a file that another one names, which has nothing but jobs.
void describe(config::Fields& f, File& c, bool inner) {
    if (!inner) {
        f.object("global", c.global, "What holds for all jobs.");
        f.field("scrape_config_files", c.scrape_config_files, "Files with further `scrape_configs`.");
        for (const char* key :
             {"alerting", "rule_files", "remote_write", "remote_read", "storage", "tracing", "otlp", "runtime"}) {
            if (config::given(f, key)) c.unused.emplace_back(key);
        }
    }
    f.list("scrape_configs", c.scrape_configs, "Jobs.");
    check_job_names(f, "scrape_configs", c.scrape_configs);
    check_timeouts(f, c);
}

void parse_into(std::string_view text, const std::string& file, const Global* outer, ScrapeFiles& out) {
    File read;
    if (outer != nullptr) read.global = *outer;
    auto problems = config::read_yaml(text, file, [&](config::Fields& f) { describe(f, read, outer != nullptr); }, {});
    const bool good = problems.empty();
    out.problems.insert(out.problems.end(), problems.begin(), problems.end());
    for (const std::string& key : read.unused) out.unused.push_back(file + ": " + key);
    if (!good) return;
    const std::string folder = std::filesystem::path(file).parent_path();
    for (ScrapeConfig& job : read.scrape_configs) {
        take_over(job, read.global);
        const auto done = complete(job, {read.global.scrape_interval, read.global.scrape_timeout, folder});
        if (!done) out.problems.push_back({file, 0, 0, "", done.error().message});
        out.jobs.push_back(std::move(job));
    }
    for (const std::string& pattern : read.scrape_config_files) {
        glob_t found{};
        if (glob(from_folder(pattern, folder).c_str(), 0, nullptr, &found) == 0) {
            for (std::size_t i = 0; i < found.gl_pathc; ++i) {
                const std::string path = found.gl_pathv[i];
                const auto content = read_file(path);
                if (content) {
                    parse_into(*content, path, &read.global, out);
                } else {
                    out.problems.push_back({path, 0, 0, "", content.error().message});
                }
            }
        }
        globfree(&found);
    }
}

}  // namespace

void refuse_double_jobs(const std::vector<ScrapeConfig>& jobs, const std::string& file,
                        std::vector<config::Problem>& problems) {
    std::set<std::string> seen;
    for (const ScrapeConfig& job : jobs) {
        if (seen.insert(job.job_name).second) continue;
        problems.push_back(
            {file, 0, 0, "", "the job '" + job.job_name + "' is there twice; each needs a job_name of its own"});
    }
}

ScrapeFiles parse_scrape_file(std::string_view text, const std::string& file) {
    ScrapeFiles out;
    parse_into(text, file, nullptr, out);
    if (out.problems.empty()) refuse_double_jobs(out.jobs, file, out.problems);
    return out;
}

ScrapeFiles read_scrape_files(const std::vector<std::string>& patterns, const std::string& directory) {
    ScrapeFiles out;
    for (const std::string& pattern : patterns) {
        const std::string full = from_folder(pattern, directory);
        std::vector<std::string> paths;
        glob_t found{};
        if (glob(full.c_str(), 0, nullptr, &found) == 0) {
            for (std::size_t i = 0; i < found.gl_pathc; ++i) paths.emplace_back(found.gl_pathv[i]);
        }
        globfree(&found);
        if (paths.empty() && full.find_first_of("*?[") == std::string::npos) paths.push_back(full);
        for (const std::string& path : paths) {
            const auto text = read_file(path);
            if (!text) {
                out.problems.push_back({path, 0, 0, "", text.error().message});
                continue;
            }
            parse_into(*text, path, nullptr, out);
            out.files.push_back(path);
        }
    }
    if (out.problems.empty() && !out.files.empty()) refuse_double_jobs(out.jobs, out.files.back(), out.problems);
    return out;
}

}  // namespace stoker::collect
