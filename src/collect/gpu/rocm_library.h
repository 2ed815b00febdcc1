// ROCm SMI, loaded while we run: a machine without AMD's driver lacks nothing but the GPUs.
//
// A Library stays loaded until the last shared_ptr to it goes, so that a thread that hangs inside it never returns into
// code that is gone. Opening is not thread-safe. The library takes a lock that all processes of the machine share: one
// that dies with it makes the calls of the others wait, which hangs the thread that reads and nothing else.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "collect/gpu/rocm_api.h"

namespace stoker::collect::rocm {

class Library {
public:
    // Loads and initialises. `path` empty: librocm_smi64.so, wherever the system or /opt/rocm has it. Errors: NotFound
    // (no driver, or there is no such library), Unavailable (it is there and does not work), naming why.
    static Result<std::shared_ptr<const Library>> open(const std::string& path);
    ~Library();
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    const Api& api() const { return api_; }
    // "RSMI_STATUS_BUSY: ... (16)".
    std::string describe(Status status) const;

private:
    Library() = default;
    void load();

    void* handle_ = nullptr;
    Api api_{};
    bool initialized_ = false;
};

}  // namespace stoker::collect::rocm
