// Field numbers of remote write's messages and the names of their metric types, for its decoder and encoder.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace stoker::wire::remote_write {

inline constexpr std::uint32_t kLabelName = 1;
inline constexpr std::uint32_t kLabelValue = 2;
inline constexpr std::uint32_t kSampleValue = 1;
inline constexpr std::uint32_t kSampleTimestamp = 2;
inline constexpr std::uint32_t kSampleStartTimestamp = 3;

// prometheus.WriteRequest, TimeSeries, Exemplar and MetricMetadata.
namespace v1 {
inline constexpr std::uint32_t kTimeSeries = 1;
inline constexpr std::uint32_t kMetadata = 3;
inline constexpr std::uint32_t kLabels = 1;
inline constexpr std::uint32_t kSamples = 2;
inline constexpr std::uint32_t kExemplars = 3;
inline constexpr std::uint32_t kHistograms = 4;
inline constexpr std::uint32_t kExemplarLabels = 1;
inline constexpr std::uint32_t kExemplarValue = 2;
inline constexpr std::uint32_t kExemplarTimestamp = 3;
inline constexpr std::uint32_t kMetadataType = 1;
inline constexpr std::uint32_t kMetadataFamily = 2;
inline constexpr std::uint32_t kMetadataHelp = 4;
inline constexpr std::uint32_t kMetadataUnit = 5;
}  // namespace v1

// io.prometheus.write.v2.Request, TimeSeries, Exemplar and Metadata.
namespace v2 {
inline constexpr std::uint32_t kSymbols = 4;
inline constexpr std::uint32_t kTimeSeries = 5;
inline constexpr std::uint32_t kLabelsRefs = 1;
inline constexpr std::uint32_t kSamples = 2;
inline constexpr std::uint32_t kHistograms = 3;
inline constexpr std::uint32_t kExemplars = 4;
inline constexpr std::uint32_t kMetadata = 5;
inline constexpr std::uint32_t kCreatedTimestamp = 6;  // Of release candidates; since then a sample carries its own.
inline constexpr std::uint32_t kExemplarLabelsRefs = 1;
inline constexpr std::uint32_t kExemplarValue = 2;
inline constexpr std::uint32_t kExemplarTimestamp = 3;
inline constexpr std::uint32_t kMetadataType = 1;
inline constexpr std::uint32_t kMetadataHelpRef = 3;
inline constexpr std::uint32_t kMetadataUnitRef = 4;
}  // namespace v2

inline constexpr std::array<std::string_view, 8> kTypeNames = {"unknown",        "counter", "gauge", "histogram",
                                                               "gaugehistogram", "summary", "info",  "stateset"};

inline std::string_view type_name(std::int32_t number) {
    const auto index = static_cast<std::size_t>(number);
    return number >= 0 && index < kTypeNames.size() ? kTypeNames[index] : kTypeNames[0];
}

inline std::int32_t type_number(std::string_view name) {
    for (std::size_t i = 0; i < kTypeNames.size(); ++i) {
        if (kTypeNames[i] == name) {
            return static_cast<std::int32_t>(i);
        }
    }
    return 0;
}

}  // namespace stoker::wire::remote_write
