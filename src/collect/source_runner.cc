#include "collect/source_runner.h"

#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/log.h"

namespace stoker::collect {
namespace {

double seconds(SteadyTime::duration elapsed) {
    return std::chrono::duration<double>(elapsed).count();
}

double thread_cpu_seconds() {
    struct timespec used {};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

}  // namespace

// Its handles are used under the gate of a lane, or by the watcher under the runner's mutex.
struct SourceRunner::Meters {
    Meters(metrics::Registry& registry, const std::string& name)
        : rounds_ok(rounds(registry).with({name, "ok"})),
          rounds_failed(rounds(registry).with({name, "failed"})),
          skipped(skips(registry).with({name})),
          duration(durations(registry).with({name})),
          cpu(cpus(registry).with({name})),
          samples(sample_counts(registry).with({name})),
          memory(memories(registry).with({name})),
          last_success(successes(registry).with({name})),
          hung(hangs(registry).with({name})) {}

    static void remove(metrics::Registry& registry, const std::string& name) {
        for (const char* result : {"ok", "failed"}) rounds(registry).remove({name, result});
        for (auto* family : {&skips(registry), &cpus(registry)}) family->remove({name});
        for (auto* family : {&durations(registry), &sample_counts(registry), &memories(registry), &successes(registry),
                             &hangs(registry)}) {
            family->remove({name});
        }
    }

    static metrics::Family<metrics::Counter>& rounds(metrics::Registry& r) {
        return r.counter("stoker_source_rounds_total", "Times that a source was read, by result.",
                         {"source", "result"});
    }
    static metrics::Family<metrics::Counter>& skips(metrics::Registry& r) {
        return r.counter("stoker_source_skipped_rounds_total", "Rounds not done, the one before being under way.",
                         {"source"});
    }
    static metrics::Family<metrics::Gauge>& durations(metrics::Registry& r) {
        return r.gauge("stoker_source_duration_seconds", "How long the last round of a source took.", {"source"});
    }
    static metrics::Family<metrics::Counter>& cpus(metrics::Registry& r) {
        return r.counter("stoker_source_cpu_seconds_total", "CPU time that reading a source took.", {"source"});
    }
    static metrics::Family<metrics::Gauge>& sample_counts(metrics::Registry& r) {
        return r.gauge("stoker_source_samples", "Samples that the last round of a source gave.", {"source"});
    }
    static metrics::Family<metrics::Gauge>& memories(metrics::Registry& r) {
        return r.gauge("stoker_source_memory_bytes", "What a source keeps between its rounds, about.", {"source"});
    }
    static metrics::Family<metrics::Gauge>& successes(metrics::Registry& r) {
        return r.gauge("stoker_source_last_success_timestamp_seconds", "When a source was last read without an error.",
                       {"source"});
    }
    static metrics::Family<metrics::Gauge>& hangs(metrics::Registry& r) {
        return r.gauge("stoker_source_hung", "1 while a round of a source takes longer than its deadline.", {"source"});
    }

    metrics::Counter& rounds_ok;
    metrics::Counter& rounds_failed;
    metrics::Counter& skipped;
    metrics::Gauge& duration;
    metrics::Counter& cpu;
    metrics::Gauge& samples;
    metrics::Gauge& memory;
    metrics::Gauge& last_success;
    metrics::Gauge& hung;
};

// One source with its thread. Shared with that thread, which may outlive the runner.
struct SourceRunner::Lane {
    Lane(std::shared_ptr<Source> read, SourceSchedule schedule, SampleSink& to, metrics::Registry& registry)
        : source(std::move(read)),
          name(source->name()),
          meters(registry, name),
          sink(&to),
          rounds(schedule, std::chrono::steady_clock::now()) {}

    void run();
    void round();
    void end_round(const Result<Unit>& got, double took, double cpu);
    void close() {
        MutexLock lock(gate);
        sink = nullptr;
    }
    void quit_soon() {
        MutexLock lock(mutex);
        quit = true;
        wake.notify_all();
    }
    bool has_exited() {
        MutexLock lock(mutex);
        return exited;
    }
    // Whether its thread ended until then.
    bool wait_exited(SteadyTime until) {
        MutexLock lock(mutex);
        while (!exited && wake.wait_until(mutex, until) != std::cv_status::timeout) {
        }
        return exited;
    }

    const std::shared_ptr<Source> source;
    const std::string name;
    Meters meters;
    std::thread thread;  // Touched only under the runner's mutex.

    Mutex gate;  // Held while the sink or the meters are used by the thread.
    SampleSink* sink GUARDED_BY(gate);
    std::size_t written GUARDED_BY(gate) = 0;  // Samples of this round.
    bool failing GUARDED_BY(gate) = false;     // The round before did: an error is logged when it begins.

    Mutex mutex;
    std::condition_variable_any wake;
    SourceRounds rounds GUARDED_BY(mutex);
    bool go GUARDED_BY(mutex) = false;
    bool quit GUARDED_BY(mutex) = false;
    bool exited GUARDED_BY(mutex) = false;

private:
    // Lets a batch through while the gate is open.
    class Gated : public SampleSink {
    public:
        explicit Gated(Lane& lane) : lane_(lane) {}
        void append(const std::vector<tsdb::SeriesSample>& samples) override {
            MutexLock lock(lane_.gate);
            if (lane_.sink == nullptr) return;
            lane_.written += samples.size();
            lane_.sink->append(samples);
        }
        void append_exemplars(const std::vector<tsdb::SeriesExemplars>& exemplars) override {
            MutexLock lock(lane_.gate);
            if (lane_.sink != nullptr) lane_.sink->append_exemplars(exemplars);
        }
        void set_metadata(const std::vector<tsdb::FamilyMetadata>& metadata) override {
            MutexLock lock(lane_.gate);
            if (lane_.sink != nullptr) lane_.sink->set_metadata(metadata);
        }

    private:
        Lane& lane_;
    };
};

void SourceRunner::Lane::run() {
    constexpr std::size_t kNameLimit = 15;  // Of a thread, pthread_setname_np(3).
    pthread_setname_np(pthread_self(), ("src-" + name).substr(0, kNameLimit).c_str());
    mutex.lock();
    while (!quit) {
        if (!go) {
            wake.wait(mutex);
            continue;
        }
        go = false;
        mutex.unlock();
        round();
        mutex.lock();
    }
    exited = true;
    wake.notify_all();
    mutex.unlock();
}

void SourceRunner::Lane::round() {
    Gated gated(*this);
    const auto began = std::chrono::steady_clock::now();
    const double cpu_before = thread_cpu_seconds();
    Result<Unit> got;
    try {
        got = source->collect(now(), gated);
    } catch (const std::exception& bug) {
        got = Error{Errc::Internal, bug.what()};
    }
    end_round(got, seconds(std::chrono::steady_clock::now() - began), thread_cpu_seconds() - cpu_before);
}

void SourceRunner::Lane::end_round(const Result<Unit>& got, double took, double cpu) {
    bool was_hung = false;
    {
        MutexLock lock(mutex);
        was_hung = rounds.ended();
    }
    MutexLock lock(gate);
    if (sink == nullptr) return;
    meters.hung.set(0);
    if (was_hung) log::info("a source answers again", {{"source", name}, {"seconds", took}});
    if (!got && !failing) log::warn("a source can't be read", {{"source", name}, {"error", got.error().message}});
    if (got && failing) log::info("a source can be read again", {{"source", name}});
    failing = !got;
    (got ? meters.rounds_ok : meters.rounds_failed).add();
    if (got) meters.last_success.set(static_cast<double>(to_millis(now())) / 1000);
    meters.duration.set(took);
    meters.cpu.add(cpu);
    meters.samples.set(static_cast<double>(std::exchange(written, 0)));
    meters.memory.set(static_cast<double>(source->memory_bytes()));
}

SourceRunner::SourceRunner(SampleSink& sink, metrics::Registry& registry, std::function<void()> prepare_thread)
    : sink_(sink), registry_(registry), prepare_thread_(std::move(prepare_thread)), watcher_([this] { watch(); }) {}

SourceRunner::~SourceRunner() {
    stop();
}

Result<Unit> SourceRunner::add(std::shared_ptr<Source> source, SourceSchedule schedule) {
    MutexLock lock(mutex_);
    std::string name(source->name());
    if (stopping_) return Error{Errc::Cancelled, "source " + name + ": stopping"};
    if (lanes_.contains(name)) return Error{Errc::Conflict, "source " + name + " is there already"};
    join_those_that_left();
    for (const auto& left : leaving_) {
        if (left->name == name) return Error{Errc::Conflict, "source " + name + ": its last round still hangs"};
    }
    auto lane = std::make_shared<Lane>(std::move(source), schedule, sink_, registry_);
    lane->thread = std::thread([lane, prepare = prepare_thread_] {
        if (prepare) prepare();
        lane->run();
    });
    lanes_.emplace(std::move(name), std::move(lane));
    wake_.notify_all();
    return Unit{};
}

bool SourceRunner::remove(std::string_view name) {
    MutexLock lock(mutex_);
    auto found = lanes_.find(name);
    if (found == lanes_.end()) return false;
    leave(found->second);
    Meters::remove(registry_, found->first);
    lanes_.erase(found);
    join_those_that_left();
    return true;
}

void SourceRunner::leave(const std::shared_ptr<Lane>& lane) {
    lane->quit_soon();
    lane->close();
    leaving_.push_back(lane);
}

void SourceRunner::join_those_that_left() {
    std::erase_if(leaving_, [](const std::shared_ptr<Lane>& lane) {
        if (!lane->has_exited()) return false;
        lane->thread.join();
        return true;
    });
}

std::size_t SourceRunner::stop(Duration limit) {
    {
        MutexLock lock(mutex_);
        if (std::exchange(stopping_, true)) return 0;
        wake_.notify_all();
    }
    watcher_.join();
    const SteadyTime until = std::chrono::steady_clock::now() + limit;
    MutexLock lock(mutex_);
    for (const auto& [name, lane] : lanes_) lane->quit_soon();
    for (const auto& [name, lane] : lanes_) lane->wait_exited(until);
    for (const auto& [name, lane] : lanes_) leave(lane);
    lanes_.clear();
    join_those_that_left();
    for (const auto& lane : leaving_) {
        log::warn("a source hangs and is left behind", {{"source", lane->name}});
        lane->thread.detach();
    }
    return std::exchange(leaving_, {}).size();
}

void SourceRunner::watch() {
    if (prepare_thread_) prepare_thread_();
    MutexLock lock(mutex_);
    while (!stopping_) {
        const SteadyTime now = std::chrono::steady_clock::now();
        SteadyTime next = now + std::chrono::hours(1);
        for (const auto& [name, lane] : lanes_) {
            MutexLock lane_lock(lane->mutex);
            const auto step = lane->rounds.tick(now);
            next = std::min(next, lane->rounds.next());
            if (step.skipped > 0) lane->meters.skipped.add(static_cast<double>(step.skipped));
            if (step.hung) {
                lane->meters.hung.set(1);
                log::warn("a source hangs; the others go on", {{"source", name}});
            }
            if (!step.start) continue;
            lane->go = true;
            lane->wake.notify_all();
        }
        join_those_that_left();
        wake_.wait_until(mutex_, next);
    }
}

}  // namespace stoker::collect
