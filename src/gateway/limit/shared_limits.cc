#include "gateway/limit/shared_limits.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <random>
#include <utility>

#include "base/log.h"
#include "crypto/random.h"
#include "gateway/metrics_names.h"
#include "net/async.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

using shared_script::Script;

constexpr Duration kBeat{1'000};      // How often a gateway says that it is there,
constexpr Duration kAliveFor{5'000};  // and for how long one that does not counts as alive.
constexpr Duration kConnect{1'000};
constexpr Duration kFirstRetry{100};
constexpr Duration kLastRetry{3'000};
constexpr std::size_t kSubjectsAtOnce = 64;

// Doubles, and is of this gateway alone: they must not all come back in the same moment.
Duration retry_after(int failures) {
    thread_local std::minstd_rand generator{std::random_device{}()};
    constexpr int kMostDoublings = 8;
    const Duration::rep longest = kFirstRetry.count() << std::min(failures, kMostDoublings);
    const auto most = std::min(longest, kLastRetry.count());
    return Duration{std::uniform_int_distribution<Duration::rep>(most / 2, most)(generator)};
}

std::string_view cause_of(const Error& error) {
    switch (error.code) {
        case Errc::DeadlineExceeded:
            return "deadline";
        case Errc::PermissionDenied:
            return "refused";
        case Errc::Corruption:
            return "malformed";
        default:
            return "unavailable";
    }
}

}  // namespace

std::string_view to_string(Sharing sharing) {
    constexpr std::string_view kNames[] = {"off", "shared", "alone"};
    return kNames[static_cast<std::size_t>(sharing)];
}

SharedLimits::SharedLimits(Limiter& limiter, asio::io_context& loop, metrics::Registry& registry)
    : limiter_(limiter),
      loop_(loop),
      instance_(crypto::random_text(16, "abcdefghijklmnopqrstuvwxyz0123456789")),
      shared_metric_(registry.gauge(names::kLimitShared, "1 while limits are shared through Redis, 0 while alone.")),
      gateways_metric_(registry.gauge(names::kLimitGateways, "Gateways that share limits, as last seen alive.")),
      share_metric_(registry.gauge(names::kLimitShare, "The part of every limit that this gateway may admit.")),
      failures_metric_(
          registry.counter(names::kLimitRedisFailures, "Connections to Redis that failed, by why.", {"cause"})),
      seconds_metric_(registry.histogram(names::kLimitRedisSeconds, "What requests wait for the shared limits.", {},
                                         {0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 1})),
      timer_(loop) {}

SharedLimits::~SharedLimits() = default;

void SharedLimits::on_change(Told told) {
    MutexLock lock(mutex_);
    told_ = std::move(told);
}

void SharedLimits::remember(std::int64_t gateways) {
    MutexLock lock(mutex_);
    report_.gateways = std::max(std::int64_t{1}, gateways);
}

SharingReport SharedLimits::report() const {
    MutexLock lock(mutex_);
    return report_;
}

std::optional<SharedLimitsOptions> SharedLimits::options() const {
    MutexLock lock(mutex_);
    return options_;
}

void SharedLimits::configure(std::optional<SharedLimitsOptions> options) {
    {
        MutexLock lock(mutex_);
        if (options_ == options) return;
        if (!options_ && options) report_.gateways = std::max(report_.gateways, options->gateways);
        options_ = std::move(options);
    }
    const std::lock_guard lock(ended_mutex_);
    if (stopping_) return;
    if (std::exchange(running_, true)) return wake();
    asio::co_spawn(loop_, run(shared_from_this()), asio::detached);
}

void SharedLimits::wake() {
    asio::post(loop_, [self = shared_from_this()] { self->timer_.cancel(); });
}

void SharedLimits::stop(Duration limit) {
    std::unique_lock lock(ended_mutex_);
    if (stopping_.exchange(true) || !running_) return;
    wake();
    ended_.wait_for(lock, limit, [this] { return !running_; });
}

asio::awaitable<void> SharedLimits::pause(Duration duration) {
    if (stopping_) co_return;
    timer_.expires_after(duration);
    (void)co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
}

// Meets Redis, stays with it, loses it, and again.
asio::awaitable<void> SharedLimits::run(std::shared_ptr<SharedLimits> self) {
    constexpr Duration kLong{3'600'000};
    int failures = 0;
    while (!self->stopping_) {
        const auto options = self->options();
        if (!options) {
            self->limiter_.go_alone(1, Moment::now());
            self->become(Sharing::Off, "");
            co_await self->pause(kLong);
            continue;
        }
        // Until Redis is met this gateway is as good as cut off.
        const SharingReport before = self->report();
        if (before.state == Sharing::Off) {
            self->limiter_.go_alone(1 / static_cast<double>(before.gateways), Moment::now());
        }
        auto met = co_await self->meet(*options);
        if (met) {
            failures = 0;
            self->become(Sharing::Shared, "");
            const Error why = co_await self->keep(self->connection_, *options);
            log::debug("the connection to Redis has ended", {{"error", why.message}});
        } else {
            self->failures_metric_.with({std::string(cause_of(met.error()))}).add();
            self->become(Sharing::Alone, met.error().message);
        }
        self->connection_ = nullptr;
        co_await self->pause(retry_after(failures++));
    }
    if (self->connection_) self->connection_->close(Error{Errc::Cancelled, "stopped"});
    const std::lock_guard lock(self->ended_mutex_);
    self->running_ = false;
    self->ended_.notify_all();
}

asio::awaitable<Result<Unit>> SharedLimits::load_scripts(Connection connection, Duration limit) {
    session_.hashes.clear();
    for (std::size_t i = 0; i < shared_script::kScripts; ++i) {
        std::vector<std::string> command{"SCRIPT", "LOAD", shared_script::text(static_cast<Script>(i))};
        CO_TRY(net::RedisValue hash, co_await connection->call(std::move(command), limit));
        if (hash.kind != net::RedisValue::Kind::Text) co_return Error{Errc::PermissionDenied, "scripts: " + hash.text};
        session_.hashes.push_back(std::move(hash.text));
    }
    co_return Unit{};
}

asio::awaitable<Result<Unit>> SharedLimits::meet(SharedLimitsOptions options) {
    lost_.reset();
    CO_TRY(connection_,
           co_await net::RedisConnection::open(loop_, options.redis, std::max(kConnect, options.deadline)));
    const Connection connection = connection_;
    connection->on_closed([weak = weak_from_this()](const Error& why) {
        if (const auto self = weak.lock()) self->go_alone(why);
    });
    auto loaded = co_await load_scripts(connection, options.deadline);
    if (!loaded) {
        connection->close(loaded.error());
        co_return std::move(loaded).error();
    }
    const std::string before = session_.member;
    session_.prefix = options.prefix;
    session_.member = instance_ + "." + std::to_string(++meetings_);
    session_.alive_for = kAliveFor;
    deadline_ = options.deadline;
    seconds_ = &seconds_metric_.with();
    auto joined = co_await connection->call(shared_script::join(session_, before), options.deadline);
    if (!joined) co_return std::move(joined).error();
    auto presence = shared_script::read_presence(*joined);
    if (!presence) {
        connection->close(presence.error());
        co_return std::move(presence).error();
    }
    take_presence(*presence);
    // From here on requests ask Redis. What this gateway counted until now is on its way before the first of them.
    auto owns = limiter_.share(Moment::now());
    sharing_.store(true, std::memory_order_release);
    auto told = co_await tell_own(connection, std::move(owns), options.deadline);
    if (!told) connection->close(told.error());
    co_return told;
}

asio::awaitable<Result<Unit>> SharedLimits::tell_own(Connection connection, std::vector<SharedOwn> owns,
                                                     Duration limit) {
    for (auto from = owns.begin(); from != owns.end();) {
        const auto count = std::min<std::ptrdiff_t>(kSubjectsAtOnce, owns.end() - from);
        const std::vector<SharedOwn> some(from, from + count);
        from += count;
        CO_TRY(const net::RedisValue reply, co_await connection->call(shared_script::restore(session_, some), limit));
        CO_TRY_UNIT(shared_script::read_done(reply));
    }
    co_return Unit{};
}

asio::awaitable<Error> SharedLimits::keep(Connection connection, SharedLimitsOptions options) {
    while (connection->is_open()) {
        co_await pause(kBeat);
        if (stopping_ || this->options() != options) co_await take_leave();
        if (!connection->is_open()) break;
        auto reply = co_await connection->call(shared_script::beat(session_), options.deadline);
        if (!reply) break;
        const auto presence = shared_script::read_presence(*reply);
        if (presence) {
            take_presence(*presence);
        } else {
            connection->close(presence.error());
        }
    }
    co_return lost_.value_or(Error{Errc::Unavailable, "the connection has ended"});
}

// The others need not wait until this one counts as dead.
asio::awaitable<void> SharedLimits::take_leave() {
    const Connection connection = connection_;
    (void)co_await connection->call(shared_script::leave(session_), kFirstRetry);
    connection->close(Error{Errc::Cancelled, "this gateway stops, or is to share otherwise"});
}

void SharedLimits::take_presence(const shared_script::Presence& presence) {
    limiter_.set_clock(std::chrono::duration_cast<Duration>(presence.time - now()));
    const std::int64_t gateways = std::max(std::int64_t{1}, presence.gateways);
    gateways_metric_.with().set(static_cast<double>(gateways));
    MutexLock lock(mutex_);
    report_.gateways = gateways;
}

void SharedLimits::go_alone(const Error& why) {
    if (stopping_) {
        sharing_.store(false, std::memory_order_release);
        return;
    }
    lost_ = why;
    if (!sharing_.exchange(false)) return;
    const double share = 1 / static_cast<double>(report().gateways);
    limiter_.go_alone(share, Moment::now());
    if (why.code != Errc::Cancelled) failures_metric_.with({std::string(cause_of(why))}).add();
    become(Sharing::Alone, why.message);
}

void SharedLimits::become(Sharing state, std::string reason) {
    SharingReport report;
    Told told;
    {
        MutexLock lock(mutex_);
        if (report_.state == state) return;
        report_.state = state;
        report_.since = now();
        report_.reason = std::move(reason);
        report = report_;
        told = told_;
    }
    const double share = state == Sharing::Alone ? 1 / static_cast<double>(report.gateways) : 1;
    shared_metric_.with().set(state == Sharing::Shared ? 1 : 0);
    gateways_metric_.with().set(static_cast<double>(report.gateways));
    share_metric_.with().set(share);
    if (state == Sharing::Off) {
        shared_metric_.remove({});
        gateways_metric_.remove({});
    }
    if (state == Sharing::Alone) {
        log::warn("limits are not shared: this gateway goes on alone with its part of them",
                  {{"reason", report.reason}, {"gateways", report.gateways}, {"share", share}});
    } else {
        log::info(state == Sharing::Shared ? "limits are shared" : "limits are this gateway's own",
                  {{"gateways", report.gateways}});
    }
    if (told) told(report);
}

void SharedLimits::ask(std::vector<LimitClaim> claims, std::function<void(Result<shared_script::Verdict>)> done) {
    if (!connection_ || !connection_->is_open() || !sharing()) {
        return done(Error{Errc::Unavailable, "there is no connection to Redis"});
    }
    const Connection connection = connection_;
    auto read = [connection, done = std::move(done)](Result<net::RedisValue> reply) {
        if (!reply) return done(std::move(reply).error());
        auto verdict = shared_script::read_verdict(*reply);
        // It answers, but not this: it is out of memory, read-only, or has lost what it knew.
        if (!verdict) connection->close(verdict.error());
        done(std::move(verdict));
    };
    connection->send(shared_script::reserve(session_, claims), deadline_, std::move(read));
}

asio::awaitable<LimitVerdict> SharedLimits::reserve(LimitAsk asked) {
    auto claims = limiter_.claims(asked);
    if (claims.empty()) co_return LimitVerdict{};
    const SteadyTime began = std::chrono::steady_clock::now();
    // Answers are taken in the order in which Redis gave them, here on the loop, so that what is known of it is the
    // latest.
    auto answer = std::make_shared<std::optional<LimitVerdict>>();
    auto initiate = [self = shared_from_this(), answer, &claims, asked](auto handler) {
        auto home = asio::prefer(asio::get_associated_executor(handler), asio::execution::outstanding_work.tracked);
        auto waiter = std::make_shared<decltype(handler)>(std::move(handler));
        auto done = [self, answer, home, waiter, claims, asked](Result<shared_script::Verdict> verdict) {
            if (verdict) {
                *answer = self->limiter_.decided(asked, claims, verdict->counts, verdict->admitted, Moment::now());
            }
            asio::post(home, std::move(*waiter));
        };
        asio::dispatch(self->loop_, [self, claims, done = std::move(done)] { self->ask(claims, done); });
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(initiate, asio::use_awaitable);
    const SteadyTime ended = std::chrono::steady_clock::now();
    seconds_->observe(std::chrono::duration<double>(ended - began).count());
    if (*answer) co_return *std::move(*answer);
    co_return limiter_.reserve(asked, Moment::now());
}

void SharedLimits::settled(std::vector<SharedChange> changes) {
    if (changes.empty() || !sharing()) return;
    auto tell = [self = shared_from_this(), changes = std::move(changes)]() mutable {
        self->send_changes(std::move(changes));
    };
    asio::post(loop_, std::move(tell));
}

void SharedLimits::send_changes(std::vector<SharedChange> changes) {
    if (!connection_ || !connection_->is_open()) return;  // Told with everything else when Redis is back.
    const Connection connection = connection_;
    auto read = [connection](Result<net::RedisValue> reply) {
        if (!reply) return;
        const auto done = shared_script::read_done(*reply);
        if (!done) connection->close(done.error());
    };
    connection->send(shared_script::change(session_, changes), deadline_, std::move(read));
}

}  // namespace stoker::gateway
