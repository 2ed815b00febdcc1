// Any bytes at all parse or are refused; what parses also evaluates, over a few series, without a fault.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "promql/engine.h"
#include "promql/memory_querier.h"

namespace {

stoker::promql::MemoryQuerier make_data() {
    stoker::promql::MemoryQuerier data;
    for (std::int64_t i = 0; i < 20; ++i) {
        const auto value = static_cast<double>(i * i % 7);
        data.add({{"__name__", "a"}, {"x", "1"}, {"le", "1"}}, {i * 15'000, value});
        data.add({{"__name__", "a"}, {"x", "2"}, {"le", "+Inf"}}, {i * 15'000, value * 2});
        data.add({{"__name__", "b"}, {"x", "1"}}, {i * 15'000, -value});
    }
    return data;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    static const stoker::promql::MemoryQuerier data = make_data();
    stoker::promql::EngineOptions options;
    options.timeout = stoker::Duration{200};
    options.max_samples = 100'000;
    // Half of the inputs may use what is experimental.
    options.experimental = size % 2 == 0;
    options.delayed_name_removal = size % 4 < 2;
    const stoker::promql::Engine engine(options);
    const std::string_view query(reinterpret_cast<const char*>(bytes), size);
    (void)engine.syntax_tree_json(query);
    // What is laid out reads back.
    if (const auto text = engine.format(query); text && !engine.check(*text)) __builtin_trap();
    const auto start = stoker::from_millis(0);
    (void)engine.instant(data, query, stoker::from_millis(200'000));
    (void)engine.range(data, query, start, stoker::from_millis(240'000), stoker::Duration{60'000});
    return 0;
}
