// Whole files: read with a limit, replaced in one step.
//
// Errors name the path. Thread-safe; two writers of one path leave either's content, never a mixture.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace stoker {

inline constexpr std::size_t kDefaultFileLimit = std::size_t{16} << 20;

// The content. Errors: NotFound, PermissionDenied, ResourceExhausted (larger than `limit` bytes), Internal.
// Works on files that don't know their size (/proc, pipes).
Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit = kDefaultFileLimit);

// What a replaced file survives: the end of this process, or also of the machine.
enum class Durability : std::uint8_t { Process, PowerLoss };

// Replaces the file by way of a temporary one beside it, so that a reader sees all or nothing. A new file gets `mode`;
// secrets want 0600.
Result<Unit> write_file_atomic(const std::filesystem::path& path, std::string_view content,
                               Durability durability = Durability::Process, unsigned mode = 0644);

// Copies the first `most` bytes (all, if there are fewer) into a new file, durable against power loss when it returns;
// returns how many. The copy shares its blocks with the original where the file system can do that.
// Errors: NotFound, Conflict (`to` exists), PermissionDenied, ResourceExhausted, Internal.
Result<std::uint64_t> copy_durably(const std::filesystem::path& from, const std::filesystem::path& to,
                                   std::uint64_t most = UINT64_MAX);

// Makes the folder and its parents; fine if it is there. Errors: PermissionDenied, Conflict (a file is in the way).
Result<Unit> ensure_directory(const std::filesystem::path& path);

// Makes names in the folder durable after files in it were made, renamed or removed.
Result<Unit> sync_directory(const std::filesystem::path& path);

}  // namespace stoker
