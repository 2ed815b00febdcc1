// The management library, loaded while we run: a machine without NVIDIA's driver lacks nothing but the GPUs.
//
// A Library stays loaded until the last shared_ptr to it goes, so that a thread that hangs inside the driver never
// returns into code that is gone. Opening is not thread-safe; the functions are, as NVIDIA says of them.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "collect/gpu/nvml_api.h"

namespace stoker::collect::nvml {

// What dlopen is asked for where no path is given; comes with the driver, containers get it from NVIDIA's toolkit.
inline constexpr const char* kDefaultLibrary = "libnvidia-ml.so.1";

class Library {
public:
    // Loads and initialises. `path` empty: kDefaultLibrary. Errors: NotFound (there is no such library: no driver),
    // Unavailable (it is there and does not work: no driver loaded, versions that do not fit), naming why.
    static Result<std::shared_ptr<const Library>> open(const std::string& path);
    ~Library();
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    const Api& api() const { return api_; }
    // "GPU is lost (15)".
    std::string describe(Return code) const;

private:
    Library() = default;
    void load();

    void* handle_ = nullptr;
    Api api_{};
    bool initialized_ = false;
};

}  // namespace stoker::collect::nvml
