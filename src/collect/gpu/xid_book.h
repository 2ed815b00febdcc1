// The XIDs of this machine's GPUs, counted by GPU and code, from both places that tell of them.
//
// The driver's events and the kernel's log tell of the same errors, though either may miss some (a driver that is
// gone, a log that may not be read). Each is counted by itself from our start on, and the larger count is the truth.
// Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/sync.h"
#include "base/time.h"

namespace stoker::collect {

enum class XidFrom : std::uint8_t {
    Event,      // NVML's event set.
    KernelLog,  // Written while we were reading, or
    History,    // before we began: known, not counted.
};

struct XidCount {
    std::string pci;
    std::int64_t code = 0;
    bool nvswitch = false;
    std::int64_t count = 0;
    Timestamp last{};
    std::string detail;  // The kernel's words the last time; empty if only the driver told.
};

class XidBook {
public:
    void note(XidFrom from, std::string_view pci, std::int64_t code, bool nvswitch, Timestamp at,
              std::string_view detail);

    // In order of PCI address and code.
    std::vector<XidCount> counts() const;

    // Those not taken because kMost different ones were known already.
    std::int64_t dropped() const;

private:
    static constexpr std::size_t kMost = 2'000;
    static constexpr std::size_t kLongestDetail = 500;

    struct Entry {
        std::int64_t events = 0;
        std::int64_t logged = 0;
        Timestamp last{};
        std::string detail;
    };
    struct Key {
        std::string pci;
        bool nvswitch;
        std::int64_t code;
        friend auto operator<=>(const Key&, const Key&) = default;
    };

    mutable Mutex mutex_;
    std::map<Key, Entry> entries_ GUARDED_BY(mutex_);
    std::int64_t dropped_ GUARDED_BY(mutex_) = 0;
};

}  // namespace stoker::collect
