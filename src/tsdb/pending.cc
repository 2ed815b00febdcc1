// Parts of the store's interface whose real implementations are about to land, one file each.
#include "tsdb/store_impl.h"

namespace stoker::tsdb {

namespace {
Error pending() {
    return Error{Errc::Unavailable, "this store can't do that yet"};
}
}  // namespace

Result<Unit> StoreImpl::clean_tombstones() {
    return pending();
}
Result<Unit> StoreImpl::snapshot(const std::string& /*directory*/) {
    return pending();
}

}  // namespace stoker::tsdb
