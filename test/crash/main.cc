// stoker_crash: kills a process that writes metrics, hundreds of times, and looks whether all that it was promised is
// there. See test/crash/README.md.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "base/log.h"
#include "base/metrics.h"
#include "model.h"
#include "plan.h"
#include "tsdb/backup.h"
#include "tsdb/faults.h"

namespace stoker::crash {
namespace {

namespace fs = std::filesystem;

constexpr int kRoundsOfAStore = 20;  // Then a new one, so that looking it over stays quick.

struct Summary {
    int kills = 0;
    int faults = 0;
    int torn = 0;
    int flips = 0;
    int flips_harmless = 0;
    int flips_reported = 0;
    int flips_refused = 0;
    int snapshots = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t samples = 0;
    std::vector<std::string> violations;
};

class Harness {
public:
    Harness(int kills, int flips, std::uint64_t seed, fs::path folder)
        : kills_(kills), flips_(flips), seed_(seed), random_(seed), root_(std::move(folder)) {}

    int run() {
        for (int round = 0; round < kills_ && summary_.violations.empty(); ++round) {
            if (round % kRoundsOfAStore == 0) {
                fs::remove_all(root_);
                fs::create_directories(root_);
                summary_.acknowledged += model_.acknowledged();
                model_ = Model();
            }
            one_round(round);
            if (round % 25 == 24) {
                fmt::print("{} of {} kills, {} samples looked at\n", round + 1, kills_, summary_.samples);
                std::fflush(stdout);
            }
        }
        summary_.acknowledged += model_.acknowledged();
        print();
        if (!summary_.violations.empty()) {
            fmt::print("what it left is in {}\n", root_.string());
        } else {
            fs::remove_all(root_);
        }
        return summary_.violations.empty() ? 0 : 1;
    }

private:
    fs::path store() const { return root_ / "store"; }

    void one_round(int round) {
        ChildOptions options;
        options.folder = store();
        options.seed = seed_ * 1000 + static_cast<std::uint64_t>(round);
        options.first_step = model_.next_step();
        options.fsync = round % 4 == 3;
        const bool faulty = round % 5 == 4;
        if (faulty) {
            choose_fault(options);
        }
        run_and_kill(options);
        // A disk that failed has left half a frame: more bytes would make it a whole one that is wrong, which is
        // damage.
        if (round % 3 == 1 && !faulty) {
            tear_the_log();
        }
        look(round);
        check_snapshots();
        for (int i = 0; i < flips_ && summary_.violations.empty(); ++i) {
            flip_a_bit(round);
        }
    }

    void choose_fault(ChildOptions& options) {
        using FaultOp = tsdb::Faults::Op;
        const bool full = random_() % 2 == 0;
        const FaultOp ops[] = {FaultOp::Write, FaultOp::Sync, FaultOp::Create, FaultOp::Rename, FaultOp::Truncate};
        options.fault_errno = full ? ENOSPC : EIO;
        options.fault_op = static_cast<int>(ops[random_() % 5]);
        options.fault_at = static_cast<std::int64_t>(random_() % 150);
        options.fault_calls = static_cast<std::int64_t>(1 + random_() % 20);
        ++summary_.faults;
    }

    // A fork alone would lack the threads that RocksDB has started here.
    static pid_t start(const ChildOptions& options) {
        const std::vector<std::string> arguments{"stoker_crash",
                                                 "--child",
                                                 options.folder,
                                                 std::to_string(options.seed),
                                                 std::to_string(options.first_step),
                                                 std::to_string(options.pipe),
                                                 std::to_string(options.fault_errno),
                                                 std::to_string(options.fault_op),
                                                 std::to_string(options.fault_at),
                                                 std::to_string(options.fault_calls),
                                                 std::to_string(options.fsync ? 1 : 0)};
        const pid_t child = ::fork();
        if (child == 0) {
            std::vector<char*> argv;
            for (const auto& argument : arguments) {
                argv.push_back(const_cast<char*>(argument.c_str()));
            }
            argv.push_back(nullptr);
            ::execv("/proc/self/exe", argv.data());
            ::_exit(9);
        }
        return child;
    }

    void run_and_kill(ChildOptions options) {
        int ends[2];
        if (::pipe(ends) != 0) {
            summary_.violations.push_back("pipe failed");
            return;
        }
        ::fcntl(ends[0], F_SETFD, FD_CLOEXEC);
        options.pipe = ends[1];
        const pid_t child = start(options);
        ::close(ends[1]);
        // Mostly while it works, now and then while it opens the store.
        const std::size_t wanted = random_() % 10 == 0 ? 0 : random_() % 600;
        std::size_t seen = 0;
        Record record;
        if (wanted == 0) {
            std::this_thread::sleep_for(std::chrono::microseconds(random_() % 30'000));
        }
        while (seen < wanted && ::read(ends[0], &record, sizeof(record)) == sizeof(record)) {
            take(record);
            ++seen;
        }
        ::kill(child, SIGKILL);
        while (::read(ends[0], &record, sizeof(record)) == sizeof(record)) {
            take(record);  // Acknowledged before the signal reached it.
        }
        ::close(ends[0]);
        int status = 0;
        ::waitpid(child, &status, 0);
        if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
            summary_.violations.push_back("the writer ended by itself with " + std::to_string(WEXITSTATUS(status)));
        } else if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL) {
            summary_.violations.push_back("the writer crashed with signal " + std::to_string(WTERMSIG(status)));
        }
        ++summary_.kills;
        model_.killed();
    }

    void take(const Record& record) {
        model_.take(record);
        if (record.op == Op::Snapshot && record.phase == Phase::Begin) {
            at_snapshot_ = model_;  // What it must have is what was acknowledged before it was asked for.
        } else if (record.op == Op::Snapshot && record.phase == Phase::Done) {
            snapshots_.emplace_back(root_ / ("store.snapshots/" + std::to_string(record.from)), at_snapshot_);
        }
    }

    // Behind what is there: the beginning of a write that never finished.
    void tear_the_log() {
        fs::path newest;
        std::error_code none;  // It may have been killed before there was a log.
        for (const auto& entry : fs::directory_iterator(store() / "wal", none)) {
            if (entry.path().extension() == ".wal" && entry.path() > newest) {
                newest = entry.path();
            }
        }
        if (newest.empty() || fs::file_size(newest) < 16) {
            return;
        }
        std::string tail(1 + random_() % 300, '\0');
        if (random_() % 2 == 0) {
            std::generate(tail.begin(), tail.end(), [this] { return static_cast<char>(random_()); });
        }
        std::ofstream(newest, std::ios::binary | std::ios::app) << tail;
        ++summary_.torn;
    }

    std::unique_ptr<tsdb::Store> open(const fs::path& folder, std::string& why) {
        auto opened = tsdb::Store::open(folder, store_options(false), registry_);
        if (!opened) {
            why = opened.error().message;
            return nullptr;
        }
        return *std::move(opened);
    }

    void look(int round) {
        std::string why;
        const auto opened = open(store(), why);
        if (opened == nullptr) {
            summary_.violations.push_back("it does not open: " + why);
            return;
        }
        model_.check(*opened, summary_.violations);
        summary_.samples += model_.sure_samples();
        if (!summary_.violations.empty()) {
            summary_.violations.insert(summary_.violations.begin(),
                                       fmt::format("in round {} of seed {}:", round, seed_));
        }
    }

    void check_snapshots() {
        for (auto& [folder, model] : snapshots_) {
            const auto checked = tsdb::verify(folder);
            if (!checked || !checked->damage.empty()) {
                summary_.violations.push_back("snapshot: " +
                                              (checked ? checked->damage[0].what : checked.error().message));
                continue;
            }
            std::string why;
            const auto opened = open(folder, why);
            if (opened == nullptr) {
                summary_.violations.push_back("a snapshot does not open: " + why);
                continue;
            }
            model.check_nothing_missing(*opened, summary_.violations);
            ++summary_.snapshots;
        }
        snapshots_.clear();
        fs::remove_all(root_ / "store.snapshots");
    }

    // On a copy: whatever is served must be right, and whatever is missing must have been said.
    void flip_a_bit(int round) {
        const fs::path copy = root_ / "copy";  // Stays where a violation is found.
        fs::remove_all(copy);
        fs::copy(store(), copy, fs::copy_options::recursive);
        std::vector<fs::path> files;
        for (const auto& entry : fs::recursive_directory_iterator(copy)) {
            if (entry.is_regular_file() && entry.file_size() > 0 && entry.path().filename() != "LOCK") {
                files.push_back(entry.path());
            }
        }
        std::sort(files.begin(), files.end());
        const fs::path file = files[random_() % files.size()];
        const auto place = static_cast<std::streamoff>(random_() % fs::file_size(file));
        const int bit = static_cast<int>(random_() % 8);
        {
            std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
            stream.seekg(place);
            const char changed = static_cast<char>(stream.get() ^ (1 << bit));
            stream.seekp(place);
            stream.put(changed);
        }
        ++summary_.flips;
        const std::string what = fmt::format("round {} of seed {}: bit {} of byte {} of {}", round, seed_, bit, place,
                                             fs::relative(file, copy).string());
        std::string why;
        const auto opened = open(copy, why);
        if (opened == nullptr) {
            ++summary_.flips_refused;
            fmt::print("{}: not opened: {}\n", what, why);
            return;
        }
        bool said = false;
        const std::size_t before = summary_.violations.size();
        const std::size_t missing = model_.check_nothing_invented(*opened, summary_.violations, said);
        const bool named = !opened->damage().empty() && !opened->health().has_value();
        if (missing > 0 && !said && !named) {
            summary_.violations.push_back(fmt::format("{} samples are missing, and nothing says so", missing));
        }
        if (summary_.violations.size() > before) {
            summary_.violations.push_back("after " + what);
        }
        ++(missing > 0 || named ? summary_.flips_reported : summary_.flips_harmless);
    }

    void print() const {
        fmt::print("\n");
        fmt::print("kills                  {:>12}\n", summary_.kills);
        fmt::print("  with ENOSPC or EIO   {:>12}\n", summary_.faults);
        fmt::print("  with a torn log      {:>12}\n", summary_.torn);
        fmt::print("calls acknowledged     {:>12}\n", summary_.acknowledged);
        fmt::print("samples looked at      {:>12}\n", summary_.samples);
        fmt::print("snapshots opened       {:>12}\n", summary_.snapshots);
        fmt::print("bits flipped           {:>12}\n", summary_.flips);
        fmt::print("  without effect       {:>12}\n", summary_.flips_harmless);
        fmt::print("  reported, rest served{:>12}\n", summary_.flips_reported);
        fmt::print("  not opened           {:>12}\n", summary_.flips_refused);
        fmt::print("violations             {:>12}\n", summary_.violations.size());
        for (const auto& violation : summary_.violations) {
            fmt::print("  {}\n", violation);
        }
    }

    const int kills_;
    const int flips_;  // After each kill.
    const std::uint64_t seed_;
    std::mt19937_64 random_;
    const fs::path root_;
    metrics::Registry registry_;
    Model model_;
    Model at_snapshot_;
    std::vector<std::pair<fs::path, Model>> snapshots_;
    Summary summary_;
};

int usage() {
    fmt::print(stderr, "usage: stoker_crash [--kills N] [--flips N] [--seed N] [--folder DIR]\n");
    return 2;
}

}  // namespace
}  // namespace stoker::crash

int main(int argc, char** argv) {
    using namespace stoker;
    if (argc == 11 && std::strcmp(argv[1], "--child") == 0) {
        log::configure(log::Level::Off, log::Format::Text);
        crash::ChildOptions options;
        options.folder = argv[2];
        options.seed = std::stoull(argv[3]);
        options.first_step = std::stoll(argv[4]);
        options.pipe = std::stoi(argv[5]);
        options.fault_errno = std::stoi(argv[6]);
        options.fault_op = std::stoi(argv[7]);
        options.fault_at = std::stoll(argv[8]);
        options.fault_calls = std::stoll(argv[9]);
        options.fsync = std::stoi(argv[10]) != 0;
        return crash::run_child(options);
    }
    int kills = 500;
    int flips = 1;
    std::uint64_t seed = std::random_device{}();
    std::string folder =
        (std::filesystem::temp_directory_path() / ("stoker_crash_" + std::to_string(::getpid()))).string();
    for (int i = 1; i < argc; i += 2) {
        const std::string name = argv[i];
        if (i + 1 == argc) {
            return crash::usage();
        }
        if (name == "--kills") {
            kills = std::atoi(argv[i + 1]);
        } else if (name == "--flips") {
            flips = std::atoi(argv[i + 1]);
        } else if (name == "--seed") {
            seed = std::strtoull(argv[i + 1], nullptr, 10);
        } else if (name == "--folder") {
            folder = std::string(argv[i + 1]) + "/stoker_crash";
        } else {
            return crash::usage();
        }
    }
    fmt::print("seed {}\n", seed);
    log::configure(log::Level::Off, log::Format::Text);
    return crash::Harness(kills, flips, seed, folder).run();
}
