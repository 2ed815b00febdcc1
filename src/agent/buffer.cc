#include "agent/buffer.h"

#include <algorithm>

#include "base/log.h"

namespace stoker::agent {
namespace {

constexpr Duration kSpan{60'000};  // How exactly the age of a record is known.
constexpr std::uint64_t kSpansAtStart = 64;
constexpr std::uint64_t kMaxSegment = std::uint64_t{8} << 20;
constexpr std::uint64_t kMinSegment = std::uint64_t{64} << 10;
constexpr std::uint64_t kSegments = 16;  // The bound is kept to one part in so many.

}  // namespace

Result<std::unique_ptr<Buffer>> Buffer::open(const std::string& directory, BufferOptions options, Moment now,
                                             metrics::Registry& registry, journal::FileSystem& files) {
    journal::Options kept;
    kept.retain_bytes = options.max_bytes;
    kept.segment_bytes = std::clamp(options.max_bytes / kSegments, kMinSegment, kMaxSegment);
    kept.retain_for = Duration{0};  // What all have read goes at once.
    TRY(auto journal, journal::Journal::open(directory, kept, files));
    std::unique_ptr<Buffer> buffer(new Buffer(std::move(journal), options, registry));
    buffer->note_what_is_there(now);
    return buffer;
}

Buffer::Buffer(std::unique_ptr<journal::Journal> journal, BufferOptions options, metrics::Registry& registry)
    : journal_(std::move(journal)),
      options_(options),
      missed_(registry.counter("stoker_agent_missed_records_total",
                               "Buffered batches that were dropped before this destination took them: by the bound "
                               "on the buffer's size or age, or as damaged.",
                               {"destination", "reason"})),
      unbuffered_(registry
                      .counter("stoker_agent_unbuffered_records_total",
                               "Batches lost because the disk did not take them, a full one for example.")
                      .with()),
      bytes_(registry.gauge("stoker_agent_buffer_bytes", "Bytes of the agent's buffer on disk.").with()) {}

void Buffer::note_what_is_there(Moment now) {
    const std::uint64_t end = journal_->next_sequence();
    const std::uint64_t first = std::min(journal_->first_sequence(), end);
    const std::uint64_t step = std::max<std::uint64_t>((end - first) / kSpansAtStart, 1);
    MutexLock lock(mutex_);
    for (std::uint64_t begin = first; begin < end; begin += step) {
        const std::uint64_t span_end = std::min(begin + step, end);
        const auto last = journal_->read(span_end - 1, 1);
        if (!last || last->empty()) continue;
        // A clock that is behind its own past tells nothing of the age: then it begins now.
        spans_.push_back({span_end, now.steady - std::max(now.wall - last->front().time, Duration{0})});
    }
}

void Buffer::append(const std::vector<tsdb::SeriesSample>& samples, Moment now) {
    if (samples.empty()) return;
    const auto kept = journal_->append(journal::Kind::Samples, collect::encode_record(samples), now.wall);
    MutexLock lock(mutex_);
    if (!kept) {
        unbuffered_.add();
        if (!failing_) log::error("samples could not be buffered", {{"error", kept.error().message}});
        failing_ = true;
        return;
    }
    if (failing_) log::info("samples are buffered again");
    failing_ = false;
    if (spans_.empty() || now.steady >= span_began_ + kSpan) {
        spans_.push_back({*kept + 1, now.steady});
        span_began_ = now.steady;
    } else {
        spans_.back() = {std::max(spans_.back().end, *kept + 1), std::max(spans_.back().newest, now.steady)};
    }
}

std::uint64_t Buffer::expired(SteadyTime now) {
    MutexLock lock(mutex_);
    for (; !spans_.empty() && now - spans_.front().newest > options_.max_age; spans_.pop_front()) {
        expired_ = std::max(expired_, spans_.front().end);
    }
    return expired_;
}

void Buffer::count_missed(const std::string& reader, const char* reason, std::uint64_t from, std::uint64_t to) {
    MutexLock lock(mutex_);
    std::uint64_t& counted = counted_[reader];
    from = std::max(from, counted);
    if (from >= to) return;
    counted = to;
    missed_.with({reader, reason}).add(static_cast<double>(to - from));
}

Result<Buffer::Read> Buffer::read(const std::string& reader, std::uint64_t from, std::size_t most, SteadyTime now) {
    // What is gone already was lost to the size; only what is still there can be too old.
    const std::uint64_t kept_from = std::max(from, journal_->first_sequence());
    count_missed(reader, "size", from, kept_from);
    Read out;
    out.next = std::max(kept_from, std::min(expired(now), journal_->next_sequence()));
    count_missed(reader, "age", kept_from, out.next);
    TRY(const auto records, journal_->read(out.next, most));
    for (const journal::Record& record : records) {
        count_missed(reader, "damage", out.next, record.sequence);
        out.next = record.sequence + 1;
        auto decoded = collect::decode_record(record.sequence, record.payload);
        if (decoded) {
            out.records.push_back(*std::move(decoded));
        } else {
            count_missed(reader, "damage", record.sequence, out.next);
            log::warn("a buffered batch is unreadable", {{"error", decoded.error().message}});
        }
    }
    return out;
}

Result<Unit> Buffer::keep_only(const std::vector<std::string>& readers) {
    for (const std::string& one : journal_->consumers()) {
        if (std::find(readers.begin(), readers.end(), one) != readers.end()) continue;
        log::info("a destination is gone, and what waited for it alone", {{"name", one}});
        TRY_UNIT(journal_->forget(one));
    }
    return Unit{};
}

void Buffer::tidy(Moment now) {
    journal_->enforce_retention(now.wall);
    bytes_.set(static_cast<double>(journal_->bytes()));
}

}  // namespace stoker::agent
