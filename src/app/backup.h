// A backup: a folder with copies of every store, made while Stoker runs, and a manifest that says what belongs to it.
//
//   manifest.json   {"version":1,"created_ms":…,"stoker":"0.1.0","files":[{"path":"tsdb/…","bytes":…,"crc32c":…}]}
//   tsdb/ journal/ records/ events/ state.sqlite   as in a data folder
//
// The manifest is written last, so a folder without one is no backup. Each store is copied at a moment of its own: the
// records first and the journal after them, so that what the records lack is in the journal and is loaded from there;
// the state before the events, so that a restored Stoker is silent about what it told already. Queues of samples on
// their way to others (otlp/, kafka/) are left out: the samples are in tsdb/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "app/storage.h"
#include "base/result.h"
#include "base/time.h"

namespace stoker::app {

struct BackupFile {
    std::string path;  // Relative.
    std::uint64_t bytes = 0;
    std::uint32_t crc32c = 0;
};

struct BackupManifest {
    Timestamp created;
    std::string stoker;  // The version that made it.
    std::vector<BackupFile> files;

    std::uint64_t bytes() const;
};

// How far a long operation is: bytes done of all.
using BackupProgress = std::function<void(std::uint64_t done, std::uint64_t all)>;

// Makes the folder `directory`. Errors: Conflict if it exists; whatever a store says. On failure nothing is left there.
// `events` is the log of events, with the places of its readers.
Result<BackupManifest> make_backup(Storage& storage, journal::Journal& events, const std::filesystem::path& directory,
                                   Timestamp now);

// Reads the manifest and checks every file against it. Errors: NotFound (no backup), Corruption naming the file,
// Conflict (made by a newer Stoker).
Result<BackupManifest> verify_backup(const std::filesystem::path& directory, const BackupProgress& progress);

// Verifies the backup and copies it to `target`, all of it or nothing. REQUIRES: `target` does not exist.
Result<BackupManifest> copy_backup(const std::filesystem::path& directory, const std::filesystem::path& target,
                                   const BackupProgress& progress);

}  // namespace stoker::app
