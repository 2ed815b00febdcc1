#include "outward/sample_queue.h"

#include <algorithm>

#include "base/retention_clock.h"
#include "collect/send/remote_write_sender_record.h"

namespace stoker::outward {
namespace {

constexpr std::uint64_t kSegment = 16 << 20;
constexpr std::uint64_t kLeastSegment = 64 << 10;
constexpr Duration kSweep{10'000};  // Between two looks whether the queue is too long.

}  // namespace

Result<std::unique_ptr<SampleQueue>> SampleQueue::open(const std::string& directory, std::uint64_t max_bytes,
                                                       metrics::Counter& lost) {
    journal::Options options;
    options.retain_bytes = max_bytes;
    options.retain_for = Duration{0};
    options.segment_bytes = std::clamp(max_bytes / 4, kLeastSegment, kSegment);
    TRY(auto journal, journal::Journal::open(directory, options));
    return std::unique_ptr<SampleQueue>(new SampleQueue(std::move(journal), lost));
}

void SampleQueue::append(const std::vector<tsdb::SeriesSample>& samples) {
    if (samples.empty()) return;
    if (!journal_->append(journal::Kind::Samples, collect::encode_record(samples), now())) lost_.add();
}

void SampleQueue::append_message(wire::RemoteWriteVersion version, std::string_view snappy_body) {
    if (!journal_->append(journal::Kind::Samples, collect::encode_record(version, snappy_body), now())) lost_.add();
}

std::uint64_t SampleQueue::sweep(const std::string& reader, SteadyTime steady) {
    if (steady < next_sweep_) return 0;
    next_sweep_ = steady + kSweep;
    const std::uint64_t wanted = journal_->cursor(reader);
    journal_->enforce_retention(retention_now());
    const std::uint64_t first = journal_->first_sequence();
    return first > wanted ? first - wanted : 0;
}

}  // namespace stoker::outward
