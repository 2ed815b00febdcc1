// The endpoints that senders push samples to: bodies read whole, bounded each and in all, handed to receivers on the
// compute pool.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "collect/push/push.h"
#include "net/http.h"

namespace stoker::api {

// Answers POST.
struct PushEndpoint {
    std::string path;
    int busy_status = 503;  // What its protocol wants to hear when the sender is to come back later.
    std::function<net::Response(const collect::PushRequest&)> receive;
    bool query = false;  // Reads rather than writes: runs among the queries.
};

struct PushLimits {
    std::size_t max_body = std::size_t{32} << 20;        // As sent, of one request.
    std::size_t max_in_flight = std::size_t{256} << 20;  // Of all requests being read or worked on.
};

// The memory that bodies take together. Thread-safe.
class BodyBudget {
public:
    explicit BodyBudget(std::size_t limit) : limit_(limit) {}

    // Part of the budget, given back at the end.
    class Share {
    public:
        explicit Share(BodyBudget& budget) : budget_(&budget) {}
        ~Share() { budget_->used_.fetch_sub(bytes_, std::memory_order_relaxed); }
        Share(const Share&) = delete;
        Share& operator=(const Share&) = delete;

        // Grows to at least `bytes`; false, and as it was, if that is more than is left.
        bool reach(std::size_t bytes);

    private:
        BodyBudget* budget_;
        std::size_t bytes_ = 0;
    };

    std::size_t used() const { return used_.load(std::memory_order_relaxed); }

private:
    const std::size_t limit_;
    std::atomic<std::size_t> used_{0};
};

// The endpoint of that path; null if there is none. A trailing slash makes no difference.
const PushEndpoint* find_push(const std::vector<PushEndpoint>& endpoints, std::string_view path);

}  // namespace stoker::api
