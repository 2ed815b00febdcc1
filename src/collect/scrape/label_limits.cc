#include "collect/scrape/label_limits.h"

#include "tsdb/store.h"
#include "wire/utf8.h"

namespace stoker::collect {
namespace {

// Enough of a name to find it by, not so much that the message is as long as what it complains of.
std::string shown(std::string_view text) {
    constexpr std::size_t kShown = 64;
    std::string out;
    for (const char c : text.substr(0, kShown)) out += static_cast<unsigned char>(c) < 0x20 || (c & 0x80) ? '?' : c;
    return "\"" + out + (text.size() > kShown ? "...\"" : "\"");
}

Error too_long(std::string_view what, std::string_view text, std::size_t most) {
    return {Errc::ResourceExhausted, std::string(what) + " " + shown(text) + " has " + std::to_string(text.size()) +
                                         " bytes, the limit is " + std::to_string(most)};
}

}  // namespace

bool LabelBudget::take(const tsdb::Labels& labels) {
    std::size_t bytes = sizeof(tsdb::SeriesSample);
    for (const auto& [name, value] : labels) bytes += sizeof(tsdb::Labels::Pair) + name.size() + value.size();
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
}

Result<Unit> check_labels(const tsdb::Labels& labels, const LabelLimits& limits) {
    if (labels.size() > limits.max_labels) {
        return Error{Errc::ResourceExhausted, shown(labels.metric()) + " has " + std::to_string(labels.size()) +
                                                  " labels, the limit is " + std::to_string(limits.max_labels)};
    }
    for (const auto& [name, value] : labels) {
        if (name.size() > limits.max_name_bytes) return too_long("the label", name, limits.max_name_bytes);
        if (value.size() > limits.max_value_bytes) {
            return too_long("the value of " + shown(name) + ",", value, limits.max_value_bytes);
        }
        if (!wire::valid_utf8(name)) return Error{Errc::InvalidArgument, "the label " + shown(name) + " is not UTF-8"};
        if (!wire::valid_utf8(value)) {
            return Error{Errc::InvalidArgument, "the value of " + shown(name) + ", " + shown(value) + ", is not UTF-8"};
        }
    }
    return Unit{};
}

}  // namespace stoker::collect
