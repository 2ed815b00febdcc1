// Kernel files and probe answers may hold anything.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "collect/engine/identify.h"
#include "collect/host/host_parsers.h"
#include "collect/scrape/scrape.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::collect;
    std::string_view text(reinterpret_cast<const char*>(data), size);
    SampleBatch out(stoker::from_millis(1));
    for (auto* parse :
         {parse_stat, parse_loadavg, parse_meminfo, parse_diskstats, parse_netdev, parse_vmstat, parse_filefd}) {
        parse(text, out);
    }
    parse_pressure("io", text, out);
    (void)parse_mounts(text);
    for (const auto& path : probe_paths()) (void)identify({{path, 200, "", std::string(text)}});

    Scrape scrape({{"job", "engine"}});
    Scraped scraped;
    for (const auto format : {PageFormat::Prometheus, PageFormat::OpenMetrics, PageFormat::Protobuf}) {
        (void)scrape.scraped(text, format, stoker::from_millis(1), stoker::Duration{1}, scraped);
    }
    scrape.ended(stoker::from_millis(2), scraped.samples);
    return 0;
}
