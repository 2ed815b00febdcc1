// `stoker scrape check`.
#pragma once

#include <string>
#include <vector>

#include "app/commands.h"

namespace stoker::app {

struct ScrapeCheckOptions {
    std::vector<std::string> files;
    bool targets = false;  // List the targets that are known without asking anybody.
    Output output = Output::Text;
};

// Says what Stoker makes of Prometheus' configurations. 1 if anything is wrong.
int scrape_check(const ScrapeCheckOptions& options);

}  // namespace stoker::app
