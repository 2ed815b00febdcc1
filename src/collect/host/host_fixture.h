// What tests of this machine's collectors share: parsers' results as a map, and a small machine in a folder.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

#include "collect/host/host_context.h"
#include "collect/testing.h"

namespace stoker::collect::testing {

using Values = std::map<std::string, std::string>;

inline Values values_of(const SamplePage& page) {
    return values({page.samples().begin(), page.samples().end()});
}

template <typename Parse>
Values parsed(Parse parse, std::string_view text) {
    SamplePage page;
    page.begin(from_millis(1000));
    parse(text, page);
    return values_of(page);
}

// /proc, /sys and / of a machine, written by the test, removed at its end.
class FakeMachine {
public:
    FakeMachine() {
        std::string pattern = (std::filesystem::temp_directory_path() / "stoker-machine-XXXXXX").string();
        root_ = ::mkdtemp(pattern.data());
    }
    ~FakeMachine() {
        std::error_code none;
        std::filesystem::remove_all(root_, none);
    }
    FakeMachine(const FakeMachine&) = delete;
    FakeMachine& operator=(const FakeMachine&) = delete;

    void write(const std::string& path, std::string_view text) {
        std::filesystem::create_directories((root_ / path).parent_path());
        std::ofstream(root_ / path, std::ios::binary) << text;
    }
    void link(const std::string& path, const std::string& target) {
        std::filesystem::create_directories((root_ / path).parent_path());
        std::filesystem::create_directory_symlink(root_ / target, root_ / path);
    }
    HostOptions options() const {
        HostOptions options;
        options.procfs = root_ / "proc";
        options.sysfs = root_ / "sys";
        options.rootfs = root_ / "root";
        options.instance = "box";
        return options;
    }
    // What one collector gives.
    Values read(CollectFn collect) const {
        HostContext host(options(), {});
        host.page.begin(from_millis(5000));
        host.now = from_millis(5000);
        const auto got = collect(host);
        Values all = values_of(host.page);
        if (!got) all["error"] = std::string(to_string(got.error().code));
        return all;
    }
    const std::filesystem::path& root() const { return root_; }

private:
    std::filesystem::path root_;
};

}  // namespace stoker::collect::testing
