// The process that gets killed: two threads that append, one that maintains.
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <random>
#include <thread>

#include "base/metrics.h"
#include "plan.h"
#include "tsdb/faults.h"

namespace stoker::crash {

namespace {

// Fails some calls in a row, from a given one on.
class FailFrom final : public tsdb::Faults {
public:
    explicit FailFrom(const ChildOptions& options) : options_(options) {}

    int on(Op op, std::string_view /*path*/) override {
        if (options_.fault_errno == 0 || static_cast<int>(op) != options_.fault_op) {
            return 0;
        }
        const std::int64_t call = calls_.fetch_add(1);
        return call >= options_.fault_at && call < options_.fault_at + options_.fault_calls ? options_.fault_errno : 0;
    }

private:
    const ChildOptions& options_;
    std::atomic<std::int64_t> calls_{0};
};

class Child {
public:
    Child(const ChildOptions& options, tsdb::Store& store)
        : options_(options), store_(store), step_(options.first_step) {}

    int run() {
        say(Phase::Done, {Phase::Done, Op::Ready, 0, 0, 0, 0});
        std::thread second([this] {
            for (std::int64_t step = options_.first_step; !stop_; ++step) {
                append(1, step);
            }
        });
        std::thread keeper([this] { maintain(); });
        std::mt19937_64 random(options_.seed);
        for (; !stop_; ++step_) {
            one_step(random);
        }
        second.join();
        keeper.join();
        return 0;
    }

private:
    void one_step(std::mt19937_64& random) {
        const std::int64_t step = step_;
        append(0, step);
        if (random() % 3 == 0) {
            act({Phase::Begin, Op::Exemplars, 0, step, 0, 0},
                [&] { return store_.append_exemplars({exemplar_of(step)}).has_value(); });
        }
        if (random() % 40 == 0 && step > 60) {
            const std::int64_t from = step - 60 + static_cast<std::int64_t>(random() % 60);
            const std::int64_t to = from + static_cast<std::int64_t>(random() % 80);
            act({Phase::Begin, Op::Delete, 0, step, from, to}, [&] {
                return store_
                    .delete_series({{"__name__", tsdb::Matcher::Op::Equal, std::string(deleted_series(step).metric())}},
                                   kStart + from * kStep, kStart + to * kStep)
                    .has_value();
            });
        }
        if (random() % 150 == 0) {
            act({Phase::Begin, Op::Snapshot, 0, step, step, 0},
                [&] { return store_.snapshot(options_.folder + ".snapshots/" + std::to_string(step)).has_value(); });
        }
    }

    void append(std::uint8_t thread, std::int64_t step) {
        act({Phase::Begin, Op::Append, thread, step, 0, 0}, [&] {
            const auto outcome = store_.append(batch_of(thread, step));
            return outcome.has_value() && outcome->refused.empty();
        });
    }

    template <typename Ask>
    void act(const Record& record, const Ask& ask) {
        say(Phase::Begin, record);
        say(ask() ? Phase::Done : Phase::Refused, record);
    }

    void say(Phase phase, Record record) {
        record.phase = phase;
        if (::write(options_.pipe, &record, sizeof(record)) != sizeof(record)) {
            ::_exit(3);
        }
    }

    void maintain() {
        std::mt19937_64 random(options_.seed ^ 1);
        for (int failures = 0; failures < 50;) {
            const bool done = store_.maintain(from_millis(kStart + step_ * kStep)).has_value();
            // After ENOSPC it comes back; after EIO it never does, and that is what is wanted.
            failures = done ? 0 : failures + 1;
            if (random() % 100 == 0) {
                (void)store_.clean_tombstones();
            }
            std::this_thread::yield();
        }
        stop_ = true;
    }

    const ChildOptions& options_;
    tsdb::Store& store_;
    std::atomic<std::int64_t> step_;
    std::atomic<bool> stop_{false};
};

}  // namespace

int run_child(const ChildOptions& options) {
    metrics::Registry registry;
    FailFrom faults(options);
    tsdb::StoreOptions settings = store_options(options.fsync);
    settings.faults = &faults;
    auto store = tsdb::Store::open(options.folder, settings, registry);
    if (!store) {
        return options.fault_errno != 0 ? 0 : 2;
    }
    return Child(options, **store).run();
}

}  // namespace stoker::crash
