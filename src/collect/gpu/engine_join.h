// Which engine a process on a GPU works for: the one that listens on an engine's port, or an ancestor of it does.
//
// Engines start workers (vLLM's core, Ollama's runner) that hold the GPU while their parent listens. Reads /proc; what
// belongs to others or to another pid namespace can't be looked at, and then has no name. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "collect/gpu/gpu_reading.h"

namespace stoker::collect {

// An engine that answers on this machine.
struct EngineEndpoint {
    std::uint16_t port = 0;
    std::string instance;  // Its label: HOST:PORT.
    std::string replica;   // Empty: not one of the gateway's.
};

// Inodes of the sockets that listen, by port: /proc/net/tcp and tcp6. Takes any bytes.
std::multimap<std::uint16_t, std::uint64_t> parse_listening(std::string_view text);

// The parent's pid in /proc/PID/stat, 0 if that can't be understood. Takes any bytes.
std::int64_t parse_parent(std::string_view stat);

class EngineJoin {
public:
    // `endpoints` is asked at every join; thread-safe. `proc` is "/proc" but in tests.
    EngineJoin(std::function<std::vector<EngineEndpoint>()> endpoints, std::filesystem::path proc = "/proc")
        : endpoints_(std::move(endpoints)), proc_(std::move(proc)) {}

    // Fills in name, engine and replica of each process.
    void join(std::vector<GpuReading>& gpus);

private:
    struct Known {
        std::string name;
        std::vector<std::uint16_t> ports;  // That it or an ancestor listens on; its own first.
        SteadyTime until{};
    };

    const Known& look_at(std::int64_t pid, const std::set<std::uint16_t>& ports);
    std::vector<std::uint16_t> listens_on(std::int64_t pid, const std::set<std::uint16_t>& ports) const;

    // A process may begin to listen long after it took its GPU: a model takes minutes to load.
    static constexpr std::chrono::seconds kLookAgain{10};
    static constexpr int kMostAncestors = 16;
    static constexpr int kMostDescriptors = 20'000;

    const std::function<std::vector<EngineEndpoint>()> endpoints_;
    const std::filesystem::path proc_;
    std::map<std::int64_t, Known> known_;  // By pid.
    std::set<std::uint16_t> ports_;        // That were looked for.
};

}  // namespace stoker::collect
