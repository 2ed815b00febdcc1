#include "agent/actions.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <system_error>

#include "agent/http_post.h"
#include "base/log.h"

namespace stoker::agent {
namespace {

// The agent's environment and the facts, as exec wants them.
std::vector<std::string> environment_of(const Action& action) {
    std::vector<std::string> all;
    for (char** one = environ; *one != nullptr; ++one) all.emplace_back(*one);
    for (const auto& [name, value] : action.facts) all.push_back(fmt::format("{}={}", name, value));
    return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    out.reserve(texts.size() + 1);
    for (std::string& one : texts) out.push_back(one.data());
    out.push_back(nullptr);
    return out;
}

// In a process group of its own, so that all of it can be killed; its output goes nowhere.
Result<pid_t> start(const Action& action) {
    std::vector<std::string> arguments = action.run;
    std::vector<std::string> environment = environment_of(action);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child = 0;
    const int failed = posix_spawnp(&child, arguments[0].c_str(), &files, &attributes, pointers(arguments).data(),
                                    pointers(environment).data());
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (failed != 0) return Error{Errc::NotFound, arguments[0] + ": " + std::generic_category().message(failed)};
    return child;
}

}  // namespace

Result<Unit> run_program(const Action& action) {
    TRY(const pid_t child, start(action));
    const auto end = std::chrono::steady_clock::now() + action.timeout;
    constexpr auto kLook = std::chrono::milliseconds(20);
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (std::chrono::steady_clock::now() >= end) {
            ::kill(-child, SIGKILL);
            waitpid(child, &status, 0);
            return Error{Errc::DeadlineExceeded, action.run[0] + ": killed after " + format_duration(action.timeout)};
        }
        std::this_thread::sleep_for(kLook);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return Unit{};
    return Error{Errc::Unavailable,
                 action.run[0] + (WIFEXITED(status) ? " ended with " + std::to_string(WEXITSTATUS(status))
                                                    : " ended by signal " + std::to_string(WTERMSIG(status)))};
}

Result<Unit> post_webhook(const Action& action) {
    nlohmann::json body = nlohmann::json::object();
    for (const auto& [name, value] : action.facts) body[name] = value;
    net::Headers headers;
    headers.add("Content-Type", "application/json");
    std::string text = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    TRY(const auto answer, post_and_wait({action.webhook, std::move(headers), std::move(text), {}, action.timeout}));
    const int status = answer.status;
    if (status / 100 == 2) return Unit{};
    return Error{Errc::Unavailable, action.webhook + " answered " + std::to_string(status)};
}

Actions::Actions(metrics::Registry& registry)
    : done_(registry.counter("stoker_agent_actions_total",
                             "Actions of local rules: done, failed, or skipped because too many waited.",
                             {"rule", "outcome"})),
      thread_([this] { work(); }) {}

Actions::~Actions() {
    stop();
}

void Actions::submit(Action action) {
    MutexLock lock(mutex_);
    if (stopping_ || waiting_.size() >= kMostWaiting) {
        done_.with({action.rule, "skipped"}).add();
        return;
    }
    waiting_.push_back(std::move(action));
    wake_.notify_one();
}

void Actions::stop() {
    {
        MutexLock lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void Actions::work() {
    mutex_.lock();
    while (!stopping_) {
        if (waiting_.empty()) {
            wake_.wait(mutex_);
            continue;
        }
        const Action action = std::move(waiting_.front());
        waiting_.pop_front();
        mutex_.unlock();
        const auto done = action.run.empty() ? post_webhook(action) : run_program(action);
        done_.with({action.rule, done ? "done" : "failed"}).add();
        if (done) {
            log::info("a local rule acted", {{"rule", action.rule}});
        } else {
            log::warn("a local rule's action failed", {{"rule", action.rule}, {"error", done.error().message}});
        }
        mutex_.lock();
    }
    mutex_.unlock();
}

}  // namespace stoker::agent
