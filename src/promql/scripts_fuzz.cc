// Any bytes at all are a script that runs, or is reported as one that can't be read.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "promql/promqltest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size > 4096) return 0;
    stoker::promql::EngineOptions options = stoker::promql::ScriptRunner::script_options();
    options.timeout = stoker::Duration{100};
    options.max_samples = 100'000;
    stoker::promql::ScriptRunner runner(options);
    (void)runner.run({reinterpret_cast<const char*>(bytes), size});
    return 0;
}
