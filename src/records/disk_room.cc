#include "records/disk_room.h"

#include <fmt/format.h>

#include <filesystem>

namespace stoker::records {

Result<Unit> room_to_write(const std::string& folder) {
    std::error_code unknown;
    const auto space = std::filesystem::space(folder, unknown);
    if (unknown || space.available >= kLeastRoom) return Unit{};
    return Error{
        Errc::ResourceExhausted,
        fmt::format("{} has {} MiB free, and {} MiB are needed: what is new waits in the journal until there is "
                    "room",
                    folder, space.available >> 20, kLeastRoom >> 20)};
}

}  // namespace stoker::records
