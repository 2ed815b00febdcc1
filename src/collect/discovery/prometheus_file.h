// A prometheus.yml, as far as it is about scraping: `global`, `scrape_configs` and `scrape_config_files`.
//
// What else Prometheus knows is left alone and named; a key that it does not know, or that Stoker can't do, is a
// problem at its FILE:LINE:COLUMN. Variables are not replaced, as Prometheus does not either.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "collect/discovery/scrape_config.h"

namespace stoker::collect {

struct ScrapeFiles {
    std::vector<ScrapeConfig> jobs;         // Complete; meaningful only without problems.
    std::vector<config::Problem> problems;  // In order of files, and within them.
    std::vector<std::string> files;         // Those read.
    std::vector<std::string> unused;        // "prometheus.yml: alerting": given, and not for scraping.
};

// One file's text. The files that it names by scrape_config_files are read too.
ScrapeFiles parse_scrape_file(std::string_view text, const std::string& file);

// Every file that the shell patterns name, relative ones from `directory`. A pattern with wildcards may match nothing;
// a plain path that is not there is a problem, as are two jobs of one name.
ScrapeFiles read_scrape_files(const std::vector<std::string>& patterns, const std::string& directory);

// Reports jobs that are there twice.
void refuse_double_jobs(const std::vector<ScrapeConfig>& jobs, const std::string& file,
                        std::vector<config::Problem>& problems);

}  // namespace stoker::collect
