#include "records/tail_sampler.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace stoker::records {

double trace_place(std::string_view trace_id) {
    constexpr std::size_t kDigits = 14;
    constexpr int kPastDouble = 3;  // Of the 56 bits a double holds 53; rounding could reach 1.
    if (trace_id.size() > kDigits) trace_id.remove_prefix(trace_id.size() - kDigits);
    std::uint64_t value = 0;
    std::from_chars(trace_id.data(), trace_id.data() + trace_id.size(), value, 16);
    return static_cast<double>(value >> kPastDouble) /
           static_cast<double>(std::uint64_t{1} << (4 * kDigits - kPastDouble));
}

void TraceRate::advance(Timestamp now) {
    const std::int64_t second = to_millis(now) / 1000;
    // A clock that was set back counts into the second that is running.
    if (seconds_.empty() || second > seconds_.back().first) seconds_.emplace_back(second, 0);
    while (seconds_.front().first + kSeconds < seconds_.back().first) seconds_.pop_front();
}

void TraceRate::count(Timestamp now) {
    advance(now);
    ++seconds_.back().second;
}

double TraceRate::probability(Timestamp now) {
    if (options_.per_second <= 0) return options_.rate;
    advance(now);
    std::uint64_t whole = 0;  // Of the seconds that are over.
    for (const auto& [second, traces] : seconds_) whole += traces;
    const std::uint64_t running = seconds_.back().second;
    const auto over = seconds_.back().first - seconds_.front().first;
    const double past = over > 0 ? static_cast<double>(whole - running) / static_cast<double>(over) : 0;
    // A burst is seen before its second is over.
    const double each_second = std::max(past, static_cast<double>(running));
    return each_second <= options_.per_second ? options_.rate
                                              : std::min(options_.rate, options_.per_second / each_second);
}

bool TailSampler::is_slow(const SpanRow& span) const {
    return options_.slow.count() > 0 && span.duration_ns / 1'000'000 >= options_.slow.count();
}

TailSampler::Trace& TailSampler::trace_of(const std::string& id, Timestamp now) {
    const auto [place, fresh] = traces_.try_emplace(id);
    if (fresh) {
        ages_.emplace_back(now, id);
        rate_.count(now);
        place->second.probability = rate_.probability(now);
    }
    return place->second;
}

void TailSampler::add(std::uint64_t sequence, Timestamp arrived, std::vector<SpanRow> spans) {
    bool sure = true;
    for (const SpanRow& span : spans) {
        Trace& trace = trace_of(span.trace_id, arrived);
        trace.always = trace.always || span.error || is_slow(span);
        if (span.decided && trace.verdict == Verdict::Open) {
            trace.verdict = Verdict::Keep;
            trace.weight = span.weight;
        }
        sure = sure && (trace.always || trace.verdict == Verdict::Keep || trace.probability >= 1);
    }
    waiting_ += spans.size();
    records_.push_back({sequence, arrived, sure, std::move(spans)});
}

void TailSampler::decide(const std::string& id, Trace& trace) {
    // An error that comes after the trace was dropped still saves what is left of it.
    if (trace.always && trace.verdict != Verdict::Keep) {
        trace.verdict = Verdict::Keep;
        trace.weight = 1;
    }
    if (trace.verdict != Verdict::Open) return;
    trace.verdict = trace_place(id) < trace.probability ? Verdict::Keep : Verdict::Drop;
    trace.weight = trace.probability > 0 ? 1 / trace.probability : 1;
}

TailSampler::Decided TailSampler::take(Timestamp now) {
    Decided out;
    while (!records_.empty()) {
        Record& record = records_.front();
        // A clock that was set back must not make anything wait for hours.
        const bool ripe = now - record.arrived >= options_.wait || record.arrived - now > options_.wait;
        if (!record.sure && !ripe && waiting_ <= options_.most) break;
        for (SpanRow& span : record.spans) {
            Trace& trace = trace_of(span.trace_id, now);
            decide(span.trace_id, trace);
            if (trace.verdict == Verdict::Drop && !span.decided) {
                ++out.dropped;
                continue;
            }
            if (!span.decided) span.weight = trace.weight;
            out.kept.push_back(std::move(span));
        }
        waiting_ -= record.spans.size();
        out.last_sequence = record.sequence;
        records_.pop_front();
    }
    forget_old(now);
    return out;
}

void TailSampler::forget_old(Timestamp now) {
    while (!ages_.empty() && (ages_.size() > kMostTraces || now - ages_.front().first > kRemember + options_.wait)) {
        traces_.erase(ages_.front().second);
        ages_.pop_front();
    }
}

void TailSampler::remember(const std::string& trace_id, double weight, Timestamp when) {
    const auto [place, fresh] = traces_.try_emplace(trace_id, Trace{false, Verdict::Keep, weight, 1});
    if (fresh) ages_.emplace_back(when, trace_id);
}

void TailSampler::forget_waiting() {
    records_.clear();
    waiting_ = 0;
}

}  // namespace stoker::records
