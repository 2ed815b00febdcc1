#include "app/log_pipeline.h"

#include <algorithm>
#include <map>

#include "base/text.h"

namespace stoker::app {
namespace {

// Of pairs, the first of a name winning.
std::string json_object(const collect::LogEntry::Attributes& pairs) {
    if (pairs.empty()) return {};
    std::string out = "{";
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        const auto& name = pairs[i].first;
        const auto end = pairs.begin() + static_cast<std::ptrdiff_t>(i);
        if (std::any_of(pairs.begin(), end, [&name](const auto& before) { return before.first == name; })) continue;
        if (out.size() > 1) out += ',';
        out += quote_json(name) + ":" + quote_json(pairs[i].second);
    }
    return out + "}";
}

// Lines full of control characters grow when they are written as JSON; a row that the store would refuse for its size
// would come again and again.
void fit(records::LogRow& row) {
    constexpr std::size_t kMostRaw = records::kMaxTelemetryRowBytes / 8;  // A byte may become six.
    constexpr std::size_t kMostEscaped = records::kMaxTelemetryRowBytes - records::kMaxTelemetryRowBytes / 8;
    const std::size_t others = row.stream.size() + row.service.size() + row.severity_text.size();
    if (row.body.size() + others + row.attributes.size() + row.resource.size() < kMostRaw) return;
    const auto cut = [](std::string& text, std::size_t most) { text.resize(std::min(text.size(), most)); };
    for (auto* text : {&row.stream, &row.service, &row.severity_text}) cut(*text, kMostRaw / 64);
    if (row.resource.size() > kMostRaw) row.resource.clear();
    const std::size_t room = kMostEscaped - row.resource.size();
    if (quote_json(row.body).size() + row.attributes.size() < room) return;
    cut(row.body, kMostRaw / 2);
    if (quote_json(row.body).size() + row.attributes.size() >= room) {
        row.attributes = R"({"stoker.dropped_attributes":")" + std::to_string(row.attributes.size()) + R"( bytes"})";
    }
}

}  // namespace

bool LineBudget::take(std::size_t lines, SteadyTime now) {
    if (per_second_ == 0) return true;
    if (last_ != SteadyTime{}) {
        const double passed = std::chrono::duration<double>(now - last_).count();
        left_ = std::min(left_ + passed * per_second_, per_second_ * 2);
    }
    last_ = now;
    if (left_ <= 0) return false;
    left_ -= static_cast<double>(lines);
    return true;
}

records::LogRow log_row(collect::LogEntry entry) {
    records::LogRow row;
    // Lines without a time, or with one that cannot be, have that of their arrival.
    row.time_ns = entry.time_ns > 0 ? entry.time_ns : entry.observed_ns;
    row.observed_ns = entry.observed_ns;
    row.severity = entry.severity;
    row.severity_text = std::move(entry.severity_text);
    row.body = std::move(entry.body);
    row.trace_id = std::move(entry.trace_id);
    row.span_id = std::move(entry.span_id);
    row.service = std::move(entry.service);
    row.attributes = json_object(entry.attributes);
    row.resource = json_object(entry.resource);
    row.source = std::move(entry.source);
    row.stream = std::move(entry.stream);
    row.signature = std::move(entry.signature);
    fit(row);
    return row;
}

LogPipeline::LogPipeline(records::TelemetryStore& store, std::shared_ptr<const collect::Signatures> signatures,
                         std::int64_t max_lines_per_second, api::LogTail& tail, Tell tell, metrics::Registry& registry)
    : store_(store),
      signatures_(std::move(signatures)),
      tail_(tail),
      tell_(std::move(tell)),
      counter_(registry),
      stored_(registry.counter("stoker_logs_stored_total", "Lines of log that were accepted, by how they came.",
                               {"source"})),
      refused_(registry
                   .counter("stoker_logs_refused_total",
                            "Lines of log that were not taken for now: files are read again, senders asked to come "
                            "back.",
                            {"reason"})
                   .with({"store"})),
      over_rate_(registry
                     .counter("stoker_logs_refused_total",
                              "Lines of log that were not taken for now: files are read again, senders asked to "
                              "come back.",
                              {"reason"})
                     .with({"rate"})),
      budget_(max_lines_per_second) {}

void LogPipeline::recognise(std::vector<collect::LogEntry>& entries, std::vector<Occurrence>& found) const {
    collect::Signatures::Found one;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        collect::LogEntry& entry = entries[i];
        if (!signatures_->find(entry.body, one)) continue;
        entry.signature = signatures_->specs()[one.index].name;
        for (auto& [name, value] : one.groups) entry.attributes.emplace_back("signature." + name, std::move(value));
        found.push_back({one.index, i});
    }
}

Result<Unit> LogPipeline::append(std::vector<collect::LogEntry> entries) {
    const std::size_t count = entries.size();
    {
        MutexLock lock(mutex_);
        if (!budget_.take(count, std::chrono::steady_clock::now())) {
            over_rate_.add(static_cast<double>(count));
            return Error{Errc::Unavailable, "more lines of log than logs.max_lines_per_second allows; come back later"};
        }
    }
    std::vector<Occurrence> found;
    recognise(entries, found);
    std::vector<records::LogRow> rows;
    rows.reserve(count);
    std::map<std::string, std::size_t> sources;
    for (auto& entry : entries) {
        ++sources[entry.source];
        rows.push_back(log_row(std::move(entry)));
    }
    if (auto kept = store_.append(rows); !kept) {
        refused_.add(static_cast<double>(count));
        return std::move(kept).error();
    }
    for (const auto& [source, lines] : sources) stored_.with({source}).add(static_cast<double>(lines));
    for (const Occurrence& one : found) {
        const auto& spec = signatures_->specs()[one.signature];
        const records::LogRow& row = rows[one.entry];
        if (counter_.count(spec, row.service, from_millis(row.time_ns / 1'000'000))) tell_(spec, row);
    }
    tail_.publish(rows);
    return Unit{};
}

}  // namespace stoker::app
