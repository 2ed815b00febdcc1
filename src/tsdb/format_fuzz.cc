// Any bytes as what lies on disk: chunks of every encoding, open chunks, heads, and entries of the log. No crash, no
// allocation beyond what the bytes can stand for; and samples made of the bytes survive every encoding.
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "tsdb/entries.h"
#include "tsdb/head.h"

namespace {

using namespace stoker::tsdb;

void read_as_stored(std::string_view bytes) {
    SampleList list;
    if (read_chunk(bytes, list) &&
        (list.empty() || (!list.histograms.empty() && list.histograms.size() != list.size()))) {
        std::abort();
    }
    if (auto open = OpenHistograms::load(bytes)) {
        list.clear();
        if (!read_chunk(open->snapshot(), list) || list.size() != open->count()) {
            std::abort();
        }
    }
    if (auto head = decode_head(bytes)) {
        head->open.append({head->open.max_time(), 1});
        (void)encode_head(head->first_time, head->disk_time, head->open, nullptr);
    }
    EntryVisitor visitor;
    visitor.on_series = [](SeriesId, const Labels&) {};
    visitor.on_sample = [](SeriesId, Sample, const HistogramPtr&, Arrival) {};
    (void)read_entries(bytes, visitor);
}

void write_and_read(std::string_view bytes) {
    std::vector<Sample> samples;
    std::int64_t time = 0;
    for (; bytes.size() >= 4 && samples.size() < kMostChunkSamples; bytes.remove_prefix(4)) {
        std::uint32_t word = 0;
        std::memcpy(&word, bytes.data(), sizeof(word));
        time += 1 + (word & 0xff) * (word & 1 ? 15'000 : 1);
        const std::uint32_t rest = word >> 8;
        samples.push_back({time, word & 2   ? rest / 100.0
                                 : word & 4 ? std::bit_cast<double>(word * 0x9e3779b97f4a7c15ULL)
                                            : static_cast<double>(rest & 0xfff)});
    }
    if (samples.empty()) {
        return;
    }
    for (const Encoding encoding : {Encoding::Plain, Encoding::Xor, Encoding::Packed, Encoding::Dense}) {
        const std::string sealed = seal_chunk_as(encoding, samples);
        std::vector<Sample> back;
        if (sealed.empty()) {
            continue;
        }
        if (!read_chunk(sealed, back) || back.size() != samples.size()) {
            std::abort();
        }
        for (std::size_t i = 0; i < samples.size(); ++i) {
            if (back[i].time != samples[i].time ||
                std::bit_cast<std::uint64_t>(back[i].value) != std::bit_cast<std::uint64_t>(samples[i].value)) {
                std::abort();
            }
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    read_as_stored(bytes);
    write_and_read(bytes);
    return 0;
}
