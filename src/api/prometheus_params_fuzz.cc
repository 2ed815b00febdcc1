// Parameters of Prometheus' API from anywhere: each is read or refused, and what is read holds what its reader
// promises.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/prometheus_params.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::api;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    ApiRequest request;
    request.params = stoker::net::parse_query(text);
    // The bytes are also the value of each parameter in turn.
    for (const char* name : {"time", "start", "end", "step", "limit", "number", "flag"}) {
        request.params.emplace_back(name, std::string(text));
    }
    (void)prometheus_time(request, "time");
    (void)prometheus_span(request);
    (void)prometheus_duration(request, "step");
    (void)prometheus_limit(request);
    (void)prometheus_number(request, "number");
    (void)prometheus_bool(request, "flag");
    (void)prometheus_matchers(request);
    const auto name = prometheus_label_name(text);
    if (name && name->empty()) std::abort();
    return 0;
}
