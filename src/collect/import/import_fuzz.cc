// Any bytes as a file to import, compressed or not: no crash, and lines keep to the limit.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

#include "collect/import/import_source.h"
#include "wire/exposition_lines.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::collect;
    using stoker::wire::ExpositionLines;
    std::istringstream in(std::string(reinterpret_cast<const char*>(data), size));
    ImportSource source(in, 100);
    ExpositionLines prometheus(stoker::wire::ExpositionFormat::Prometheus);
    ExpositionLines open_metrics(stoker::wire::ExpositionFormat::OpenMetrics);
    std::string_view line;
    while (true) {
        const auto next = source.next(line);
        if (!next || *next == ImportSource::Next::End) return 0;
        if (line.size() > 100) std::abort();
        for (ExpositionLines* lines : {&prometheus, &open_metrics}) {
            const auto kind = lines->read(line);
            if (kind == ExpositionLines::Kind::Sample && lines->sample().name.empty()) std::abort();
            if (kind == ExpositionLines::Kind::Bad && lines->error().empty()) std::abort();
        }
    }
}
