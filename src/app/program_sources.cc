#include "app/program_sources.h"

#include "app/config_convert.h"
#include "collect/host/collector_source.h"
#include "collect/program/program_source.h"
#include "collect/program/textfile_source.h"

namespace stoker::app {

std::vector<std::pair<std::shared_ptr<collect::Source>, collect::SourceSchedule>> program_sources(
    const Config& config) {
    const collect::CollectOptions options = collect_options(config);
    const collect::PageLimits limits{options.max_samples, options.label_limits};
    std::vector<std::pair<std::shared_ptr<collect::Source>, collect::SourceSchedule>> sources;
    for (const ProgramConfig& program : config.collect.programs) {
        collect::ProgramSourceOptions made{program.name, collect::host_name(), program_spec(program), limits};
        // It ends itself at its timeout; a little later it is said to hang.
        const collect::SourceSchedule schedule{program.interval, program.timeout + Duration{2'000}};
        sources.emplace_back(std::make_shared<collect::ProgramSource>(std::move(made)), schedule);
    }
    if (!config.collect.textfiles.empty()) {
        collect::TextfileOptions made;
        for (const std::string& folder : config.collect.textfiles) {
            made.folders.push_back(in_config_folder(config, folder));
        }
        made.instance = collect::host_name();
        made.limits = limits;
        made.max_file_bytes = options.max_body;
        const collect::SourceSchedule schedule{config.collect.scrape_interval, config.collect.scrape_interval};
        sources.emplace_back(std::make_shared<collect::TextfileSource>(std::move(made)), schedule);
    }
    return sources;
}

}  // namespace stoker::app
