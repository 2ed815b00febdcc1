#include "app/config_scrape.h"

#include <fmt/format.h>

#include "collect/discovery/prometheus_file.h"

namespace stoker::app {

void describe_scraping(config::Fields& f, CollectConfig& c) {
    f.list("scrape_configs", c.scrape_configs,
           "Jobs in Prometheus' shape (docs/discovery.md): targets from sources, relabelled. In `replacement`, write "
           "`$1`, `${1}` or `$name`; `${NAME}` is the environment's, as everywhere here.");
    collect::check_job_names(f, "scrape_configs", c.scrape_configs);
    for (std::size_t i = 0; i < c.scrape_configs.size(); ++i) {
        const collect::ScrapeConfig& job = c.scrape_configs[i];
        const Duration interval = job.scrape_interval.count() > 0 ? job.scrape_interval : c.scrape_interval;
        f.check(fmt::format("scrape_configs[{}].scrape_timeout", i), job.scrape_timeout <= interval,
                "is longer than the job's scrape_interval, " + format_duration(interval));
    }
    f.field("scrape_config_files", c.scrape_config_files,
            "Configurations of Prometheus (prometheus.yml) whose `global` and `scrape_configs` are used as they are; "
            "relative to this file; `*`, `?` and `[...]` match names.");
}

std::vector<config::Problem> load_scrape_jobs(Config& config, const std::string& file) {
    const CollectConfig& c = config.collect;
    collect::ScrapeFiles files = collect::read_scrape_files(c.scrape_config_files, config.folder);
    if (!files.problems.empty()) return std::move(files.problems);
    std::vector<config::Problem> problems;
    config.scrape_jobs.clear();
    for (collect::ScrapeConfig job : c.scrape_configs) {
        const auto done = collect::complete(job, {c.scrape_interval, c.scrape_timeout, config.folder});
        if (!done) problems.push_back({file, 0, 0, "collect.scrape_configs", done.error().message});
        config.scrape_jobs.push_back(std::move(job));
    }
    for (collect::ScrapeConfig& job : files.jobs) config.scrape_jobs.push_back(std::move(job));
    collect::refuse_double_jobs(config.scrape_jobs, file, problems);
    return problems;
}

}  // namespace stoker::app
