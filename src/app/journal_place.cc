#include "app/journal_place.h"

#include <algorithm>

#include "base/text.h"

namespace stoker::app {

JournalPlace::JournalPlace(journal::Journal& journal, state::StateStore& state, const std::string& name)
    : journal_(journal), state_(state), key_("journal_place_" + name), from_(journal.next_sequence()) {}

// "IDENTITY SEQUENCE": sequences mean something only within one journal.
Result<Unit> JournalPlace::find() {
    const auto saved = state_.value(key_);
    if (!saved && saved.error().code != Errc::NotFound) return saved.error();
    next_ = from_;
    if (!saved) return remember();
    const std::size_t space = saved->find(' ');
    if (space == std::string::npos || saved->substr(0, space) != journal_.identity()) return remember();
    const auto sequence = parse_integer(std::string_view(*saved).substr(space + 1));
    if (sequence && *sequence > 0) next_ = std::min(journal_.next_sequence(), static_cast<std::uint64_t>(*sequence));
    return Unit{};
}

Result<Unit> JournalPlace::remember() {
    return state_.set_value(key_, journal_.identity() + " " + std::to_string(next_));
}

Result<std::size_t> JournalPlace::read(std::size_t most, const Take& take) {
    if (next_ == 0) TRY_UNIT(find());
    if (const std::uint64_t first = journal_.first_sequence(); next_ < first) {
        skipped_ += first - next_;
        next_ = first;
    }
    if (next_ >= journal_.next_sequence()) return std::size_t{0};
    TRY(auto records, journal_.read(next_, most));
    if (records.empty()) return std::size_t{0};
    const std::uint64_t after = records.back().sequence + 1;
    std::erase_if(records, [](const journal::Record& record) { return record.kind != journal::Kind::Request; });
    if (!records.empty()) TRY_UNIT(take(records));
    next_ = after;
    TRY_UNIT(remember());
    return records.size();
}

void JournalPlace::forget() {
    from_ = journal_.next_sequence();
    if (next_ == 0) return;
    next_ = 0;
    (void)state_.set_value(key_, "");
}

}  // namespace stoker::app
