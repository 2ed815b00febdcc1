#include "tsdb/codec_dense.h"

#include "tsdb/bytes.h"
#include "tsdb/decimal.h"
#include "tsdb/dense_list.h"

namespace stoker::tsdb {

bool DenseCodec::encode(std::span<const Sample> samples, std::string& out) const {
    thread_local std::vector<std::int64_t> times;
    thread_local std::vector<std::int64_t> numbers;
    unsigned exponent = 0;
    if (!find_exponent(samples, exponent, numbers)) {
        return false;
    }
    times.resize(samples.size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
        times[i] = samples[i].time;
    }
    const std::size_t before = out.size();
    if (encode_dense(times, 0, out) && encode_dense(numbers, exponent, out)) {
        return true;
    }
    out.resize(before);
    return false;
}

bool DenseCodec::decode(std::string_view payload, std::size_t count, std::vector<Sample>& out) const {
    ByteReader reader(payload);
    const std::size_t start = out.size();
    out.resize(start + count);
    Sample* const samples = out.data() + start;
    DenseReader times;
    if (!times.open(reader, count) || times.tag() != 0 ||
        !times.each(reader, [samples](std::size_t i, std::int64_t time) { samples[i].time = time; })) {
        return false;
    }
    DenseReader values;
    if (!values.open(reader, count) || values.tag() >= kPowersOfTen.size()) {
        return false;
    }
    const double power = kPowersOfTen[values.tag()];
    const bool sound = values.tag() == 0 ? values.each(reader,
                                                       [samples](std::size_t i, std::int64_t value) {
                                                           samples[i].value = static_cast<double>(value);
                                                       })
                                         : values.each(reader, [samples, power](std::size_t i, std::int64_t value) {
                                               samples[i].value = static_cast<double>(value) / power;
                                           });
    return sound && reader.at_end();
}

}  // namespace stoker::tsdb
