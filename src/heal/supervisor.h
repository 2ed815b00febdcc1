// The supervisor: starts engines, knows at once when one ends, restarts and stops them, and finds them again after
// Stoker itself was killed.
//
// An engine runs in a session of its own, writes its own log file, and does not need Stoker to live. A file per engine
// says which process it is; a Stoker that starts takes over what runs (adopts it) rather than start a second copy. If
// that file is missing, engines are known by the variables STOKER_REPLICA and STOKER_ENGINES in their environment.
// It never restarts by itself: that is healing's decision, with its limits.
//
// One thread of its own. Thread-safe; restart() and stop() block until done or the limit.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/sync.h"
#include "base/time.h"
#include "diagnose/diagnoser.h"
#include "heal/process.h"
#include "heal/process_files.h"

namespace stoker::heal {

struct ProcessSpec {
    std::string id;                                  // The replica's.
    std::vector<std::string> command;                // Program and arguments; must stay in the foreground.
    std::map<std::string, std::string> environment;  // Added to Stoker's own.
    std::string directory;                           // Working directory; empty: Stoker's.
    Duration grace{5'000};                           // From SIGTERM to SIGKILL.
};

enum class ProcessState : std::uint8_t { Running, Stopping, Exited, Failed };  // Failed: could not be started.
std::string_view to_string(ProcessState state);                                // snake_case

struct ProcessStatus {
    std::string id;
    ProcessState state = ProcessState::Exited;
    std::int64_t pid = 0;
    std::int64_t restarts = 0;
    bool adopted = false;  // Started by an earlier Stoker.
    Timestamp since;       // In this state.
    ExitStatus exit;       // Of the last process that ended.
    std::string error;     // Why it could not be started.
    std::string log;       // Path.
};

// An engine ended that nobody had asked to end.
struct ProcessExit {
    std::string id;
    std::int64_t pid = 0;
    Timestamp at;
    ExitStatus status;
    std::string text;  // "process 4711 exited with code 137 (as after SIGKILL) after 12.3 s"
};

// Told on the supervisor's thread; must not block.
class ProcessObserver {
public:
    virtual ~ProcessObserver() = default;
    virtual void on_process_exit(const ProcessExit& exit) = 0;
};

// What becomes of engines when Stoker ends in good order.
enum class OnExit : std::uint8_t { Leave, Stop };

struct SupervisorOptions {
    std::string directory;  // For logs and identities: DATA_DIR/engines.
    std::uint64_t log_bytes = 16ull * 1024 * 1024;
    int log_files = 3;  // Kept besides the one being written.
    OnExit on_exit = OnExit::Leave;
    Clock clock = now;
};

class Supervisor : public diagnose::ProcessWatch {
public:
    // `observer` may be null. REQUIRES: observer and registry outlive the supervisor.
    static Result<std::unique_ptr<Supervisor>> create(SupervisorOptions options, ProcessObserver* observer,
                                                      metrics::Registry& registry);
    ~Supervisor() override;  // shutdown() with the largest grace of all.

    // Supervises `spec`: adopts the engine if it runs already, else starts it. Called again with another command, the
    // running process stays until its next restart. Errors: as spawn(); the id is supervised all the same, as Failed.
    Result<Unit> ensure_running(ProcessSpec spec);

    // SIGTERM to the whole group (and SIGCONT, so that a stopped one can hear it), SIGKILL after the grace period, then
    // start. Returns a sentence with the new pid. Errors: NotFound (not supervised), Conflict (another restart or stop
    // is under way), DeadlineExceeded (would not die), Cancelled (shutdown), and those of spawn().
    Result<std::string> restart(const std::string& id, Duration limit);
    // As restart(), without the start.
    Result<Unit> stop(const std::string& id, Duration limit);
    // Supervises it no longer; what runs keeps running.
    void forget(const std::string& id);

    std::optional<ProcessStatus> status(const std::string& id) const;
    std::vector<ProcessStatus> all() const;
    std::optional<diagnose::ProcessFacts> process_of(const std::string& replica) const override;

    // Makes restart() and stop() give up at once, those under way too.
    void cancel();
    // cancel(), then ends engines if OnExit::Stop says so (all at the same time, within `limit`), then the thread.
    void shutdown(Duration limit);

private:
    struct Entry {
        ProcessSpec spec;
        ProcessFiles files;
        ProcessStatus status;
        Spawned process;
        bool busy = false;  // A restart or stop is under way.
    };

    Supervisor(SupervisorOptions options, ProcessObserver* observer, metrics::Registry& registry);
    bool adopt(Entry& entry) REQUIRES_LOCK(mutex_);
    Result<Unit> start(Entry& entry) REQUIRES_LOCK(mutex_);
    Result<Unit> end(const std::string& id, Duration limit) REQUIRES_LOCK(mutex_);
    void ended(Entry& entry, std::vector<ProcessExit>& unexpected) REQUIRES_LOCK(mutex_);
    Result<Entry*> claim(const std::string& id) REQUIRES_LOCK(mutex_);
    void run();
    void wake();

    const SupervisorOptions options_;
    ProcessObserver* const observer_;
    metrics::Family<metrics::Counter>& restarts_;
    metrics::Family<metrics::Counter>& exits_;
    Fd wake_fd_;

    mutable Mutex mutex_;
    std::condition_variable_any changed_;
    std::map<std::string, std::unique_ptr<Entry>> entries_ GUARDED_BY(mutex_);
    bool cancelled_ GUARDED_BY(mutex_) = false;
    bool finished_ GUARDED_BY(mutex_) = false;

    std::thread thread_;
};

}  // namespace stoker::heal
