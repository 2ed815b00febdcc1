// A source that is asked again and again: the loop, the last good answer and the error, for those that only know how to
// ask once.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <exception>

#include "base/log.h"
#include "collect/discovery/discoverer.h"

namespace stoker::collect {

class PolledDiscoverer : public Discoverer, public std::enable_shared_from_this<PolledDiscoverer> {
public:
    PolledDiscoverer(DiscoveryContext context, std::string kind, Duration interval)
        : context_(context), stopper_(context.loop), kind_(std::move(kind)), interval_(interval) {}

    std::string_view kind() const override { return kind_; }
    const std::vector<TargetGroup>& groups() const override { return groups_; }
    SourceHealth health() const override { return health_; }
    bool asked() const override { return asked_; }

    void start(std::function<void()> changed) override {
        changed_ = std::move(changed);
        boost::asio::co_spawn(context_.loop, run(shared_from_this()), boost::asio::detached);
    }
    void stop() override {
        changed_ = nullptr;
        stopper_.stop();
    }

protected:
    // All targets. Bounded in time.
    virtual boost::asio::awaitable<Result<std::vector<TargetGroup>>> ask() = 0;

    DiscoveryContext context_;
    Stopper stopper_;
    std::string partial_;  // For ask(): why some of what it returns is from before.

private:
    static boost::asio::awaitable<void> run(std::shared_ptr<PolledDiscoverer> self) {
        while (!self->stopper_.stopped()) {
            Result<std::vector<TargetGroup>> answer = Error{Errc::Internal, "it threw"};
            try {
                answer = co_await self->ask();
            } catch (const std::exception& thrown) {
                answer = Error{Errc::Internal, thrown.what()};
            }
            if (self->stopper_.stopped()) co_return;
            self->take(std::move(answer));
            co_await self->stopper_.sleep_for(self->interval_);
        }
    }

    void take(Result<std::vector<TargetGroup>> answer) {
        asked_ = true;
        std::string error = answer ? std::exchange(partial_, {}) : answer.error().message;
        if (answer) groups_ = *std::move(answer);
        if (error.empty()) {
            health_.good_at = now();
        } else if (error != health_.error) {
            log::warn("targets not found anew, the last ones stay", {{"source", kind_}, {"error", error}});
        }
        health_.error = std::move(error);
        if (changed_) changed_();
    }

    const std::string kind_;
    const Duration interval_;
    std::function<void()> changed_;
    std::vector<TargetGroup> groups_;
    SourceHealth health_;
    bool asked_ = false;
};

}  // namespace stoker::collect
