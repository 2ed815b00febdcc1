#include "collect/gpu/xid_events.h"

#include <fmt/format.h>

#include <chrono>

#include "base/log.h"
#include "collect/gpu/nvml_library.h"

namespace stoker::collect {
namespace {

using namespace std::chrono_literals;

constexpr unsigned kWaitMs = 500;
constexpr auto kRetry = 30s;  // As NvmlReader.
constexpr auto kStopLimit = 1s;

std::string address_of(const nvml::Api& api, nvml::Device device) {
    nvml::PciInfo pci{};
    if (api.pci == nullptr || api.pci(device, &pci) != nvml::kSuccess) return "";
    return fmt::format("{:04x}:{:02x}:{:02x}.0", pci.domain, pci.bus, pci.device);
}

}  // namespace

XidEvents::XidEvents(std::string library, std::shared_ptr<XidBook> book) : shared_(std::make_shared<Shared>()) {
    shared_->library = std::move(library);
    shared_->book = std::move(book);
}

XidEvents::~XidEvents() {
    stop();
}

void XidEvents::start() {
    thread_ = std::thread([shared = shared_] { run(shared); });
}

void XidEvents::stop() {
    if (!thread_.joinable()) return;
    shared_->stopping = true;
    const auto end = std::chrono::steady_clock::now() + kStopLimit;
    while (!shared_->ended && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(5ms);
    if (shared_->ended) {
        thread_.join();
    } else {
        log::warn("the thread that waits for XIDs hangs in the driver and is left behind");
        thread_.detach();
    }
}

void XidEvents::run(const std::shared_ptr<Shared>& shared) {
    while (!shared->stopping) {
        follow(*shared);
        shared->waiting = false;
        const auto again = std::chrono::steady_clock::now() + kRetry;
        while (!shared->stopping && std::chrono::steady_clock::now() < again) std::this_thread::sleep_for(50ms);
    }
    shared->ended = true;
}

void XidEvents::follow(Shared& shared) {
    auto library = nvml::Library::open(shared.library);
    if (!library) return;  // NvmlReader says why.
    const nvml::Api& api = (*library)->api();
    if (api.event_create == nullptr || api.event_free == nullptr || api.event_register == nullptr ||
        api.event_wait == nullptr) {
        return;
    }
    nvml::EventSet set = nullptr;
    if (api.event_create(&set) != nvml::kSuccess) return;
    unsigned count = 0;
    unsigned registered = 0;
    if (api.count(&count) != nvml::kSuccess) count = 0;
    for (unsigned i = 0; i < count; ++i) {
        nvml::Device device = nullptr;
        if (api.handle(i, &device) != nvml::kSuccess) continue;
        if (api.event_register(device, nvml::kEventXid, set) == nvml::kSuccess) ++registered;
    }
    nvml::Return code = registered > 0 ? nvml::kSuccess : nvml::kNotSupported;
    shared.waiting = registered > 0;
    while (!shared.stopping && (code == nvml::kSuccess || code == nvml::kTimeout)) {
        nvml::EventData event{};
        code = api.event_wait(set, &event, kWaitMs);
        if (code != nvml::kSuccess || event.type != nvml::kEventXid) continue;
        shared.book->note(XidFrom::Event, address_of(api, event.device), static_cast<std::int64_t>(event.data), false,
                          now(), "");
    }
    api.event_free(set);
}

}  // namespace stoker::collect
