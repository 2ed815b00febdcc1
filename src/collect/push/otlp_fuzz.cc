// Any bytes as an OTLP request, converted twice so that deltas meet their own sums: no crash, every sample belongs to a
// point or to target_info, every histogram is one that the store takes.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "collect/push/otlp_convert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::collect;
    using namespace stoker::wire::otlp;
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    constexpr Limits kLimits{.max_memory = 1 << 18};
    for (const bool json : {false, true}) {
        OtlpOptions options;
        options.custom_bucket_histograms = size % 2 == 0;
        options.promote_scope_metadata = true;
        options.promote_all_resource_attributes = true;
        OtlpDeltas deltas({.max_series = 20});
        for (int round = 0; round < 2; ++round) {
            auto request = json ? parse_json(body, kLimits) : parse_protobuf(body, kLimits);
            if (!request) break;
            const OtlpBatch batch = convert_otlp(*std::move(request), options, deltas);
            if (batch.point_of.size() != batch.samples.size() || batch.refused.size() > batch.points) std::abort();
            for (std::size_t i = 0; i < batch.samples.size(); ++i) {
                if (batch.point_of[i] >= batch.points && batch.point_of[i] != OtlpBatch::kNoPoint) std::abort();
                const auto& histogram = batch.samples[i].histogram;
                if (histogram && !histogram->stale() && !stoker::tsdb::validate(*histogram)) std::abort();
            }
            deltas.commit(stoker::from_millis(round));
            if (deltas.size() > 20) std::abort();
        }
    }
    return 0;
}
