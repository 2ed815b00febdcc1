// Any bytes at all parse as a template or are refused; what parses also runs, within its limits, without a fault.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "alert/template.h"

namespace {

stoker::Result<stoker::promql::Value> answer(std::string_view query, stoker::Timestamp) {
    using stoker::tsdb::Labels;
    if (query.size() % 2 == 1) return stoker::Error{stoker::Errc::InvalidArgument, "odd"};
    stoker::promql::Vector vector;
    vector.push_back({Labels{{"__name__", "up"}, {"i", "b"}}, {0, 1}});
    vector.push_back({Labels{{"__name__", "up"}, {"i", "a"}}, {0, 0.5}});
    return stoker::promql::Value{vector, {}, {}};
}

stoker::alert::ExpanderOptions options() {
    stoker::alert::ExpanderOptions made;
    made.external_labels = {{"cluster", "eu"}};
    made.external_url = "http://stoker:8701/base";
    made.query = answer;
    made.limits.output = 4096;
    made.limits.steps = 2000;
    made.limits.queries = 10;
    made.limits.depth = 10;
    return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const stoker::alert::Expander expander(options());
    const stoker::tsdb::Labels labels{{"__name__", "x"}, {"instance", "gpu-1:9400"}, {"job", "dcgm"}};
    const std::string_view text(reinterpret_cast<const char*>(bytes), size);
    (void)expander.expand(text, {labels, 0.25, {}, stoker::from_millis(1'435'065'584'128), "A"});
    std::size_t offset = 0;
    (void)stoker::alert::check_template(text, "A", &offset);
    if (offset > size) __builtin_trap();
    return 0;
}
