#include "fleet.h"

#include <algorithm>
#include <cmath>

namespace stoker::bench {

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

class Machine {
public:
    Machine(std::vector<FleetSeries>& out, std::uint32_t number)
        : out_(out),
          number_(number),
          instance_("10.1." + std::to_string(number / 250) + '.' + std::to_string(number % 250)) {}

    void node() {
        const std::string port = ":9100";
        for (int cpu = 0; cpu < 24; ++cpu) {
            for (const char* mode : {"idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user"}) {
                const bool busy = mode[0] == 'i' || mode[0] == 's' || mode[0] == 'u';
                add("node_cpu_seconds_total", port, busy ? Kind::Seconds : Kind::Constant,
                    {{"cpu", std::to_string(cpu)}, {"mode", mode}});
            }
        }
        for (const char* field : {"MemTotal", "MemFree", "MemAvailable", "Buffers", "Cached", "Active", "Inactive",
                                  "Dirty", "Slab", "SwapTotal", "SwapFree", "HugePages_Total"}) {
            const std::string name = field;
            const bool fixed = name.ends_with("Total") || name.starts_with("Swap") || name.starts_with("Huge");
            add("node_memory_" + name + "_bytes", port, fixed ? Kind::Constant : Kind::Bytes, {});
        }
        for (int disk = 0; disk < 8; ++disk) {
            for (const char* what : {"reads_completed_total", "writes_completed_total", "read_bytes_total",
                                     "written_bytes_total", "io_now", "io_time_seconds_total"}) {
                const Kind kind = std::string(what) == "io_now"                  ? Kind::Constant
                                  : std::string(what).ends_with("seconds_total") ? Kind::Seconds
                                                                                 : Kind::Counter;
                add("node_disk_" + std::string(what), port, kind, {{"device", "nvme" + std::to_string(disk) + "n1"}});
            }
        }
        for (int mount = 0; mount < 12; ++mount) {
            for (const char* what : {"size_bytes", "avail_bytes", "files", "files_free", "readonly"}) {
                const std::string name = what;
                add("node_filesystem_" + name, port, name == "avail_bytes" ? Kind::Bytes : Kind::Constant,
                    {{"device", "/dev/dm-" + std::to_string(mount)},
                     {"fstype", "ext4"},
                     {"mountpoint", "/data/" + std::to_string(mount)}});
            }
        }
        for (int nic = 0; nic < 10; ++nic) {
            for (const char* direction : {"receive", "transmit"}) {
                for (const char* what : {"bytes_total", "packets_total", "errs_total", "drop_total"}) {
                    const bool still = what[0] == 'e' || what[0] == 'd';
                    add(std::string("node_network_") + direction + '_' + what, port,
                        still ? Kind::Constant : Kind::Counter, {{"device", "eth" + std::to_string(nic)}});
                }
            }
        }
        for (int load : {1, 5, 15}) add("node_load" + std::to_string(load), port, Kind::Noisy, {});
        fill("node_netstat_Tcp_", port, 500);
    }

    void gpus() {
        const std::string port = ":9400";
        for (int gpu = 0; gpu < 8; ++gpu) {
            const Pairs labels = {{"gpu", std::to_string(gpu)},
                                  {"UUID", "GPU-" + instance_ + '-' + std::to_string(gpu)},
                                  {"modelName", "H200"}};
            for (const char* name : {"DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_MEM_COPY_UTIL", "DCGM_FI_DEV_POWER_USAGE",
                                     "DCGM_FI_PROF_SM_ACTIVE", "DCGM_FI_PROF_DRAM_ACTIVE"}) {
                add(name, port, Kind::Noisy, labels);
            }
            for (const char* name :
                 {"DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_MEMORY_TEMP", "DCGM_FI_DEV_SM_CLOCK", "DCGM_FI_DEV_MEM_CLOCK"}) {
                add(name, port, Kind::Slow, labels);
            }
            for (const char* name : {"DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE"}) add(name, port, Kind::Slow, labels);
            for (const char* name : {"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "DCGM_FI_DEV_PCIE_REPLAY_COUNTER",
                                     "DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL"}) {
                add(name, port, name[12] == 'P' ? Kind::Constant : Kind::Counter, labels);
            }
            for (int field = 0; field < 11; ++field)
                add("DCGM_FI_DEV_XID_" + std::to_string(field), port, Kind::Constant, labels);
        }
        fill("DCGM_FI_DEV_FIELD_", port, 700);
    }

    void engines() {
        const std::string port = ":8000";
        for (const char* model : {"llama-70b", "qwen-32b"}) {
            for (const char* name :
                 {"vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:gpu_cache_usage_perc"}) {
                add(name, port, Kind::Noisy, {{"model_name", model}});
            }
            for (const char* name :
                 {"vllm:prompt_tokens_total", "vllm:generation_tokens_total", "vllm:request_success_total"}) {
                add(name, port, Kind::Counter, {{"model_name", model}});
            }
            for (const char* family : {"vllm:time_to_first_token_seconds", "vllm:time_per_output_token_seconds",
                                       "vllm:e2e_request_latency_seconds", "vllm:request_prompt_tokens",
                                       "vllm:request_generation_tokens", "vllm:request_queue_time_seconds"}) {
                for (int bucket = 0; bucket < 21; ++bucket) {
                    const std::string le = bucket == 20 ? "+Inf" : std::to_string(0.001 * std::pow(2, bucket));
                    add(std::string(family) + "_bucket", port, Kind::Bucket, {{"model_name", model}, {"le", le}},
                        0.2 + 0.04 * bucket);
                }
                add(std::string(family) + "_sum", port, Kind::Seconds, {{"model_name", model}});
                add(std::string(family) + "_count", port, Kind::Bucket, {{"model_name", model}});
            }
        }
        fill("vllm:cache_config_", port, 1000);
    }

private:
    void add(std::string name, const std::string& port, Kind kind, Pairs labels, double scale = 0) {
        labels.emplace_back("__name__", std::move(name));
        labels.emplace_back("instance", instance_ + port);
        labels.emplace_back("job", port == ":9100" ? "node" : port == ":9400" ? "dcgm" : "vllm");
        labels.emplace_back("cluster", "eu-" + std::to_string(number_ % 4));
        labels.emplace_back("pod", "");
        std::sort(labels.begin(), labels.end());
        out_.push_back(
            {std::move(labels), kind, number_, scale != 0 ? scale : 1 + static_cast<double>(out_.size() % 97)});
    }
    // More of the same, mostly still, until the machine has `total`.
    void fill(const std::string& prefix, const std::string& port, std::size_t total) {
        for (std::size_t i = 0; out_.size() % 1000 != total % 1000; ++i) {
            add(prefix + std::to_string(i), port,
                i % 5 == 0   ? Kind::Counter
                : i % 5 == 1 ? Kind::Slow
                             : Kind::Constant,
                {});
        }
    }

    std::vector<FleetSeries>& out_;
    std::uint32_t number_;
    std::string instance_;
};

}  // namespace

std::vector<FleetSeries> make_fleet(std::size_t count, std::uint32_t first_machine) {
    std::vector<FleetSeries> fleet;
    fleet.reserve(count + 1000);
    for (std::uint32_t number = first_machine; fleet.size() < count; ++number) {
        Machine machine(fleet, number);
        machine.node();
        machine.gpus();
        machine.engines();
    }
    fleet.resize(count);
    return fleet;
}

Pairs labels_of(const FleetSeries& series, std::uint32_t generation) {
    Pairs labels = series.labels;
    for (auto& [name, value] : labels) {
        if (name == "pod") value = "worker-" + std::to_string(series.machine) + '-' + std::to_string(generation);
    }
    return labels;
}

Walk::Walk(const FleetSeries& series, std::uint64_t seed)
    : kind_(series.kind), scale_(series.scale), state_(seed * 0x9e3779b97f4a7c15ULL + 1) {
    switch (kind_) {
        case Kind::Constant:
            value_ = std::floor(scale_) * (seed % 3);
            break;
        case Kind::Slow:
            value_ = 40 + std::floor(scale_);
            break;
        case Kind::Bytes:
            value_ = 1e9 * scale_;
            break;
        default:
            value_ = std::floor(uniform() * 1e6);
    }
}

double Walk::next() {
    switch (kind_) {
        case Kind::Constant:
            break;
        case Kind::Counter:
            value_ += std::floor(uniform() * 100 * scale_);
            break;
        case Kind::Seconds:  // Hundredths, as the kernel counts.
            value_ = std::round((value_ + uniform() * 15) * 100) / 100;
            break;
        case Kind::Slow:
            if (random() % 8 == 0) value_ += random() % 2 == 0 ? 1 : -1;
            break;
        case Kind::Noisy:
            value_ = std::round(uniform() * scale_ * 1000) / 1000;
            break;
        case Kind::Bytes:
            value_ = std::max(0.0, value_ + 4096 * (static_cast<double>(random() % 8192) - 4096));
            break;
        case Kind::Bucket:
            value_ += std::floor(uniform() * 20 * std::min(scale_, 1.0));
            break;
    }
    return value_;
}

std::uint64_t Walk::random() {  // splitmix64
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

}  // namespace stoker::bench
