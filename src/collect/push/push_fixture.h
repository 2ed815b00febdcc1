// A vocabulary for tests of receivers: a push in, the answer and what the store then holds out.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "collect/push/push.h"
#include "collect/testing.h"
#include "tsdb/store_fixture.h"

namespace stoker::collect::testing {

inline PushRequest push(std::string path, std::string type, std::string body, std::int64_t now) {
    return {std::move(path), {{"Content-Type", std::move(type)}}, {}, std::move(body), from_millis(now)};
}

inline std::string show(const tsdb::Histogram& h) {
    std::string out = "{schema:" + std::to_string(h.schema) + " count:" + format_number(h.count) +
                      " sum:" + show(h.sum) + " zero:" + format_number(h.zero_count);
    const auto side = [&](const char* name, const std::vector<tsdb::BucketSpan>& spans,
                          const std::vector<double>& counts) {
        std::int64_t index = 0;
        std::size_t at = 0;
        for (const auto& span : spans) {
            index += span.offset;
            for (std::uint32_t i = 0; i < span.length; ++i, ++index, ++at) {
                if (at >= counts.size()) break;
                out += std::string(" ") + name + std::to_string(index) + ":" + format_number(counts[at]);
            }
        }
    };
    side("p", h.positive_spans, h.positive);
    side("n", h.negative_spans, h.negative);
    for (const double bound : h.custom_bounds) out += " b" + format_number(bound);
    return out + "}";
}

// Every sample in the store, as "value@time" one after another, by series.
inline std::map<std::string, std::string> contents(const tsdb::Store& store) {
    std::map<std::string, std::string> out;
    auto all = store.select({{"__name__", tsdb::Matcher::Op::Regex, ".+"}}, tsdb::testing::kMinTime,
                            tsdb::testing::kMaxTime, 0);
    if (!all) return {{"error", all.error().message}};
    for (const auto& series : *all) {
        std::string& text = out[series->labels().text()];
        auto samples = series->samples();
        for (tsdb::Sample sample; samples->next(sample);) {
            const auto& histogram = samples->histogram();
            text += (text.empty() ? "" : " ") + (histogram ? show(*histogram) : show(sample.value)) + "@" +
                    std::to_string(sample.time);
        }
    }
    return out;
}

}  // namespace stoker::collect::testing
