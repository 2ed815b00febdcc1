#include "collect/logs/file_follower.h"

#include <fnmatch.h>
#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/log.h"

namespace stoker::collect {
namespace {

constexpr std::size_t kEntriesPerBatch = 2000;
constexpr std::size_t kMostCopied = 200;
constexpr std::size_t kBytesPerRead = std::size_t{256} << 10;
constexpr std::int64_t kFileClock = 20'000'000;    // How far times of files lag behind the clock: a tick of the kernel.
constexpr std::chrono::seconds kWriterLetsGo{10};  // Who renames a file has its writer open a new one within this.

std::vector<std::string> matches(const std::string& pattern) {
    ::glob_t found{};
    std::vector<std::string> paths;
    if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0) {
        paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    }
    ::globfree(&found);
    std::sort(paths.begin(), paths.end());
    return paths;
}

bool excluded(const std::string& path, const FollowSpec& spec) {
    return std::any_of(spec.exclude.begin(), spec.exclude.end(),
                       [&path](const std::string& one) { return ::fnmatch(one.c_str(), path.c_str(), 0) == 0; });
}

}  // namespace

struct FileFollower::Followed {
    std::string path;
    const FollowSpec* spec = nullptr;
    std::unique_ptr<FileTail> tail;
    EntryBuilder builder;
    std::uint64_t safe = 0;  // Everything before it is in the sink.
    bool listed = true;      // Some pattern still finds it.
    SteadyTime unlisted{};   // Since when none does.
    SteadyTime grown{};      // When something was read last.
};

FileFollower::FileFollower(FollowerOptions options, LogSink& sink, metrics::Registry& registry)
    : options_(std::move(options)),
      sink_(sink),
      lines_cut_(
          registry.counter("stoker_logs_lines_cut_total", "Lines of log files that were longer than may be.").with()),
      truncations_(
          registry.counter("stoker_logs_truncations_total", "Log files that were emptied or written anew.").with()),
      errors_(registry.counter("stoker_logs_file_errors_total", "Log files that could not be opened or read.").with()),
      followed_(registry.gauge("stoker_logs_files", "Log files that are being followed.").with()),
      lag_(registry.gauge("stoker_logs_file_lag_bytes", "Bytes in followed log files that were not read yet.").with()) {
    load_positions();
}

FileFollower::~FileFollower() = default;

void FileFollower::load_positions() {
    if (options_.positions_file.empty()) return;
    const auto json = read_file(options_.positions_file);
    if (!json) {
        if (json.error().code != Errc::NotFound)
            log::warn("places in logs are lost", {{"error", json.error().message}});
        return;
    }
    auto positions = positions_from_json(*json);
    if (!positions) {
        log::warn("places in logs are lost", {{"error", positions.error().message}});
        return;
    }
    for (auto& position : *positions) {
        known_paths_.insert(position.path);
        known_.emplace(position.id, std::move(position));
    }
}

void FileFollower::save_positions() {
    if (options_.positions_file.empty()) return;
    std::vector<FilePosition> positions;
    for (const auto& [id, file] : files_) {
        positions.push_back({file->path, id, file->safe, file->tail->fingerprint()});
    }
    std::string json = to_json(positions);
    if (json == saved_) return;
    if (auto written = write_file_atomic(options_.positions_file, json); !written) {
        log::error("places in logs are not kept", {{"error", written.error().message}});
        return;
    }
    saved_ = std::move(json);
}

EntryOptions FileFollower::entry_options(const std::string& path, const FollowSpec& spec) const {
    EntryOptions out;
    out.format = spec.format;
    out.join = spec.join;
    out.stream = path;
    out.service = spec.service;
    out.resource = spec.attributes;
    const ContainerOfLog container = container_of_path(path);
    const auto add = [&out](const char* key, const std::string& value) {
        if (!value.empty()) out.resource.emplace_back(key, value);
    };
    add("k8s.namespace.name", container.name_space);
    add("k8s.pod.name", container.pod);
    add("k8s.container.name", container.container);
    add("container.id", container.id);
    if (out.service.empty()) out.service = container.container;
    if (out.service.empty()) out.service = container.id.substr(0, 12);
    if (out.service.empty()) out.service = std::filesystem::path(path).stem();
    return out;
}

void FileFollower::follow(const std::string& path, const FollowSpec& spec) {
    const auto id = file_id(path);
    if (!id) return;  // Gone again.
    if (const auto found = files_.find(*id); found != files_.end()) {
        found->second->path = path;
        found->second->listed = true;
        return;
    }
    if (files_.size() >= options_.max_files) {
        if (complained_.insert("max_files").second) {
            log::error("too many log files to follow", {{"most", options_.max_files}, {"left_out", path}});
        }
        errors_.add();
        return;
    }
    const auto known = known_.find(*id);
    std::uint64_t offset = known == known_.end() ? 0 : known->second.offset;
    const Fingerprint fingerprint = known == known_.end() ? Fingerprint{} : known->second.fingerprint;
    auto tail = FileTail::open(path, offset, fingerprint, options_.max_line);
    if (!tail) {
        errors_.add();
        if (complained_.size() < options_.max_files && complained_.insert(path).second) {
            log::warn("a log file can't be read", {{"error", tail.error().message}});
        }
        return;
    }
    // What was there before anybody asked for it is of the past; what appeared since is not.
    const bool past = first_scan_ && known == known_.end() && !known_paths_.contains(path) && !spec.from_beginning;
    if (past) (*tail)->rewind((*tail)->lag());
    auto file = std::make_unique<Followed>(
        Followed{path, &spec, *std::move(tail), EntryBuilder(entry_options(path, spec)), 0, true, {}, {}});
    file->safe = file->tail->line_begin();
    if (known != known_.end()) known_.erase(known);
    files_.emplace(*id, std::move(file));
}

// Files that were followed before the restart and renamed since: the rest of them is still to be read.
void FileFollower::follow_renamed() {
    std::set<std::string> folders;
    for (const auto& [id, position] : known_) folders.insert(std::filesystem::path(position.path).parent_path());
    for (const std::string& folder : folders) {
        std::error_code error;
        for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
            const std::string path = entry.path();
            const auto id = file_id(path);
            const auto known = id ? known_.find(*id) : known_.end();
            if (known == known_.end()) continue;
            const std::string before = known->second.path;
            const FollowSpec* spec = nullptr;
            for (const FollowSpec& one : options_.specs) {
                const bool fits =
                    std::any_of(one.paths.begin(), one.paths.end(), [&before](const std::string& pattern) {
                        return ::fnmatch(pattern.c_str(), before.c_str(), FNM_PATHNAME) == 0;
                    });
                if (fits) spec = &one;
            }
            if (spec == nullptr) continue;
            const FileId file = *id;
            follow(path, *spec);
            if (const auto followed = files_.find(file); followed != files_.end()) followed->second->path = before;
        }
    }
    known_.clear();
}

void FileFollower::follow_passed(const Followed& file) {
    const std::filesystem::path path(file.path);
    const std::string prefix = path.filename().string() + ".";
    std::vector<std::string> passed;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(path.parent_path(), error)) {
        const std::string name = entry.path().filename();
        const std::string kind = entry.path().extension();
        const bool packed = kind == ".gz" || kind == ".zst" || kind == ".xz" || kind == ".bz2";
        if (!name.starts_with(prefix) || packed) continue;
        struct ::stat info {};
        if (::stat(entry.path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
        const bool fresh = info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec >= scanned_at_ns_ - kFileClock;
        if (fresh && !files_.contains({info.st_dev, info.st_ino})) passed.push_back(entry.path());
    }
    const FollowSpec& spec = *file.spec;
    const std::string named = file.path;
    for (const std::string& one : passed) {
        follow(one, spec);
        const auto id = file_id(one);
        const auto found = id ? files_.find(*id) : files_.end();
        if (found == files_.end()) continue;
        // A copy of what was cut, or is about to be seen as cut, is no file that was missed.
        const Fingerprint print = found->second->tail->fingerprint();
        const bool of_followed = print.bytes > 0 && std::any_of(files_.begin(), files_.end(), [&](const auto& other) {
                                     return other.first != *id && other.second->tail->fingerprint() == print;
                                 });
        if (of_followed || std::find(copied_.begin(), copied_.end(), print) != copied_.end()) {
            files_.erase(found);
            continue;
        }
        found->second->path = named;
        found->second->listed = false;
    }
}

void FileFollower::scan(SteadyTime now) {
    std::vector<const Followed*> gone;
    for (const auto& [id, file] : files_) {
        if (file->listed && moved(*file)) gone.push_back(file.get());
    }
    for (const Followed* file : gone) follow_passed(*file);
    const std::int64_t began = now_nanos();
    std::set<FileId> before;
    for (const auto& [id, file] : files_) before.insert(id);
    for (auto& [id, file] : files_) file->listed = false;
    for (const FollowSpec& spec : options_.specs) {
        for (const std::string& pattern : spec.paths) {
            for (const std::string& path : matches(pattern)) {
                if (!excluded(path, spec)) follow(path, spec);
            }
        }
    }
    if (first_scan_) {
        follow_renamed();
    } else {
        // A file that is new may have taken the place of another that was as new.
        std::vector<const Followed*> fresh;
        for (const auto& [id, file] : files_) {
            if (file->listed && !before.contains(id)) fresh.push_back(file.get());
        }
        for (const Followed* file : fresh) follow_passed(*file);
    }
    first_scan_ = false;
    scanned_ = now;
    scanned_at_ns_ = began;
    for (auto& [id, file] : files_) {
        if (file->listed) {
            file->unlisted = {};
        } else if (file->unlisted == SteadyTime{}) {
            file->unlisted = now;
        }
    }
}

// Whether another file has its name now.
bool FileFollower::moved(const Followed& file) const {
    const auto id = file_id(file.path);
    return !id || *id != file.tail->id();
}

bool FileFollower::deliver(Followed& file, std::vector<LogEntry> entries) {
    if (!entries.empty()) {
        const std::int64_t observed = now_nanos();
        for (LogEntry& entry : entries) entry.observed_ns = observed;
        if (auto taken = sink_.append(std::move(entries)); !taken) {
            file.tail->rewind(file.safe);
            file.builder.reset();
            return false;
        }
    }
    file.safe = std::min(file.builder.pending().value_or(UINT64_MAX), file.tail->line_begin());
    return true;
}

std::size_t FileFollower::read(Followed& file, std::size_t budget, SteadyTime now, bool last, bool ended) {
    std::vector<LogEntry> entries;
    bool refused = false;
    std::size_t total = 0;
    const auto on_line = [&](std::string_view line, std::uint64_t begin) {
        file.builder.push(line, begin, now, entries);
    };
    while (total < budget && !refused) {
        const std::uint64_t before = file.tail->line_begin();
        auto got = file.tail->read(std::min(kBytesPerRead, budget - total), on_line);
        if (!got) {
            errors_.add();
            break;
        }
        // Written anew: what was under way before is whole now.
        if (file.tail->line_begin() < before) file.safe = std::min(file.safe, file.tail->line_begin());
        if (*got == 0) break;
        total += *got;
        file.grown = now;
        if (entries.size() >= kEntriesPerBatch || *got == kBytesPerRead) {
            refused = !deliver(file, std::exchange(entries, {}));
        }
    }
    if (!refused) {
        if (ended && total == 0) file.tail->finish(on_line);
        if (last || (ended && total == 0)) {
            file.builder.flush(entries);
        } else {
            file.builder.flush_idle(now, entries);
        }
        (void)deliver(file, std::move(entries));
    }
    const FileTail::Counts counts = file.tail->take_counts();
    lines_cut_.add(static_cast<double>(counts.cut_lines));
    truncations_.add(static_cast<double>(counts.truncations));
    if (counts.truncations > 0) {
        copied_.push_back(file.tail->before_truncation());
        if (copied_.size() > kMostCopied) copied_.pop_front();
    }
    return total;
}

void FileFollower::poll(SteadyTime now, bool last) {
    const bool renamed = std::any_of(files_.begin(), files_.end(),
                                     [this](const auto& one) { return one.second->listed && moved(*one.second); });
    if (first_scan_ || renamed || now - scanned_ >= options_.scan_interval) scan(now);
    // What nobody writes to any more comes first: its lines are the older ones.
    std::vector<Followed*> order;
    for (auto& [id, file] : files_) order.push_back(file.get());
    std::stable_partition(order.begin(), order.end(), [](const Followed* one) { return !one->listed; });
    std::size_t budget = options_.max_bytes_per_poll;
    double lag = 0;
    for (Followed* file : order) {
        const bool let_go = !file->listed && now - std::max(file->unlisted, file->grown) >= kWriterLetsGo;
        const std::size_t got = read(*file, budget, now, last, let_go);
        budget -= std::min(budget, got);
        lag += static_cast<double>(file->tail->lag());
        const bool done = let_go && got == 0 && file->safe >= file->tail->line_begin() && file->tail->lag() == 0;
        if (done) files_.erase(file->tail->id());
    }
    followed_.set(static_cast<double>(files_.size()));
    lag_.set(lag);
    save_positions();
}

}  // namespace stoker::collect
