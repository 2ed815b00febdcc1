#include "net/loops.h"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>

#include "net/deadline.h"

namespace stoker::net {
namespace {

struct Sleeper : internal::Deadline::Target {
    explicit Sleeper(boost::asio::io_context& loop) : deadline(loop, *this) {}
    void on_deadline() override {}

    internal::Deadline deadline;
};

TEST(Loops, WhatWaitsOnOneMayHoldWhatLivesOnAnother) {
    for (const std::size_t lives_on : {std::size_t{0}, std::size_t{1}}) {
        Loops loops(2);
        auto sleeper = std::make_shared<Sleeper>(loops.at(lives_on));
        std::weak_ptr<Sleeper> alive = sleeper;
        sleeper->deadline.set(Duration{60'000});
        boost::asio::post(loops.at(1 - lives_on), [held = std::move(sleeper)] { (void)held; });
        ASSERT_FALSE(alive.expired());
    }  // Found by AddressSanitizer, if it is not as it should be.
}

}  // namespace
}  // namespace stoker::net
