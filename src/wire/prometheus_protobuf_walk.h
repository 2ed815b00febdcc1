// The walk over MetricFamily messages, for prometheus_protobuf.cc alone.
//
// Throws protozero's exceptions, PastLimit and Malformed: runs under guarded().
#pragma once

#include <protozero/pbf_reader.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "wire/prometheus_protobuf.h"

namespace stoker::wire {

class ProtobufWalk {
public:
    ProtobufWalk(const ProtobufVisitor& visitor, ClassicBuckets classic, const ProtobufLimits& limits)
        : visitor_(visitor), classic_(classic), limits_(limits), buckets_left_(limits.max_buckets) {}

    void family(std::string_view message);
    std::size_t samples() const { return samples_; }

private:
    using Reader = protozero::pbf_reader;

    struct ClassicBucket {
        double upper_bound = 0;
        double count = 0;  // Cumulative.
        std::vector<ProtobufExemplar> exemplar;
    };

    // A histogram message whole, before it is known what it is.
    struct WholeHistogram {
        NativeHistogram native;
        std::vector<ClassicBucket> classic;
        std::vector<ProtobufExemplar> exemplars;
        bool is_native = false;
    };

    void metric(Reader message);
    // Counter, gauge and untyped: a value, and for counters an exemplar and a created timestamp.
    void value(Reader message);
    void summary(Reader message);
    void histogram(Reader message);
    WholeHistogram read_histogram(Reader message);
    void read_native_field(Reader& message, WholeHistogram& out);
    ClassicBucket read_bucket(Reader message);
    static std::int64_t read_time(Reader message);
    ProtobufExemplar read_exemplar(Reader message);
    static std::pair<std::string_view, std::string_view> read_label(Reader message);

    void emit_native(const WholeHistogram& histogram);
    void emit_classic(const WholeHistogram& histogram);
    void emit(std::string_view suffix, double value, std::span<const ProtobufExemplar> exemplars = {});
    void emit_with(std::string_view suffix, std::string_view label, double bound, double value,
                   std::span<const ProtobufExemplar> exemplars = {});
    void count_sample();

    const ProtobufVisitor& visitor_;
    const ClassicBuckets classic_;
    const ProtobufLimits& limits_;
    std::size_t buckets_left_;
    std::size_t samples_ = 0;
    ProtobufFamily family_;
    ProtobufSample sample_;  // Of the metric at hand: its labels and times.
    std::string name_;       // Of the sample at hand, with its suffix.
    std::string bound_;
};

}  // namespace stoker::wire
