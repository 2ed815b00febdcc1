#include "heal/supervisor.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "heal/wording.h"

namespace stoker::heal {
namespace {

constexpr int kHousekeepingMillis = 2'000;  // Between two looks at the sizes of logs.
constexpr Duration kAfterKill{5'000};       // SIGKILL works at once, save in uninterruptible sleep.
constexpr char kReplicaVariable[] = "STOKER_REPLICA";
constexpr char kEnginesVariable[] = "STOKER_ENGINES";

bool is_alive(const ProcessStatus& status) {
    return status.state == ProcessState::Running || status.state == ProcessState::Stopping;
}

std::string told_end(const ProcessStatus& status, const ExitStatus& exit, Timestamp now) {
    return "process " + std::to_string(status.pid) + " " + diagnose::how_it_ended(exit.known, exit.code, exit.signal) +
           " after " + spoken(now - status.since);
}

// A session leader that an earlier Stoker started for this replica and folder, found by its environment.
std::optional<ProcessIdentity> find_by_environment(const std::string& id, const std::string& directory) {
    const std::string replica = std::string(kReplicaVariable) + "=" + id;
    const std::string engines = std::string(kEnginesVariable) + "=" + directory;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
        const auto number = parse_integer(entry.path().filename().string());
        if (!number || *number <= 1) continue;
        const auto pid = static_cast<pid_t>(*number);
        const auto stat = read_stat(pid);
        if (!stat || stat->session != pid || stat->state == 'Z') continue;
        const auto environment = read_file(entry.path() / "environ");
        if (!environment) continue;
        const auto variables = split(*environment, '\0');
        const auto has = [&variables](const std::string& wanted) {
            return std::find(variables.begin(), variables.end(), wanted) != variables.end();
        };
        if (has(replica) && has(engines)) return ProcessIdentity{pid, stat->start_ticks};
    }
    return std::nullopt;
}

}  // namespace

std::string_view to_string(ProcessState state) {
    constexpr std::array<std::string_view, 4> kNames{"running", "stopping", "exited", "failed"};
    return kNames[static_cast<std::size_t>(state)];
}

Supervisor::Supervisor(SupervisorOptions options, ProcessObserver* observer, metrics::Registry& registry)
    : options_(std::move(options)),
      observer_(observer),
      restarts_(registry.counter("stoker_engine_restarts_total", "Engines started again.", {"replica"})),
      exits_(registry.counter("stoker_engine_exits_total", "Engines that ended unasked.", {"replica"})),
      wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Result<std::unique_ptr<Supervisor>> Supervisor::create(SupervisorOptions options, ProcessObserver* observer,
                                                       metrics::Registry& registry) {
    // Absolute: it is how engines of this data folder are told from those of another.
    std::error_code error;
    options.directory = std::filesystem::absolute(options.directory, error).lexically_normal().string();
    TRY_UNIT(ensure_directory(options.directory));
    std::unique_ptr<Supervisor> made(new Supervisor(std::move(options), observer, registry));
    if (!made->wake_fd_.open()) return Error{Errc::Internal, "eventfd: " + std::generic_category().message(errno)};
    made->thread_ = std::thread([raw = made.get()] { raw->run(); });
    return made;
}

Supervisor::~Supervisor() {
    Duration grace{0};
    {
        MutexLock lock(mutex_);
        for (const auto& [id, entry] : entries_) grace = std::max(grace, entry->spec.grace);
    }
    shutdown(grace + kAfterKill);
}

// --- Starting -----------------------------------------------------------------------------------------------------

Result<Unit> Supervisor::ensure_running(ProcessSpec spec) {
    MutexLock lock(mutex_);
    if (cancelled_) return Error{Errc::Cancelled, "the supervisor is shutting down"};
    auto& slot = entries_[spec.id];
    if (slot != nullptr) {
        slot->spec = std::move(spec);
        if (slot->busy || is_alive(slot->status)) return Unit{};
        return start(*slot);
    }
    const std::string id = spec.id;
    slot = std::make_unique<Entry>(Entry{std::move(spec), ProcessFiles(options_.directory, id), {}, {}, false});
    slot->status.id = id;
    slot->status.log = slot->files.log_path();
    if (adopt(*slot)) return Unit{};
    return start(*slot);
}

bool Supervisor::adopt(Entry& entry) {
    auto remembered = entry.files.read_identity();
    if (!remembered || !open_process(remembered->identity)) {
        const auto found = find_by_environment(entry.spec.id, options_.directory);
        if (!found) return false;
        remembered = ProcessFiles::Remembered{*found, {}};
    }
    auto pidfd = open_process(remembered->identity);
    if (!pidfd) return false;
    entry.process = Spawned{remembered->identity, *std::move(pidfd)};
    entry.status.state = ProcessState::Running;
    entry.status.pid = remembered->identity.pid;
    entry.status.adopted = true;
    entry.status.since = options_.clock();
    log::info("engine was running already and is supervised again",
              {{"replica", entry.spec.id}, {"pid", entry.status.pid}});
    if (remembered->command.empty()) {
        (void)entry.files.write_identity(remembered->identity, entry.spec.command);
    } else if (remembered->command != entry.spec.command) {
        log::warn("engine runs with an older command until its next restart",
                  {{"replica", entry.spec.id}, {"command", join(remembered->command, " ")}});
    }
    wake();
    return true;
}

Result<Unit> Supervisor::start(Entry& entry) {
    const auto failed = [&entry, this](Error error) -> Error {
        entry.status.state = ProcessState::Failed;
        entry.status.error = error.message;
        entry.status.since = options_.clock();
        log::error("engine could not be started", {{"replica", entry.spec.id}, {"error", error.message}});
        return std::move(error).context("start " + entry.spec.id);
    };
    auto output = entry.files.open_log();
    if (!output) return failed(std::move(output).error());
    const std::string head =
        "--- " + format_timestamp(options_.clock()) + " stoker starts: " + join(entry.spec.command, " ") + "\n";
    (void)!write(output->get(), head.data(), head.size());
    SpawnSpec spec{entry.spec.command, entry.spec.environment, entry.spec.directory, output->get()};
    spec.environment[kReplicaVariable] = entry.spec.id;
    spec.environment[kEnginesVariable] = options_.directory;
    auto spawned = spawn(spec);
    if (!spawned) return failed(std::move(spawned).error());
    entry.process = *std::move(spawned);
    entry.status.state = ProcessState::Running;
    entry.status.pid = entry.process.identity.pid;
    entry.status.adopted = false;
    entry.status.error.clear();
    entry.status.since = options_.clock();
    if (const auto kept = entry.files.write_identity(entry.process.identity, entry.spec.command); !kept) {
        log::warn("engine's identity could not be kept", {{"replica", entry.spec.id}, {"error", kept.error().message}});
    }
    log::info("engine started", {{"replica", entry.spec.id}, {"pid", entry.status.pid}});
    wake();
    return Unit{};
}

// --- Ending -------------------------------------------------------------------------------------------------------

Result<Supervisor::Entry*> Supervisor::claim(const std::string& id) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return Error{Errc::NotFound, id + " is not supervised: it has no `run`"};
    if (cancelled_) return Error{Errc::Cancelled, "the supervisor is shutting down"};
    if (found->second->busy) return Error{Errc::Conflict, "another restart of " + id + " is under way"};
    found->second->busy = true;
    return found->second.get();
}

// Ends the process of a claimed entry; the lock is given up while waiting, the claim keeps the entry in place.
Result<Unit> Supervisor::end(const std::string& id, Duration limit) {
    Entry& entry = *entries_.at(id);
    if (!is_alive(entry.status)) return Unit{};
    const auto began = std::chrono::steady_clock::now();
    const auto gone_by = [&](Duration after) REQUIRES_LOCK(mutex_) {
        while (is_alive(entry.status) && !cancelled_) {
            if (changed_.wait_until(mutex_, began + after) == std::cv_status::timeout) break;
        }
        return !is_alive(entry.status);
    };
    const pid_t group = -entry.process.identity.pid;
    entry.status.state = ProcessState::Stopping;
    kill(group, SIGTERM);
    kill(group, SIGCONT);
    if (gone_by(std::min(entry.spec.grace, limit))) return Unit{};
    if (cancelled_) return Error{Errc::Cancelled, "the supervisor is shutting down"};
    log::warn("engine did not end within its grace period and is killed", {{"replica", id}, {"pid", entry.status.pid}});
    kill(group, SIGKILL);
    if (gone_by(std::max(limit, entry.spec.grace + kAfterKill))) return Unit{};
    if (cancelled_) return Error{Errc::Cancelled, "the supervisor is shutting down"};
    return Error{Errc::DeadlineExceeded,
                 "process " + std::to_string(entry.status.pid) + " does not end even on SIGKILL (uninterruptible?)"};
}

Result<std::string> Supervisor::restart(const std::string& id, Duration limit) {
    MutexLock lock(mutex_);
    TRY(Entry* const entry, claim(id));
    const std::int64_t before = is_alive(entry->status) ? entry->status.pid : 0;
    auto done = end(id, limit);
    if (done && cancelled_) done = Error{Errc::Cancelled, "the supervisor is shutting down"};
    if (done) done = start(*entry);
    entry->busy = false;
    changed_.notify_all();
    if (!done) return std::move(done).error();
    ++entry->status.restarts;
    restarts_.with({id}).add();
    std::string text = "pid " + std::to_string(entry->status.pid);
    if (before != 0) text += ", after ending pid " + std::to_string(before);
    return text;
}

Result<Unit> Supervisor::stop(const std::string& id, Duration limit) {
    MutexLock lock(mutex_);
    TRY(Entry* const entry, claim(id));
    auto done = end(id, limit);
    entry->busy = false;
    changed_.notify_all();
    return done;
}

void Supervisor::forget(const std::string& id) {
    MutexLock lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    while (found->second->busy) changed_.wait(mutex_);  // Bounded by the limit of the restart under way.
    entries_.erase(id);
    wake();
}

// --- Watching -----------------------------------------------------------------------------------------------------

void Supervisor::ended(Entry& entry, std::vector<ProcessExit>& unexpected) {
    const Timestamp at = options_.clock();
    const ExitStatus exit = reap(entry.process);
    const std::string text = told_end(entry.status, exit, at);
    const bool asked = entry.status.state == ProcessState::Stopping;
    log::write(asked ? log::Level::Info : log::Level::Warn, "engine's " + text, {{"replica", entry.spec.id}});
    entry.process.pidfd = Fd();
    entry.status.state = ProcessState::Exited;
    entry.status.since = at;
    entry.status.exit = exit;
    entry.files.remove_identity();
    if (asked) return;
    exits_.with({entry.spec.id}).add();
    unexpected.push_back({entry.spec.id, entry.status.pid, at, exit, text});
}

void Supervisor::run() {
    auto housekeeping = std::chrono::steady_clock::now();
    while (true) {
        std::vector<pollfd> watched{{wake_fd_.get(), POLLIN, 0}};
        std::vector<std::string> ids{""};
        {
            MutexLock lock(mutex_);
            if (finished_) return;
            for (const auto& [id, entry] : entries_) {
                if (!entry->process.pidfd.open()) continue;
                watched.push_back({entry->process.pidfd.get(), POLLIN, 0});
                ids.push_back(id);
            }
        }
        // Descriptors may be closed and their numbers reused meanwhile (forget()): a wrong hit is looked at again
        // below.
        (void)poll(watched.data(), watched.size(), kHousekeepingMillis);
        std::uint64_t ignored = 0;
        (void)!read(wake_fd_.get(), &ignored, sizeof ignored);
        std::vector<ProcessExit> unexpected;
        {
            MutexLock lock(mutex_);
            for (std::size_t i = 1; i < watched.size(); ++i) {
                const auto found = entries_.find(ids[i]);
                if (watched[i].revents == 0 || found == entries_.end()) continue;
                if (wait_for_end(found->second->process.pidfd, Duration{0})) ended(*found->second, unexpected);
            }
            if (std::chrono::steady_clock::now() >= housekeeping) {
                housekeeping = std::chrono::steady_clock::now() + std::chrono::milliseconds(kHousekeepingMillis);
                for (const auto& [id, entry] : entries_) entry->files.rotate(options_.log_bytes, options_.log_files);
            }
        }
        changed_.notify_all();
        if (observer_ == nullptr) continue;
        for (const ProcessExit& exit : unexpected) observer_->on_process_exit(exit);
    }
}

void Supervisor::wake() {
    const std::uint64_t one = 1;
    (void)!write(wake_fd_.get(), &one, sizeof one);
}

std::optional<ProcessStatus> Supervisor::status(const std::string& id) const {
    MutexLock lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return std::nullopt;
    return found->second->status;
}

std::vector<ProcessStatus> Supervisor::all() const {
    std::vector<ProcessStatus> statuses;
    MutexLock lock(mutex_);
    for (const auto& [id, entry] : entries_) statuses.push_back(entry->status);
    return statuses;
}

std::optional<diagnose::ProcessFacts> Supervisor::process_of(const std::string& replica) const {
    MutexLock lock(mutex_);
    const auto found = entries_.find(replica);
    if (found == entries_.end()) return std::nullopt;
    const Entry& entry = *found->second;
    diagnose::ProcessFacts facts;
    facts.pid = entry.status.pid;
    // The kernel knows before our thread does.
    facts.running = is_alive(entry.status) && !wait_for_end(entry.process.pidfd, Duration{0});
    if (facts.running) {
        const auto stat = read_stat(entry.process.identity.pid);
        facts.stopped = stat && (stat->state == 'T' || stat->state == 't');
    } else if (entry.status.state != ProcessState::Failed) {
        const ExitStatus exit = is_alive(entry.status) ? peek(entry.process) : entry.status.exit;
        facts.exit_known = exit.known;
        facts.exit_code = exit.code;
        facts.exit_signal = exit.signal;
    }
    if (!facts.running) facts.last_output = entry.files.last_line();
    return facts;
}

// --- Shutdown -----------------------------------------------------------------------------------------------------

void Supervisor::cancel() {
    {
        MutexLock lock(mutex_);
        cancelled_ = true;
    }
    changed_.notify_all();
}

void Supervisor::shutdown(Duration limit) {
    cancel();
    {
        MutexLock lock(mutex_);
        if (finished_) return;
        const auto any_left = [this]() REQUIRES_LOCK(mutex_) {
            return std::any_of(entries_.begin(), entries_.end(),
                               [](const auto& item) { return is_alive(item.second->status); });
        };
        const auto signal_all = [this](int number) REQUIRES_LOCK(mutex_) {
            for (const auto& [id, entry] : entries_) {
                if (!is_alive(entry->status)) continue;
                entry->status.state = ProcessState::Stopping;
                kill(-entry->process.identity.pid, number);
            }
        };
        const auto wait_until = [&](std::chrono::steady_clock::time_point deadline) REQUIRES_LOCK(mutex_) {
            while (any_left() && changed_.wait_until(mutex_, deadline) != std::cv_status::timeout) {
            }
        };
        if (options_.on_exit == OnExit::Stop && any_left()) {
            const auto began = std::chrono::steady_clock::now();
            signal_all(SIGTERM);
            signal_all(SIGCONT);
            wait_until(began + std::max(limit / 2, limit - kAfterKill));
            signal_all(SIGKILL);
            wait_until(began + limit);
        }
        finished_ = true;
    }
    wake();
    if (thread_.joinable()) thread_.join();
}

}  // namespace stoker::heal
