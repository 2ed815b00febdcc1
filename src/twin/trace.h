// Shapes of real traffic: how long requests are, and how they follow one another.
//
// From a trace in the format of the Azure LLM inference traces (TIMESTAMP,ContextTokens,GeneratedTokens), replayed in
// order and over again; or drawn from quantiles of one of them, compiled in so that a demo needs no file.
// Source of the quantiles: AzurePublicDataset, AzureLLMInferenceTrace_conv 2023, CC-BY (Patel et al., "Splitwise", ISCA
// 2024).
//
// Sans-I/O. Not thread-safe.
#pragma once

#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "twin/profile.h"

namespace stoker::twin {

struct TraceRow {
    Nanos at{0};  // Since the first row.
    std::uint32_t prompt_tokens = 1;
    std::uint32_t output_tokens = 1;
};

// Rows in order of time. Errors: InvalidArgument, naming the line.
Result<std::vector<TraceRow>> parse_trace(std::string_view csv);

class TrafficShape {
public:
    struct Arrival {
        Nanos gap{0};  // Since the one before.
        std::uint32_t prompt_tokens = 1;
        std::uint32_t output_tokens = 1;
    };

    // Chat traffic at `rate` requests a second on average. REQUIRES: rate > 0.
    static TrafficShape conversation(double rate);
    // The trace with its gaps scaled to `rate`; 0 keeps them. REQUIRES: rows not empty.
    static TrafficShape replay(std::vector<TraceRow> rows, double rate);

    Arrival next(std::mt19937_64& random);

private:
    TrafficShape() = default;

    std::vector<TraceRow> rows_;  // Empty: drawn from quantiles.
    std::size_t position_ = 0;
    double mean_gap_s_ = 1;
    double scale_ = 1;  // Of a replayed gap.
};

}  // namespace stoker::twin
