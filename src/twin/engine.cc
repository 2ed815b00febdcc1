#include "twin/engine.h"

#include <unistd.h>

#include "twin/bad_metrics.h"

namespace stoker::twin {
namespace {

SteadyTime steady_now() {
    return std::chrono::steady_clock::now();
}

}  // namespace

void Engine::crash() const {
    constexpr int kKilled = 137;  // What a shell shows for a process killed by SIGKILL.
    if (options.exit)
        options.exit(kKilled);
    else
        _exit(kKilled);
}

void Engine::add_fault(Fault fault) {
    {
        MutexLock lock(mutex_);
        faults_.add(std::move(fault), steady_now());
        any_faults_ = true;
    }
    if (loop) loop->nudge();
}

bool Engine::clear_faults(std::optional<FaultKind> kind) {
    bool found = true;
    {
        MutexLock lock(mutex_);
        if (kind)
            found = faults_.clear(*kind);
        else
            faults_.clear();
        any_faults_ = kind.has_value();
    }
    if (loop) loop->nudge();
    return found;
}

std::string Engine::faults_json() {
    MutexLock lock(mutex_);
    return faults_.json(steady_now());
}

std::string Engine::requests_json() const {
    return "{\"requests\":" + std::to_string(requests_.load()) + ",\"left\":" + std::to_string(left_.load()) + "}";
}

DialectFacts Engine::facts() const {
    return {options.model, options.version.empty() ? std::string(dialect.version) : options.version, profile};
}

Engine::MetricsPage Engine::metrics_page() {
    std::string page = metrics.text();
    std::string how;
    {
        MutexLock lock(mutex_);
        how = faults_.bad_metrics(steady_now());
        if (how.empty()) {
            pages_ = 0;
            frozen_.clear();
        } else if (how == "frozen") {
            if (frozen_.empty()) frozen_ = page;
            page = frozen_;
        } else {
            page = bend_page(how, page, pages_++);
        }
    }
    if (how == "missing") return {404, true, R"({"detail":"Not Found"})"};
    if (how == "json") return {200, true, R"({"status":"ok","requests":0})"};
    return {200, false, dialect_page(dialect, page, facts())};
}

RequestFaults Engine::draw_faults() {
    ++requests_;
    if (!any_faults_) return {};
    MutexLock lock(mutex_);
    return faults_.draw(steady_now());
}

EngineCondition Engine::condition() const {
    if (!any_faults_) return {};
    SteadyTime now = steady_now();
    MutexLock lock(mutex_);
    return {true, faults_.hangs(now), faults_.slowdown(now), faults_.kv_withheld(now)};
}

bool Engine::health_hung() const {
    if (!any_faults_) return false;
    MutexLock lock(mutex_);
    return faults_.health_hangs(steady_now());
}

bool Engine::load_adapter(const std::string& name) {
    MutexLock lock(mutex_);
    return name != options.model && adapters_.insert(name).second;
}

bool Engine::unload_adapter(const std::string& name) {
    MutexLock lock(mutex_);
    return adapters_.erase(name) > 0;
}

std::set<std::string> Engine::adapters() const {
    MutexLock lock(mutex_);
    return adapters_;
}

}  // namespace stoker::twin
