// What to do when a DuckDB file that is filled from a journal can't be read.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"

namespace stoker::records {

using NoteRepair = std::function<void(std::string what)>;

// Renames FILE to FILE.damaged-MILLIS and tells `note`. Errors: Unavailable.
Result<Unit> move_damaged_aside(const std::string& file, const NoteRepair& note);

// Opens by `open`. Where the file is damaged, first only DuckDB's write-ahead log (FILE.wal) is moved away, as the main
// file alone is a consistent older state that the journal completes; then the file, and `open` makes a new one.
Result<Unit> open_or_repair(const std::string& file, const std::function<Result<Unit>()>& open, const NoteRepair& note);

}  // namespace stoker::records
