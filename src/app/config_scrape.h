// From `collect.scrape_configs` and `collect.scrape_config_files` to the jobs that run.
#pragma once

#include <vector>

#include "app/config.h"

namespace stoker::app {

// The keys; called by describe(CollectConfig).
void describe_scraping(config::Fields& f, CollectConfig& c);

// Reads the files that the configuration names and fills in scrape_jobs. Returns what is wrong with them.
std::vector<config::Problem> load_scrape_jobs(Config& config, const std::string& file);

}  // namespace stoker::app
