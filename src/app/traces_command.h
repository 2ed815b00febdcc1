// `stoker traces`: its options, and what it does.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/commands.h"

namespace stoker::app {

struct TracesOptions {
    ClientOptions client;
    std::string trace_id;  // Set: this trace as a tree; else a list.
    std::string last = "1h";
    std::string service;
    std::string name;
    std::string model;
    std::string text;
    std::vector<std::string> tags;
    std::string min_duration;
    bool errors = false;
    std::int64_t limit = 50;
};
int traces(const TracesOptions& options);

}  // namespace stoker::app
