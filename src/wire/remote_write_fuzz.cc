// Any bytes as a remote-write request of either version: no crash, limits held, and what decodes holds together.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "wire/remote_write.h"

namespace {

void check(bool holds) {
    if (!holds) {
        std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::wire;
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    const RemoteWriteLimits limits{.max_series = 50,
                                   .max_samples = 60,
                                   .max_histograms = 20,
                                   .max_buckets = 200,
                                   .max_exemplars = 20,
                                   .max_metadata = 20,
                                   .max_symbols = 100,
                                   .max_label_bytes = 500,
                                   .max_copied_bytes = 5000};
    WriteRequest request;
    LabelViews labels;
    for (const auto version : {RemoteWriteVersion::V1, RemoteWriteVersion::V2}) {
        if (!decode_write_request(version, body, limits, request)) {
            continue;
        }
        check(request.series.size() <= limits.max_series && request.samples.size() <= limits.max_samples);
        check(request.copied.size() <= limits.max_copied_bytes + body.size() + 16 * limits.max_label_bytes);
        for (std::size_t i = 0; i < request.series_count(); ++i) {
            const auto& one = request.series[i];
            const auto& next = request.series[i + 1];
            check(one.first_sample <= next.first_sample && one.first_histogram <= next.first_histogram &&
                  one.first_exemplar <= next.first_exemplar);
            check(request.label_bytes(one).size() == one.label_size);
            (void)parse_label_bytes(request.label_bytes(one), labels);
        }
        for (const auto& exemplar : request.exemplars) {
            (void)parse_label_bytes(request.label_bytes(exemplar), labels);
        }
    }
    return 0;
}
