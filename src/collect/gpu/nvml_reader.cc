#include "collect/gpu/nvml_reader.h"

#include <fmt/format.h>

#include <array>

namespace stoker::collect::nvml {
namespace {

// nvmlDeviceArchitecture_t.
constexpr std::array<const char*, 11> kGenerations = {"",       "",       "kepler", "maxwell", "pascal",   "volta",
                                                      "turing", "ampere", "ada",    "hopper",  "blackwell"};

}  // namespace

Result<std::vector<GpuReading>> NvmlReader::read() {
    if (!library_) {
        const auto now = std::chrono::steady_clock::now();
        if (now < retry_at_) return last_error_;
        auto opened = open();
        if (!opened) {
            library_.reset();
            devices_.clear();
            last_error_ = opened.error();
            retry_at_ = now + kRetry;
            return last_error_;
        }
    }
    std::vector<GpuReading> readings;
    readings.reserve(devices_.size());
    for (auto& device : devices_) readings.push_back(device->read());
    return readings;
}

std::vector<std::pair<Device, GpuIdentity>> NvmlReader::devices() const {
    std::vector<std::pair<Device, GpuIdentity>> all;
    for (const auto& device : devices_) all.emplace_back(device->handle(), device->id());
    return all;
}

Result<Unit> NvmlReader::open() {
    TRY(library_, Library::open(path_));
    const Api& api = library_->api();
    unsigned count = 0;
    const Return counted = api.count(&count);
    if (counted != kSuccess) {
        return Error{Errc::Unavailable, "nvmlDeviceGetCount: " + library_->describe(counted)};
    }
    devices_.clear();
    for (unsigned i = 0; i < count; ++i) {
        Device device = nullptr;
        const Return code = api.handle(i, &device);
        if (code != kSuccess) {
            // One that was lost before we began has no handle, and so no name. The others are read all the same.
            continue;
        }
        devices_.push_back(std::make_unique<NvmlDevice>(*library_, device, identify(i, device)));
    }
    if (devices_.empty()) return Error{Errc::NotFound, "the driver is loaded and knows no GPU"};
    return Unit{};
}

GpuIdentity NvmlReader::identify(unsigned index, Device device) const {
    const Api& api = library_->api();
    const auto text = [&](Return (*function)(Device, char*, unsigned)) -> std::string {
        char buffer[96] = {};
        if (function == nullptr || function(device, buffer, sizeof buffer - 1) != kSuccess) return "";
        return buffer;
    };
    GpuIdentity id;
    id.index = index;
    id.uuid = text(api.uuid);
    id.name = text(api.name);
    id.serial = text(api.serial);
    id.vbios = text(api.vbios);
    PciInfo pci{};
    if (api.pci != nullptr && api.pci(device, &pci) == kSuccess) {
        id.pci = fmt::format("{:04x}:{:02x}:{:02x}.0", pci.domain, pci.bus, pci.device);
    }
    unsigned generation = 0;
    if (api.architecture != nullptr && api.architecture(device, &generation) == kSuccess &&
        generation < kGenerations.size()) {
        id.generation = kGenerations[generation];
    }
    char driver[96] = {};
    if (api.driver_version != nullptr && api.driver_version(driver, sizeof driver - 1) == kSuccess) id.driver = driver;
    int cuda = 0;
    if (api.cuda_version != nullptr && api.cuda_version(&cuda) == kSuccess) {
        id.cuda = fmt::format("{}.{}", cuda / 1000, cuda % 1000 / 10);
    }
    return id;
}

}  // namespace stoker::collect::nvml
