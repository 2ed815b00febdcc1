// The walk over a remote-write message, for remote_write.cc alone.
//
// Throws protozero's exceptions, PastLimit and Malformed: runs under guarded().
#pragma once

#include <cstdint>
#include <protozero/pbf_reader.hpp>
#include <string_view>
#include <vector>

#include "wire/remote_write.h"

namespace stoker::wire {

class RemoteWriteDecoder {
public:
    // REQUIRES: `out` is clear, but for its body.
    RemoteWriteDecoder(const RemoteWriteLimits& limits, WriteRequest& out)
        : limits_(limits), out_(out), buckets_left_(limits.max_buckets) {}

    void decode_v1();
    void decode_v2();

private:
    using Reader = protozero::pbf_reader;

    WriteRequest::Series& begin_series();
    void end_series();

    void series_v1(Reader series);
    void gather_labels_v1(Reader series, WriteRequest::Series& one);
    void exemplar_v1(Reader exemplar);
    void metadata_v1(Reader metadata);

    void symbols_v2();
    void series_v2(Reader series);
    void exemplar_v2(Reader exemplar);
    void metadata_v2(Reader metadata);
    void references(Reader& list);
    // Whether references_ are pairs of symbols that there are.
    bool references_hold() const;
    // Appends the labels that references_ means to `copied`; returns how long they are. REQUIRES: they hold.
    std::uint32_t copy_labels();
    std::string_view symbol(std::uint32_t reference) const;  // Past the symbols: none.

    void sample(Reader sample);
    void histogram(std::string_view message);
    std::uint32_t copied_size() const { return static_cast<std::uint32_t>(out_.copied.size()); }

    const RemoteWriteLimits& limits_;
    WriteRequest& out_;
    std::size_t buckets_left_;
    std::vector<std::uint32_t> references_;  // Labels of the series or exemplar at hand.
    std::vector<bool> described_;            // By symbol of a metric's name: its metadata was taken from this request.
};

}  // namespace stoker::wire
