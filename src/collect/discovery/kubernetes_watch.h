// How to follow one resource of an API server: list it page by page, watch from there, and what to do when that fails.
//
//   List --all pages--> Watch --ended--> Watch from the last version --410 Gone--> List ...
//
// Failures wait longer each time, up to half a minute, and keep the objects. Sans-I/O: it says what to ask next and is
// told what came. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "collect/discovery/kubernetes_objects.h"

namespace stoker::collect {

class KubernetesWatch {
public:
    struct Selector {
        std::string label;
        std::string field;
    };
    explicit KubernetesWatch(Selector selector) : selector_(std::move(selector)) {}

    enum class Ask : std::uint8_t { List, Watch };
    struct Next {
        Ask ask = Ask::List;
        std::string query;  // With its '?'.
        Duration wait{0};   // Before that.
    };
    Next next() const;

    // A page of the list came; true if it was the last one, so that objects() has changed. Errors: InvalidArgument (not
    // a list), ResourceExhausted (too many objects); the same as failed().
    Result<bool> listed(std::string_view body);

    // A line of the watch came; true if objects() has changed. Errors: Unavailable (the server ended it: ask next()),
    // InvalidArgument (not an event).
    Result<bool> event(std::string_view line);

    // The watch ended without an error after `lasted`, as they all do some time.
    void ended(Duration lasted);

    // The server answered something else than 200, or nobody did (0).
    void failed(int status);

    // Those of the last complete list, with what happened since.
    const KubernetesObjects& objects() const { return objects_; }
    bool complete() const { return complete_; }
    const std::string& version() const { return version_; }

    // So many objects of one resource are kept; a cluster with more needs selectors.
    static constexpr std::size_t kMostObjects = 150'000;

private:
    void start_over();

    const Selector selector_;
    KubernetesObjects objects_;
    KubernetesObjects listing_;
    std::string continue_;
    std::string version_;  // Empty: to be listed.
    bool complete_ = false;
    int failures_ = 0;
    bool pause_ = false;  // The last watch was over at once.
};

}  // namespace stoker::collect
