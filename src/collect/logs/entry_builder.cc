#include "collect/logs/entry_builder.h"

#include <algorithm>

#include "collect/logs/parse_line.h"

namespace stoker::collect {

EntryBuilder::EntryBuilder(EntryOptions options)
    : options_(std::move(options)),
      format_(options_.format),
      halves_{Half{LineJoiner(options_.join), {}, 0, 0}, Half{LineJoiner(options_.join), {}, 0, 0}} {}

void EntryBuilder::push(std::string_view line, std::uint64_t begin, SteadyTime now, std::vector<LogEntry>& out) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!format_) format_ = guess_format(line);
    std::optional<ContainerLine> record;
    if (*format_ == LogFormat::Docker) record = parse_docker_line(line);
    if (*format_ == LogFormat::Cri) record = parse_cri_line(line);
    if (!record) return add(halves_[0], line, begin, 0, now, out);  // What is no record is kept as it is.

    Half& half = halves_[record->stream == "stderr" ? 1 : 0];
    const bool fits = half.partial.size() + record->text.size() <= options_.join.max_bytes;
    if (record->partial && fits) {
        if (half.partial.empty()) half.partial_begin = begin;
        half.partial += record->text;
        return;
    }
    if (half.partial.empty()) return add(half, record->text, begin, record->time_ns, now, out);
    half.partial += record->text;
    const std::string whole = std::exchange(half.partial, {});
    add(half, whole, half.partial_begin, record->time_ns, now, out);
}

void EntryBuilder::add(Half& half, std::string_view line, std::uint64_t begin, std::int64_t time_ns, SteadyTime now,
                       std::vector<LogEntry>& out) {
    const bool first = !half.joiner.pending();
    auto done = half.joiner.push(line, begin, now);
    if (done) emit(half, *std::move(done), out);
    if (first || done) half.time_ns = time_ns;
}

void EntryBuilder::emit(Half& half, JoinedLines lines, std::vector<LogEntry>& out) {
    if (lines.text.find_first_not_of(" \t\n") == std::string::npos) return;  // Blank lines between others.
    LogEntry& entry = out.emplace_back();
    entry.source = *format_ == LogFormat::Text ? "file" : "container";
    entry.stream = options_.stream;
    entry.service = options_.service;
    entry.resource = options_.resource;
    entry.time_ns = half.time_ns;
    entry.body = std::move(lines.text);
    if (*format_ != LogFormat::Text) {
        entry.attributes.emplace_back("log.iostream", &half == &halves_[1] ? "stderr" : "stdout");
    }
    parse_line(entry);
}

void EntryBuilder::flush_idle(SteadyTime now, std::vector<LogEntry>& out) {
    for (Half& half : halves_) {
        if (auto lines = half.joiner.take_idle(now)) emit(half, *std::move(lines), out);
    }
}

void EntryBuilder::flush(std::vector<LogEntry>& out) {
    for (Half& half : halves_) {
        if (!half.partial.empty()) {
            const std::string whole = std::exchange(half.partial, {});
            add(half, whole, half.partial_begin, half.time_ns, {}, out);
        }
        if (auto lines = half.joiner.take()) emit(half, *std::move(lines), out);
    }
}

std::optional<std::uint64_t> EntryBuilder::pending() const {
    std::optional<std::uint64_t> oldest;
    const auto consider = [&oldest](std::uint64_t begin) { oldest = std::min(oldest.value_or(begin), begin); };
    for (const Half& half : halves_) {
        if (!half.partial.empty()) consider(half.partial_begin);
        if (const auto begin = half.joiner.pending()) consider(*begin);
    }
    return oldest;
}

void EntryBuilder::reset() {
    for (Half& half : halves_) {
        (void)half.joiner.take();
        half.partial.clear();
    }
}

}  // namespace stoker::collect
