// Programs and files may hold anything.
#include <cstddef>
#include <cstdint>

#include "collect/program/exposed_pages.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::collect;
    class Nowhere : public SampleSink {
        void append(const std::vector<stoker::tsdb::SeriesSample>&) override {}
    } sink;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    ExposedPages pages({{"instance", "i"}}, {.max_samples = 1000, .labels = {}});
    for (std::int64_t round = 1; round <= 2; ++round) {
        pages.begin(stoker::from_millis(round));
        (void)pages.add(text.substr(0, size / static_cast<std::size_t>(round)), PageTimes::Taken);
        (void)pages.add(text, PageTimes::Refused);
        pages.add("up", {}, 1);
        pages.finish(sink);
    }
    return 0;
}
