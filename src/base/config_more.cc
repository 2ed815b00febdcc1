#include "base/config_more.h"

#include "base/check.h"

namespace stoker::config {
namespace {

MoreFields& more(Fields& f) {
    auto* found = dynamic_cast<MoreFields*>(&f);
    STOKER_CHECK(found != nullptr, "a Fields that is no MoreFields");
    return *found;
}

}  // namespace

void list_map(Fields& f, std::string_view key, std::map<std::string, std::vector<std::string>>& value,
              std::string_view doc) {
    more(f).list_map(key, value, doc);
}

void masked(Fields& f, std::string_view key, std::string& value, std::string_view doc) {
    more(f).masked(key, value, doc);
}

bool given(Fields& f, std::string_view key) {
    return more(f).given(key);
}

}  // namespace stoker::config
