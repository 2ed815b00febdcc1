#include "collect/host/mount_prober.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "collect/host/filesystem_source.h"
#include "collect/host/host_fixture.h"

namespace stoker::collect {
namespace {

// File systems of which some hang until they are let go.
class Disks {
public:
    void hang(const std::string& path) {
        std::lock_guard lock(mutex_);
        hanging_.insert(path);
    }
    void let_go() {
        std::lock_guard lock(mutex_);
        hanging_.clear();
        changed_.notify_all();
    }
    int asked(const std::string& path) {
        std::lock_guard lock(mutex_);
        return asked_[path];
    }
    int ask(const std::string& path, struct statvfs* info) {
        std::unique_lock lock(mutex_);
        ++asked_[path];
        changed_.wait(lock, [&] { return !hanging_.contains(path); });
        if (path.find("broken") != std::string::npos) return -1;
        info->f_frsize = 1024;
        info->f_blocks = 100;
        info->f_bfree = 40;
        info->f_bavail = 30;
        return 0;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::set<std::string> hanging_;
    std::map<std::string, int> asked_;
};

MountProber prober_of(std::shared_ptr<Disks> disks) {
    return MountProber([disks](const char* path, struct statvfs* info) { return disks->ask(path, info); },
                       Duration{50});
}

// '+' an answer, '-' none.
std::string probed(MountProber& prober, const std::vector<std::string>& paths) {
    std::string out;
    for (const auto& answer : prober.probe(paths)) out += answer ? '+' : '-';
    return out;
}

TEST(MountProber, OneThatHangsDoesNotHoldUpTheOthers) {
    auto disks = std::make_shared<Disks>();
    MountProber prober = prober_of(disks);
    EXPECT_EQ(probed(prober, {"/a", "/broken", "/c"}), "+-+");
    disks->hang("/b");
    disks->hang("/d");
    EXPECT_EQ(probed(prober, {"/a", "/b", "/c", "/d", "/e"}), "+-+-+");
    EXPECT_EQ(prober.stuck(), 2u);
    EXPECT_EQ(probed(prober, {"/a", "/b", "/c", "/d", "/e"}), "+-+-+");
    EXPECT_EQ(disks->asked("/b"), 1);  // Not asked again while its thread waits.
    disks->let_go();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (probed(prober, {"/b", "/d"}) != "++" && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    EXPECT_EQ(prober.stuck(), 0u);
}

TEST(MountProber, ThreadsLeftWaitingAreBounded) {
    auto disks = std::make_shared<Disks>();
    MountProber prober([disks](const char* path, struct statvfs* info) { return disks->ask(path, info); }, Duration{1});
    std::vector<std::string> paths;
    for (std::size_t i = 0; i < MountProber::kMostStuck + 5; ++i) {
        paths.push_back("/" + std::to_string(i));
        disks->hang(paths.back());
    }
    EXPECT_EQ(probed(prober, paths), std::string(paths.size(), '-'));
    EXPECT_EQ(prober.stuck(), MountProber::kMostStuck);
    EXPECT_EQ(disks->asked(paths.back()), 0);
    disks->let_go();
}

TEST(FilesystemSource, ADeadFileSystemIsSaidAndTheOthersAreMeasured) {
    testing::FakeMachine machine;
    machine.write("proc/1/mounts",
                  "/dev/vda / ext4 rw 0 0\nserver:/x /mnt/nfs nfs4 ro 0 0\nproc /proc proc rw 0 0\n"
                  "tmpfs /run tmpfs ro 0 0\nsys /sys/x sysfs rw 0 0\n");
    HostOptions options = machine.options();
    options.rootfs = "/";
    auto disks = std::make_shared<Disks>();
    disks->hang("/mnt/nfs");
    auto source = filesystem_source(options, prober_of(disks));
    testing::RememberingSink sink;
    ASSERT_TRUE(source->collect(from_millis(1000), sink).has_value());
    const std::string root = R"({device="/dev/vda",fstype="ext4",instance="box",mountpoint="/"})";
    const std::string nfs = R"({device="server:/x",fstype="nfs4",instance="box",mountpoint="/mnt/nfs"})";
    const std::string run = R"({device="tmpfs",fstype="tmpfs",instance="box",mountpoint="/run"})";
    EXPECT_EQ(sink.newest("node_filesystem_size_bytes" + root), "102400");
    EXPECT_EQ(sink.newest("node_filesystem_free_bytes" + root), "40960");
    EXPECT_EQ(sink.newest("node_filesystem_avail_bytes" + root), "30720");
    EXPECT_EQ(sink.newest("node_filesystem_device_error" + root), "0");
    EXPECT_EQ(sink.newest("node_filesystem_device_error" + nfs), "1");
    EXPECT_EQ(sink.newest("node_filesystem_size_bytes" + nfs), "absent");
    EXPECT_EQ(sink.newest("node_filesystem_readonly" + run), "1");
    EXPECT_EQ(sink.dump().find("mountpoint=\"/proc\""), std::string::npos);
    EXPECT_EQ(sink.dump().find("mountpoint=\"/sys/x\""), std::string::npos);
    disks->let_go();
}

TEST(FilesystemSource, InsideAContainerPathsAreTheMachines) {
    testing::FakeMachine machine;
    machine.write("proc/1/mounts", "/dev/vda " + (machine.root() / "root").string() + " ext4 rw 0 0\n/dev/vdb " +
                                       (machine.root() / "root/data").string() + " xfs rw 0 0\n");
    auto disks = std::make_shared<Disks>();
    auto source = filesystem_source(machine.options(), prober_of(disks));
    testing::RememberingSink sink;
    ASSERT_TRUE(source->collect(from_millis(1000), sink).has_value());
    EXPECT_EQ(disks->asked((machine.root() / "root/data").string()), 1);
    EXPECT_EQ(
        sink.newest(R"(node_filesystem_size_bytes{device="/dev/vdb",fstype="xfs",instance="box",mountpoint="/data"})"),
        "102400");
    EXPECT_NE(
        sink.newest(R"(node_filesystem_size_bytes{device="/dev/vda",fstype="ext4",instance="box",mountpoint="/"})"),
        "absent");
}

}  // namespace
}  // namespace stoker::collect
