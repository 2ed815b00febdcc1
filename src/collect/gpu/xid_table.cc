#include "collect/gpu/xid_table.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace stoker::collect {
namespace {

constexpr std::int64_t kHighestCode = 100'000;  // SXids have five digits.

struct WrittenEntry {
    std::string codes;
    XidEntry entry;
};

struct WrittenTable {
    std::int64_t version = 1;
    std::vector<WrittenEntry> xids;
};

// "79", "39-41, 70-72". False: not understood.
bool parse_codes(std::string_view text, XidEntry& entry) {
    for (std::string_view part : split(text, ',')) {
        const auto dash = part.find('-');
        const auto from = parse_integer(trim(part.substr(0, dash)));
        const auto to = dash == std::string_view::npos ? from : parse_integer(trim(part.substr(dash + 1)));
        if (!from || !to || *from < 1 || *to < *from || *to > kHighestCode) return false;
        entry.codes.emplace_back(*from, *to);
    }
    return true;
}

void describe(config::Fields& f, WrittenEntry& w) {
    f.field("codes", w.codes, "XIDs: 79, or \"39-41, 70-72\".");
    f.required("codes");
    f.check("codes", parse_codes(w.codes, w.entry), "must be codes and ranges of them: 79, or \"39-41, 70-72\"");
    f.field("generations", w.entry.generations, "GPUs that it is for; empty: all.");
    f.field("meaning", w.entry.meaning, "What happened.");
    f.required("meaning");
    f.field("nvidia", w.entry.nvidia, "NVIDIA's advice.");
    f.choice(
        "action", w.entry.action,
        {"none", "watch", "restart_app", "reset_gpu", "restart_vm", "reboot", "replace", "update_software", "follow"},
        "What is to be done.");
    f.choice("severity", w.entry.severity, {"info", "warning", "critical"}, "How bad it is.");
}

void describe(config::Fields& f, WrittenTable& w) {
    f.field("version", w.version, "Of this format.");
    f.check("version", w.version == 1, "must be 1: this Stoker reads no other version of the table");
    f.list("xids", w.xids, "The XIDs.");
}

const XidEntry& unknown() {
    static const XidEntry entry{.codes = {},
                                .generations = {},
                                .meaning = "not in the table of XIDs",
                                .nvidia = "",
                                .action = "watch",
                                .severity = "warning"};
    return entry;
}

}  // namespace

XidTable XidTable::read(std::string_view yaml, const std::string& file, std::vector<config::Problem>& problems) {
    WrittenTable written;
    auto found = config::read_yaml(
        yaml, file, [&written](config::Fields& f) { describe(f, written); },
        [](const std::string&) { return std::nullopt; });
    std::move(found.begin(), found.end(), std::back_inserter(problems));
    XidTable table;
    for (auto& each : written.xids) table.entries_.push_back(std::move(each.entry));
    return table;
}

Result<XidTable> XidTable::parse(std::string_view yaml, const std::string& file) {
    std::vector<config::Problem> problems;
    XidTable table = read(yaml, file, problems);
    if (problems.empty()) return table;
    std::string all;
    for (const auto& problem : problems) all += (all.empty() ? "" : "\n") + problem.text();
    return Error{Errc::InvalidArgument, all};
}

const XidEntry& XidTable::find(std::int64_t code, std::string_view generation) const {
    const XidEntry* general = nullptr;
    for (const XidEntry& entry : entries_) {
        const bool has = std::any_of(entry.codes.begin(), entry.codes.end(),
                                     [code](const auto& range) { return range.first <= code && code <= range.second; });
        if (!has) continue;
        if (entry.generations.empty()) {
            if (general == nullptr) general = &entry;
        } else if (std::find(entry.generations.begin(), entry.generations.end(), generation) !=
                   entry.generations.end()) {
            return entry;
        }
    }
    return general != nullptr ? *general : unknown();
}

}  // namespace stoker::collect
