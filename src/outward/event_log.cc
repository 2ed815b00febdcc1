#include "outward/event_log.h"

#include <algorithm>

#include "base/log.h"

namespace stoker::outward {
namespace {

constexpr std::uint64_t kSegment = 4 << 20;
constexpr std::uint64_t kAtOnce = 500;        // Events read in one go when looking back,
constexpr std::uint64_t kFarthest = 100'000;  // and as far back as one look goes.

}  // namespace

EventLog::EventLog(std::unique_ptr<journal::Journal> journal, metrics::Registry& registry)
    : journal_(std::move(journal)),
      published_(registry.counter("stoker_events_total", "Events, by type (docs/events.md).", {"type"})),
      lost_(registry.counter("stoker_events_lost_total", "Events that the disk did not take.").with()) {}

Result<std::unique_ptr<EventLog>> EventLog::open(const std::string& directory, EventLogOptions options,
                                                 metrics::Registry& registry) {
    journal::Options kept;
    kept.retain_bytes = options.max_bytes;
    kept.retain_for = options.retain_for;
    kept.segment_bytes = std::min(kSegment, options.max_bytes);
    auto journal = journal::Journal::open(directory, kept);
    if (!journal) return std::move(journal).error().context("event log");
    return std::unique_ptr<EventLog>(new EventLog(*std::move(journal), registry));
}

void EventLog::publish(Event event) {
    published_.with({event.type}).add();
    const auto sequence = journal_->append(journal::Kind::Event, to_json(event), event.at);
    if (!sequence) {
        lost_.add();
        log::error("an event is lost", {{"type", event.type}, {"error", sequence.error().message}});
        return;
    }
    if (!tell_) return;
    event.sequence = *sequence;
    event.id = journal_->identity() + "-" + std::to_string(*sequence);
    tell_(event);
}

Result<std::vector<Event>> EventLog::read(std::uint64_t from, std::size_t most) {
    TRY(const auto records, journal_->read(from, most));
    std::vector<Event> events;
    for (const auto& record : records) {
        auto event = event_from_json(record.payload);
        if (!event) continue;  // Of a newer Stoker; its place is passed over.
        event->sequence = record.sequence;
        event->id = journal_->identity() + "-" + std::to_string(record.sequence);
        events.push_back(*std::move(event));
    }
    return events;
}

Result<EventPage> EventLog::select(const EventQuery& query) {
    EventPage page;
    const std::uint64_t end = journal_->next_sequence();
    const std::uint64_t first = std::max(journal_->first_sequence(), end - std::min(end, kFarthest));
    if (query.after > 0) {
        std::uint64_t from = std::max(query.after + 1, first);
        page.next = std::max(query.after, end - 1);
        while (from < end && page.events.size() < query.limit) {
            TRY(auto some, read(from, kAtOnce));
            if (some.empty()) break;
            from = some.back().sequence + 1;
            for (auto& event : some) {
                if (!query.filter.matches(event)) continue;
                if (page.events.size() == query.limit) {
                    page.next = page.events.back().sequence;
                    return page;
                }
                page.events.push_back(std::move(event));
            }
        }
        if (page.events.size() == query.limit && !page.events.empty()) page.next = page.events.back().sequence;
        return page;
    }
    page.next = end - 1;
    for (std::uint64_t upto = end; upto > first && page.events.size() < query.limit;) {
        const std::uint64_t from = upto - std::min(upto - first, kAtOnce);
        TRY(auto some, read(from, upto - from));
        for (auto event = some.rbegin(); event != some.rend() && page.events.size() < query.limit; ++event) {
            if (event->sequence < upto && query.filter.matches(*event)) page.events.push_back(std::move(*event));
        }
        upto = from;
    }
    return page;
}

std::uint64_t EventLog::place(const std::string& reader) {
    if (journal_->has_cursor(reader)) return journal_->cursor(reader);
    const std::uint64_t end = journal_->next_sequence();
    const auto kept = journal_->commit(reader, end);
    if (!kept) log::warn("the place of a reader of events is not kept", {{"error", kept.error().message}});
    return end;
}

}  // namespace stoker::outward
