// The series that a fleet of GPU machines would send, and their values at any moment, made up but reproducible.
//
// Of every 1,000 series 500 look like node_exporter's, 200 like DCGM's and 300 like an engine's: constants, counters of
// whole and of decimal numbers, slow gauges, noisy gauges, and histograms' buckets.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace stoker::bench {

enum class Kind : std::uint8_t { Constant, Counter, Seconds, Slow, Noisy, Bytes, Bucket };

struct FleetSeries {
    std::vector<std::pair<std::string, std::string>> labels;  // Sorted by name, __name__ among them.
    Kind kind = Kind::Constant;
    std::uint32_t machine = 0;
    double scale = 1;  // What sets series of one kind apart.
};

// `count` series of machines from `first_machine` on. `generation` of machine m is in its label `pod`: another
// generation is another set of series.
std::vector<FleetSeries> make_fleet(std::size_t count, std::uint32_t first_machine);

// The labels of a series in its machine's n-th generation.
std::vector<std::pair<std::string, std::string>> labels_of(const FleetSeries& series, std::uint32_t generation);

// Values of one series, step by step. Every process that asks gets the same.
class Walk {
public:
    Walk(const FleetSeries& series, std::uint64_t seed);
    double next();  // One step of 15 seconds on.

private:
    std::uint64_t random();
    double uniform() { return static_cast<double>(random() >> 11) * 0x1p-53; }

    Kind kind_;
    double scale_;
    std::uint64_t state_;
    double value_ = 0;
};

}  // namespace stoker::bench
