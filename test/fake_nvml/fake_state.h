// What a fake library is told to be: a file of KEY=VALUE lines, read again when it changes. The library that includes
// this says which environment variable names the file. Everything is its own: two such libraries share nothing.
// Keys are of one GPU ("0.power=350") or of all ("power=350"); README.md lists them.
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace fake {
namespace {

const char* variable();

class State {
public:
    static State& instance() {
        static State state;
        return state;
    }

    std::string text(int gpu, const std::string& key, const std::string& fallback = "") {
        std::lock_guard lock(mutex_);
        load();
        for (const std::string& name : {std::to_string(gpu) + "." + key, key}) {
            auto found = values_.find(name);
            if (found != values_.end()) return found->second;
        }
        return fallback;
    }

    double number(int gpu, const std::string& key, double fallback) {
        const std::string value = text(gpu, key);
        return value.empty() ? fallback : std::strtod(value.c_str(), nullptr);
    }

    // All values of a key that may stand in many lines, in their order.
    std::vector<std::string> all(const std::string& key) {
        std::lock_guard lock(mutex_);
        load();
        std::vector<std::string> found;
        for (const auto& [name, value] : lines_) {
            if (name == key) found.push_back(value);
        }
        return found;
    }

private:
    void load() {
        const char* path = std::getenv(variable());
        struct stat info {};
        if (path == nullptr || stat(path, &info) != 0) {
            values_.clear();
            lines_.clear();
            seen_.clear();
            return;
        }
        const std::string seen = std::string(path) + " " + std::to_string(info.st_ino) + " " +
                                 std::to_string(info.st_mtim.tv_sec) + "." + std::to_string(info.st_mtim.tv_nsec) +
                                 " " + std::to_string(info.st_size);
        if (seen == seen_) return;
        seen_ = seen;
        values_.clear();
        lines_.clear();
        std::ifstream file(path);
        for (std::string line; std::getline(file, line);) {
            const auto equals = line.find('=');
            if (equals == std::string::npos) continue;
            lines_.emplace_back(line.substr(0, equals), line.substr(equals + 1));
            values_[lines_.back().first] = lines_.back().second;
        }
    }

    std::mutex mutex_;
    std::string seen_;
    std::map<std::string, std::string> values_;
    std::vector<std::pair<std::string, std::string>> lines_;
};

}  // namespace
}  // namespace fake
