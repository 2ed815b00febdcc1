#include "collect/host/filesystem_source.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/log.h"
#include "base/text.h"
#include "collect/host/collector_source.h"
#include "collect/host/host_parsers.h"

namespace stoker::collect {
namespace {

using enum MetricType;

constexpr MetricFamily kError{"node_filesystem_device_error", Gauge, "1 if a file system could not be asked."};
constexpr MetricFamily kReadOnly{"node_filesystem_readonly", Gauge, "1 if a file system is read-only."};
constexpr MetricFamily kSize{"node_filesystem_size_bytes", Gauge, "Size of a file system."};
constexpr MetricFamily kFree{"node_filesystem_free_bytes", Gauge, "Free bytes of a file system."};
constexpr MetricFamily kAvailable{"node_filesystem_avail_bytes", Gauge, "Bytes that users other than root may take."};
constexpr MetricFamily kFiles{"node_filesystem_files", Gauge, "File nodes of a file system."};
constexpr MetricFamily kFilesFree{"node_filesystem_files_free", Gauge, "Free file nodes of a file system."};

// Octal escapes of /proc/mounts: "\040" is a space.
std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::string_view digits = text.substr(std::min(i + 1, text.size()), 3);
        const bool escape = text[i] == '\\' && digits.size() == 3 && digits[0] <= '3' &&
                            digits.find_first_not_of("01234567") == std::string_view::npos;
        out += escape ? static_cast<char>((digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0')) : text[i];
        if (escape) i += 3;
    }
    return out;
}

void add(const Mount& mount, const std::optional<struct statvfs>& info, SamplePage& out) {
    const SamplePage::Label labels[] = {
        {"device", mount.device}, {"mountpoint", mount.mountpoint}, {"fstype", mount.fstype}};
    out.add(kError, labels, info ? 0 : 1);
    if (!info) return;
    const auto block = static_cast<double>(info->f_frsize);
    out.add(kReadOnly, labels, mount.read_only ? 1 : 0);
    out.add(kSize, labels, static_cast<double>(info->f_blocks) * block);
    out.add(kFree, labels, static_cast<double>(info->f_bfree) * block);
    out.add(kAvailable, labels, static_cast<double>(info->f_bavail) * block);
    out.add(kFiles, labels, static_cast<double>(info->f_files));
    out.add(kFilesFree, labels, static_cast<double>(info->f_ffree));
}

class FilesystemSource : public Source {
public:
    FilesystemSource(const HostOptions& options, MountProber prober)
        : host_(options, node_labels(options)), prober_(std::move(prober)) {}

    std::string_view name() const override { return "filesystem"; }
    std::size_t memory_bytes() const override { return host_.page.memory_bytes() + host_.files.memory_bytes(); }

    Result<Unit> collect(Timestamp now, SampleSink& sink) override {
        host_.page.begin(now);
        const Result<Unit> got = run_collector("filesystem", host_, [this] { return read(); });
        host_.page.finish(sink);
        return got;
    }

private:
    Result<Unit> read() {
        // Those of process 1 are the machine's; a container may not see them.
        auto text = host_.files.read(host_.proc("1/mounts"));
        if (!text) text = host_.files.read(host_.proc("mounts"));
        if (!text) return std::move(text).error();
        std::vector<Mount> mounts;
        std::vector<std::string> paths;
        for (Mount& mount : parse_mounts(*text)) {
            strip_root(mount.mountpoint);
            if (host_.mounts.matches(mount.mountpoint) || host_.filesystems.matches(mount.fstype)) continue;
            std::string path = host_.root(mount.mountpoint);
            // Mounted over by another: the path leads to the newest only, so both are what it says.
            if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(std::move(path));
            mounts.push_back(std::move(mount));
        }
        const auto answers = prober_.probe(paths);
        for (const Mount& mount : mounts) {
            const auto at = std::find(paths.begin(), paths.end(), host_.root(mount.mountpoint)) - paths.begin();
            add(mount, answers[static_cast<std::size_t>(at)], host_.page);
        }
        const std::size_t stuck = prober_.stuck();
        if (stuck > said_) log::warn("a file system hangs and is left alone", {{"hanging", stuck}});
        said_ = stuck;
        return Unit{};
    }

    // Seen from inside a container, the machine's mount points stand below `rootfs`.
    void strip_root(std::string& mountpoint) const {
        const std::string& root = host_.options.rootfs;
        if (root == "/" || !mountpoint.starts_with(root)) return;
        if (mountpoint.size() == root.size()) {
            mountpoint = "/";
        } else if (mountpoint[root.size()] == '/') {
            mountpoint.erase(0, root.size());
        }
    }

    HostContext host_;
    MountProber prober_;
    std::size_t said_ = 0;  // Hanging mount points that the log knows of.
};

}  // namespace

std::vector<Mount> parse_mounts(std::string_view text) {
    std::vector<Mount> mounts;
    std::set<std::tuple<std::string, std::string, std::string>> seen;
    each_line(text, [&](std::string_view line) {
        const auto fields = words(line);
        if (fields.size() < 4) return;
        Mount mount{unescaped(fields[0]), unescaped(fields[1]), std::string(fields[2])};
        if (!seen.insert({mount.device, mount.mountpoint, mount.fstype}).second) return;
        const auto options = split(fields[3], ',');
        mount.read_only = std::find(options.begin(), options.end(), "ro") != options.end();
        mounts.push_back(std::move(mount));
    });
    return mounts;
}

std::shared_ptr<Source> filesystem_source(const HostOptions& options, MountProber prober) {
    return std::make_shared<FilesystemSource>(options, std::move(prober));
}

}  // namespace stoker::collect
