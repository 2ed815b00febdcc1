#include "app/backup.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/file.h"
#include "base/id.h"
#include "journal/crc32c.h"

namespace stoker::app {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kManifest = "manifest.json";
constexpr int kVersion = 1;
constexpr std::size_t kMaxManifest = std::size_t{64} << 20;

// Removes the folder again unless it is kept.
class Unfinished {
public:
    explicit Unfinished(fs::path path) : path_(std::move(path)) {}
    ~Unfinished() {
        std::error_code ignored;
        if (!path_.empty()) fs::remove_all(path_, ignored);
    }
    Unfinished(const Unfinished&) = delete;
    Unfinished& operator=(const Unfinished&) = delete;
    void keep() { path_.clear(); }

private:
    fs::path path_;
};

Error system_error(const std::string& what, const std::error_code& code) {
    return {Errc::Unavailable, what + ": " + code.message()};
}

Result<std::uint32_t> checksum(const fs::path& file, const std::function<void(std::size_t)>& read) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return Error{Errc::NotFound, "cannot read " + file.string()};
    std::string block(std::size_t{1} << 20, '\0');
    std::uint32_t crc = 0;
    while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0) {
        const auto count = static_cast<std::size_t>(in.gcount());
        crc = journal::crc32c(crc, std::string_view(block).substr(0, count));
        read(count);
    }
    if (in.bad()) return Error{Errc::Unavailable, "cannot read " + file.string()};
    return crc;
}

Result<std::vector<BackupFile>> list_files(const fs::path& directory) {
    std::vector<BackupFile> files;
    std::error_code code;
    for (fs::recursive_directory_iterator entry(directory, code), end; !code && entry != end; entry.increment(code)) {
        if (!entry->is_regular_file()) continue;
        BackupFile file;
        file.path = fs::relative(entry->path(), directory).string();
        file.bytes = entry->file_size();
        TRY(file.crc32c, checksum(entry->path(), [](std::size_t) {}));
        files.push_back(std::move(file));
    }
    if (code) return system_error("list " + directory.string(), code);
    std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    return files;
}

Result<Unit> write_manifest(const BackupManifest& manifest, const fs::path& directory) {
    json files = json::array();
    for (const auto& file : manifest.files)
        files.push_back({{"path", file.path}, {"bytes", file.bytes}, {"crc32c", file.crc32c}});
    const json whole = {{"version", kVersion},
                        {"created_ms", to_millis(manifest.created)},
                        {"stoker", manifest.stoker},
                        {"files", std::move(files)}};
    return write_file_atomic(directory / kManifest, whole.dump(1) + "\n", Durability::PowerLoss);
}

// Paths stay below the backup's folder.
bool is_inside(const std::string& path) {
    const fs::path relative(path);
    return !path.empty() && relative.is_relative() &&
           std::none_of(relative.begin(), relative.end(), [](const fs::path& part) { return part == ".."; });
}

Result<BackupManifest> read_manifest(const fs::path& directory) {
    auto text = read_file(directory / kManifest, kMaxManifest);
    if (!text) {
        if (text.error().code != Errc::NotFound) return std::move(text).error();
        return Error{Errc::NotFound, directory.string() + " is no backup: it has no " + kManifest};
    }
    const auto bad = [&](const std::string& why) {
        return Error{Errc::Corruption, (directory / kManifest).string() + ": " + why};
    };
    const json whole = json::parse(*text, nullptr, false);
    if (!whole.is_object() || !whole.contains("version") || !whole["version"].is_number_integer() ||
        !whole.contains("files") || !whole["files"].is_array()) {
        return bad("not a manifest");
    }
    if (whole["version"] > kVersion) {
        return Error{Errc::Conflict, directory.string() + " was made by a newer Stoker (" +
                                         whole.value("stoker", "of unknown version") + "); restore it with that one"};
    }
    BackupManifest manifest;
    manifest.created = from_millis(whole.value("created_ms", std::int64_t{0}));
    manifest.stoker = whole.value("stoker", "");
    for (const json& file : whole["files"]) {
        if (!file.is_object()) return bad("not a manifest");
        BackupFile one{file.value("path", ""), file.value("bytes", std::uint64_t{0}),
                       file.value("crc32c", std::uint32_t{0})};
        if (!is_inside(one.path)) return bad("it names a file outside of the backup: " + one.path);
        manifest.files.push_back(std::move(one));
    }
    return manifest;
}

}  // namespace

std::uint64_t BackupManifest::bytes() const {
    std::uint64_t sum = 0;
    for (const auto& file : files) sum += file.bytes;
    return sum;
}

Result<BackupManifest> make_backup(Storage& storage, journal::Journal& events, const fs::path& directory,
                                   Timestamp now) {
    if (fs::exists(directory)) return Error{Errc::Conflict, directory.string() + " exists already"};
    TRY_UNIT(ensure_directory(directory));
    Unfinished made(directory);
    TRY_UNIT(storage.metrics->snapshot(directory / "tsdb"));
    TRY_UNIT(storage.records->copy_to(directory / "records"));
    TRY_UNIT(storage.journal->copy_to(directory / "journal"));
    TRY_UNIT(storage.state->copy_to(directory / "state.sqlite"));
    TRY_UNIT(events.copy_to(directory / "events"));
    BackupManifest manifest;
    manifest.created = now;
    manifest.stoker = STOKER_VERSION;
    TRY(manifest.files, list_files(directory));
    TRY_UNIT(write_manifest(manifest, directory));
    TRY_UNIT(sync_directory(directory));
    made.keep();
    return manifest;
}

Result<BackupManifest> verify_backup(const fs::path& directory, const BackupProgress& progress) {
    TRY(BackupManifest manifest, read_manifest(directory));
    const std::uint64_t all = manifest.bytes();
    std::uint64_t done = 0;
    for (const BackupFile& file : manifest.files) {
        const fs::path path = directory / file.path;
        std::uint64_t size = 0;
        TRY(const std::uint32_t crc, checksum(path, [&](std::size_t count) {
                size += count;
                done += count;
                progress(done, all);
            }));
        if (size != file.bytes || crc != file.crc32c) {
            return Error{Errc::Corruption, path.string() + " is not what was backed up: " + std::to_string(size) +
                                               " bytes, where the manifest says " + std::to_string(file.bytes) +
                                               (size == file.bytes ? " with another checksum" : "")};
        }
    }
    return manifest;
}

Result<BackupManifest> copy_backup(const fs::path& directory, const fs::path& target, const BackupProgress& progress) {
    if (fs::exists(target)) return Error{Errc::Conflict, target.string() + " exists already"};
    TRY(BackupManifest manifest, verify_backup(directory, progress));
    const fs::path whole = fs::absolute(target).lexically_normal();
    TRY_UNIT(ensure_directory(whole.parent_path()));
    const fs::path parts = whole.string() + ".part-" + random_hex(4);
    Unfinished made(parts);
    TRY_UNIT(ensure_directory(parts));
    for (const BackupFile& file : manifest.files) {
        TRY_UNIT(ensure_directory((parts / file.path).parent_path()));
        TRY_UNIT(copy_durably(directory / file.path, parts / file.path));
    }
    TRY_UNIT(copy_durably(directory / kManifest, parts / kManifest));
    std::error_code code;
    fs::rename(parts, whole, code);
    if (code) return system_error("rename " + parts.string() + " to " + whole.string(), code);
    made.keep();
    TRY_UNIT(sync_directory(whole.parent_path()));
    return manifest;
}

}  // namespace stoker::app
