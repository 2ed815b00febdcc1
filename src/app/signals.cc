#include "app/signals.h"

namespace stoker::app {

Signals::Signals() {
    sigemptyset(&set_);
    for (int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

std::optional<int> Signals::wait(Duration limit) {
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit);
    timespec time{.tv_sec = seconds.count(), .tv_nsec = (limit - seconds).count() * 1'000'000};
    int signal = sigtimedwait(&set_, nullptr, &time);
    return signal > 0 ? std::optional<int>(signal) : std::nullopt;
}

void Signals::wait_for_end() {
    std::optional<int> signal;
    while (!signal || *signal == SIGHUP) signal = wait(Duration{60'000});
}

}  // namespace stoker::app
