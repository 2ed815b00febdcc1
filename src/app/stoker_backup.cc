// The backup that a running Stoker makes of itself.
#include <nlohmann/json.hpp>
#include <string>

#include "app/backup.h"
#include "app/stoker.h"
#include "base/file.h"
#include "base/log.h"

namespace stoker::app {

Result<std::string> Stoker::backup() {
    if (backing_up_.exchange(true)) return Error{Errc::Conflict, "a backup is being made already; wait for its end"};
    struct Done {
        std::atomic<bool>& flag;
        ~Done() { flag = false; }
    } done{backing_up_};
    const Timestamp began = now();
    TRY_UNIT(ensure_directory(folder_.at("backups")));
    const std::string path = folder_.at("backups/" + std::to_string(to_millis(began)));
    auto made = make_backup(*storage_, outward_->log().journal(), path, began);
    if (!made) {
        log::error("backup failed", {{"error", made.error().message}});
        return std::move(made).error();
    }
    log::info("backup made", {{"path", path}, {"files", made->files.size()}, {"bytes", made->bytes()}});
    return nlohmann::json{
        {"path", path}, {"created_ms", to_millis(began)}, {"files", made->files.size()}, {"bytes", made->bytes()}}
        .dump();
}

}  // namespace stoker::app
