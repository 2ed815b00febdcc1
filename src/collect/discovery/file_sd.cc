#include "collect/discovery/file_sd.h"

#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <set>

#include "base/file.h"
#include "base/log.h"
#include "collect/discovery/target_list.h"
#include "net/async.h"

namespace stoker::collect {
namespace {

namespace asio = boost::asio;

constexpr Duration kLook{2'000};  // How often changes are looked for: a few calls of stat().
constexpr std::size_t kMostFiles = 10'000;

std::set<std::string> paths_of(const std::vector<std::string>& patterns) {
    std::set<std::string> paths;
    for (const std::string& pattern : patterns) {
        glob_t found{};
        if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
            for (std::size_t i = 0; i < found.gl_pathc && paths.size() < kMostFiles; ++i) {
                paths.emplace(found.gl_pathv[i]);
            }
        }
        globfree(&found);
    }
    return paths;
}

std::string stamp_of(const std::string& path) {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) return {};
    return std::to_string(info.st_mtim.tv_sec) + "." + std::to_string(info.st_mtim.tv_nsec) + " " +
           std::to_string(info.st_size) + " " + std::to_string(info.st_ino);
}

Result<std::vector<TargetGroup>> read_groups(const std::string& path) {
    TRY(const auto text, read_file(path));
    TRY(auto groups, path.ends_with(".json") ? parse_target_list_json(text, path) : parse_target_list_yaml(text, path));
    for (TargetGroup& group : groups) group.labels.insert_or_assign("__meta_filepath", path);
    return groups;
}

class FileDiscoverer : public Discoverer, public std::enable_shared_from_this<FileDiscoverer> {
public:
    FileDiscoverer(FileSdConfig config, DiscoveryContext context)
        : context_(context),
          stopper_(context.loop),
          refresh_(config.refresh_interval),
          reader_(std::make_shared<FileReader>(std::move(config))) {}

    std::string_view kind() const override { return "file"; }
    const std::vector<TargetGroup>& groups() const override { return groups_; }
    SourceHealth health() const override { return health_; }
    bool asked() const override { return asked_; }

    void start(std::function<void()> changed) override {
        changed_ = std::move(changed);
        asio::co_spawn(context_.loop, run(shared_from_this()), asio::detached);
    }
    void stop() override {
        changed_ = nullptr;
        stopper_.stop();
    }

private:
    struct Look {
        std::vector<TargetGroup> groups;
        std::string error;
        bool all = false;
    };

    static asio::awaitable<void> run(std::shared_ptr<FileDiscoverer> self) {
        SteadyTime whole{};
        while (!self->stopper_.stopped()) {
            const bool all = std::chrono::steady_clock::now() >= whole;
            if (all) whole = std::chrono::steady_clock::now() + self->refresh_;
            std::function<Look()> look = [reader = self->reader_, all] {
                const auto read = reader->read(all);
                return Look{reader->groups(), read ? "" : read.error().message, all};
            };
            Look found = co_await net::run_on<Look>(self->context_.blocking, look);
            if (self->stopper_.stopped()) co_return;
            self->take(std::move(found));
            co_await self->stopper_.sleep_for(std::min(kLook, self->refresh_));
        }
    }

    void take(Look found) {
        // After a full look too, so that its time is told.
        const bool news = found.all || found.error != health_.error || !same(found.groups, groups_);
        asked_ = true;
        if (found.error.empty()) {
            health_.good_at = now();
        } else if (found.error != health_.error) {
            log::warn("a file with targets can't be used, its last targets stay", {{"error", found.error}});
        }
        health_.error = std::move(found.error);
        groups_ = std::move(found.groups);
        if (news && changed_) changed_();
    }

    static bool same(const std::vector<TargetGroup>& a, const std::vector<TargetGroup>& b) {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const TargetGroup& x, const TargetGroup& y) {
            return x.source == y.source && x.targets == y.targets && x.labels == y.labels;
        });
    }

    DiscoveryContext context_;
    Stopper stopper_;
    const Duration refresh_;
    const std::shared_ptr<FileReader> reader_;  // Used by one look at a time.
    std::function<void()> changed_;
    std::vector<TargetGroup> groups_;
    SourceHealth health_;
    bool asked_ = false;
};

}  // namespace

Result<Unit> FileReader::read(bool all) {
    const std::set<std::string> paths = paths_of(config_.files);
    std::erase_if(files_, [&paths](const auto& known) { return !paths.contains(known.first); });
    std::string errors;
    for (const std::string& path : paths) {
        Known& known = files_[path];
        std::string stamp = stamp_of(path);
        if (all || stamp != known.stamp) {
            auto groups = read_groups(path);
            known.error = groups ? "" : groups.error().message;
            if (groups) known.groups = *std::move(groups);
            known.stamp = std::move(stamp);
        }
        if (!known.error.empty()) errors += (errors.empty() ? "" : "; ") + known.error;
    }
    if (!errors.empty()) return Error{Errc::InvalidArgument, std::move(errors)};
    return Unit{};
}

std::vector<TargetGroup> FileReader::groups() const {
    std::vector<TargetGroup> all;
    for (const auto& [path, known] : files_) all.insert(all.end(), known.groups.begin(), known.groups.end());
    return all;
}

std::shared_ptr<Discoverer> file_discoverer(FileSdConfig config, DiscoveryContext context) {
    return std::make_shared<FileDiscoverer>(std::move(config), context);
}

}  // namespace stoker::collect
