// Waits for XIDs that the driver tells of, on a thread of its own: NVML gives them only to who waits.
//
// A wait lasts at most kWait, so that stop() is quick; a thread that hangs in the driver is left behind and touches
// only what it owns. start() and stop() from one thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "collect/gpu/xid_book.h"

namespace stoker::collect {

class XidEvents {
public:
    // `library` as NvmlReader takes it.
    XidEvents(std::string library, std::shared_ptr<XidBook> book);
    ~XidEvents();  // stop()
    XidEvents(const XidEvents&) = delete;
    XidEvents& operator=(const XidEvents&) = delete;

    void start();
    // Ends the thread, or leaves it behind where it hangs for longer than a second.
    void stop();

    // Whether events are being waited for: a driver is there and takes registrations.
    bool waiting() const { return shared_->waiting; }

private:
    struct Shared {
        std::string library;
        std::shared_ptr<XidBook> book;
        std::atomic<bool> stopping{false};
        std::atomic<bool> waiting{false};
        std::atomic<bool> ended{false};
    };
    static void run(const std::shared_ptr<Shared>& shared);
    // Until the driver fails or we are to stop.
    static void follow(Shared& shared);

    const std::shared_ptr<Shared> shared_;
    std::thread thread_;
};

}  // namespace stoker::collect
