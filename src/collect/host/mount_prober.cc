#include "collect/host/mount_prober.h"

#include <condition_variable>
#include <thread>

#include "base/sync.h"

namespace stoker::collect {

// What a helper thread works on; shared, since the thread may outlive everybody.
struct MountProber::Round {
    Ask ask;
    std::vector<std::string> paths;

    Mutex mutex;
    std::condition_variable_any moved;
    std::vector<std::optional<struct statvfs>> answers GUARDED_BY(mutex);
    bool left GUARDED_BY(mutex) = false;      // Nobody waits for it any more.
    bool returned GUARDED_BY(mutex) = false;  // Its thread has ended.

    static void run(const std::shared_ptr<Round>& round) {
        for (const std::string& path : round->paths) {
            struct statvfs info {};
            const bool good = round->ask(path.c_str(), &info) == 0;
            MutexLock lock(round->mutex);
            if (round->left) break;
            round->answers.push_back(good ? std::optional(info) : std::nullopt);
            round->moved.notify_one();
        }
        MutexLock lock(round->mutex);
        round->returned = true;
    }

    // Waits until all are answered, or one takes longer than `limit`; then leaves it. Returns the answers so far.
    std::vector<std::optional<struct statvfs>> wait(Duration limit) {
        MutexLock lock(mutex);
        while (answers.size() < paths.size()) {
            const std::size_t before = answers.size();
            const SteadyTime until = std::chrono::steady_clock::now() + limit;
            while (answers.size() == before) {
                if (moved.wait_until(mutex, until) == std::cv_status::timeout && answers.size() == before) {
                    left = true;
                    return answers;
                }
            }
        }
        return answers;
    }

    bool has_returned() {
        MutexLock lock(mutex);
        return returned;
    }
};

std::vector<std::optional<struct statvfs>> MountProber::probe(const std::vector<std::string>& paths) {
    std::erase_if(stuck_, [](const auto& entry) { return entry.second->has_returned(); });
    std::map<std::string, std::optional<struct statvfs>> answers;
    std::vector<std::string> rest;
    for (const std::string& path : paths) {
        if (!stuck_.contains(path)) rest.push_back(path);
    }
    while (!rest.empty() && stuck_.size() < kMostStuck) {
        auto round = std::make_shared<Round>();
        round->ask = ask_;
        round->paths = rest;
        std::thread([round] { Round::run(round); }).detach();
        const auto got = round->wait(limit_);
        for (std::size_t i = 0; i < got.size(); ++i) answers[rest[i]] = got[i];
        if (got.size() == rest.size()) break;
        stuck_.emplace(rest[got.size()], std::move(round));
        rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(got.size()) + 1);
    }
    std::vector<std::optional<struct statvfs>> out;
    for (const std::string& path : paths) out.push_back(answers[path]);
    return out;
}

}  // namespace stoker::collect
