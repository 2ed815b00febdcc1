#include "collect/host/own_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace stoker::collect {
namespace {

std::map<std::string, double> values(const metrics::Registry& registry) {
    std::map<std::string, double> out;
    registry.each_sample([&](const metrics::Exposed& sample) { out[std::string(sample.name)] = sample.value; });
    return out;
}

TEST(OwnProcess, SaysWhatItTakes) {
    metrics::Registry registry;
    expose_own_process(registry, "1.2.3");
    const auto first = values(registry);
    EXPECT_EQ(first.at("stoker_build_info"), 1);
    EXPECT_GT(first.at("process_resident_memory_bytes"), 1 << 20);
    EXPECT_GT(first.at("process_virtual_memory_bytes"), first.at("process_resident_memory_bytes"));
    EXPECT_GE(first.at("process_threads"), 1);
    EXPECT_GE(first.at("process_open_fds"), 3);
    EXPECT_GE(first.at("process_max_fds"), first.at("process_open_fds"));
    EXPECT_GT(first.at("process_start_time_seconds"), 1.7e9);
    volatile double busy = 0;
    while (values(registry).at("process_cpu_seconds_total") <= first.at("process_cpu_seconds_total")) {
        for (int i = 0; i < 1'000'000; ++i) busy = busy + i;
    }
}

TEST(OwnProcess, WhatCannotBeReadIsLeftAsItWas) {
    metrics::Registry registry;
    expose_own_process(registry, "1.2.3", "/nowhere");
    EXPECT_EQ(values(registry).at("process_cpu_seconds_total"), 0);
    EXPECT_EQ(values(registry).at("process_open_fds"), 0);
}

}  // namespace
}  // namespace stoker::collect
