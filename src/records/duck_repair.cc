#include "records/duck_repair.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/log.h"
#include "base/time.h"

namespace stoker::records {

Result<Unit> move_damaged_aside(const std::string& file, const NoteRepair& note) {
    const std::string aside = fmt::format("{}.damaged-{}", file, to_millis(now()));
    std::error_code error;
    std::filesystem::rename(file, aside, error);
    if (error) return Error{Errc::Unavailable, fmt::format("cannot move {} aside: {}", file, error.message())};
    note(fmt::format("{} was damaged and is now {}; records are loaded again from the journal", file, aside));
    return Unit{};
}

Result<Unit> open_or_repair(const std::string& file, const std::function<Result<Unit>()>& open,
                            const NoteRepair& note) {
    const std::string log_file = file + ".wal";
    auto opened = open();
    const auto damaged = [&opened] {
        return !opened && (opened.error().code == Errc::Corruption || opened.error().code == Errc::Internal);
    };
    if (damaged() && std::filesystem::exists(log_file)) {
        log::error("records: database damaged", {{"error", opened.error().message}});
        TRY_UNIT(move_damaged_aside(log_file, note));
        opened = open();
    }
    if (damaged()) {
        log::error("records: database damaged", {{"error", opened.error().message}});
        if (std::filesystem::exists(log_file)) TRY_UNIT(move_damaged_aside(log_file, note));
        TRY_UNIT(move_damaged_aside(file, note));
        opened = open();
    }
    return opened;
}

}  // namespace stoker::records
