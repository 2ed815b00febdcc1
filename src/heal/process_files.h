// What the supervisor keeps on disk for each engine: its log, rotated by size, and a file that says which process it
// is.
//
// Under DIRECTORY (DATA_DIR/engines), names from the replica's id with odd characters as %XX:
//   chat%2F127.0.0.1%3A9001.log, .log.1, ...     what the engine wrote
//   chat%2F127.0.0.1%3A9001.json                 pid, start time, boot and command of the process that runs
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "heal/process.h"

namespace stoker::heal {

class ProcessFiles {
public:
    ProcessFiles(const std::string& directory, const std::string& id);

    // Opens the log for appending; engines write into it themselves, so that they don't depend on Stoker being alive.
    Result<Fd> open_log() const;
    const std::string& log_path() const { return log_; }
    // When the log is larger than `bytes`, copies it to .1 (.1 to .2 and so on, `keep` in all) and empties it. Lines
    // written between the two are lost: the price of a writer that never reopens its file.
    void rotate(std::uint64_t bytes, int keep) const;
    // The last line that the engine wrote with anything in it, shortened; empty if there is none.
    std::string last_line() const;

    // Remembers the process. Replaced in one step.
    Result<Unit> write_identity(const ProcessIdentity& identity, const std::vector<std::string>& command) const;
    struct Remembered {
        ProcessIdentity identity;
        std::vector<std::string> command;
    };
    // Nothing if there is none, or it is of an earlier boot.
    std::optional<Remembered> read_identity() const;
    void remove_identity() const;

private:
    std::string log_;
    std::string identity_;
};

// The id as a file name.
std::string file_name(const std::string& id);

}  // namespace stoker::heal
