// Parts of the store's interface whose real implementations are about to land, one file each.
#include "tsdb/store_impl.h"

namespace stoker::tsdb {

namespace {
Error pending() {
    return Error{Errc::Unavailable, "this store can't do that yet"};
}
}  // namespace

std::string_view to_string(Refusal refusal) {
    switch (refusal) {
        case Refusal::Conflict:
            return "conflict";
        case Refusal::TooOld:
            return "too_old";
        case Refusal::TooNew:
            return "too_new";
        case Refusal::OverLimit:
            return "over_limit";
        case Refusal::Invalid:
            return "invalid";
    }
    return "unknown";
}

Result<std::size_t> StoreImpl::append_exemplars(const std::vector<SeriesExemplars>& /*batch*/) {
    return pending();
}
Result<std::vector<SeriesExemplars>> StoreImpl::exemplars(const std::vector<std::vector<Matcher>>& /*selectors*/,
                                                          std::int64_t /*start*/, std::int64_t /*end*/) const {
    return std::vector<SeriesExemplars>{};
}
void StoreImpl::set_metadata(const std::vector<FamilyMetadata>& /*batch*/) {}
std::vector<FamilyMetadata> StoreImpl::metadata(const std::string& /*family*/) const {
    return {};
}
Result<std::size_t> StoreImpl::delete_series(const std::vector<Matcher>& /*matchers*/, std::int64_t /*start*/,
                                             std::int64_t /*end*/) {
    return pending();
}
Result<Unit> StoreImpl::clean_tombstones() {
    return pending();
}
Result<Unit> StoreImpl::snapshot(const std::string& /*directory*/) {
    return pending();
}
Cardinality StoreImpl::cardinality(const std::vector<Matcher>& /*matchers*/, std::size_t /*most*/) const {
    return {};
}
std::vector<Damage> StoreImpl::damage() const {
    return {};
}

}  // namespace stoker::tsdb
