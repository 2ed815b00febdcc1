#include "collect/send/remote_write_sender.h"

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <future>
#include <map>
#include <random>

#include "base/log.h"
#include "base/retention_clock.h"
#include "base/sync.h"
#include "collect/send/remote_write_sender_families.h"
#include "collect/send/remote_write_sender_http.h"
#include "collect/send/remote_write_sender_record.h"
#include "journal/journal.h"
#include "net/async.h"

namespace stoker::collect {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr const char* kConsumer = "remote_write";
constexpr Duration kPoll{200};           // Between two looks into the journal when it had nothing.
constexpr Duration kCommitEvery{1'000};  // So much is sent again after a crash.
constexpr std::size_t kRecordsARead = 64;
constexpr std::size_t kFamiliesASend = 2'000;
constexpr std::size_t kMaxAnswer = std::size_t{64} << 10;
constexpr std::uint64_t kMaxSegment = std::uint64_t{16} << 20;
constexpr Duration kComplainEvery{60'000};

struct SenderMetrics {
    SenderMetrics(metrics::Registry& registry, const std::string& name)
        : requests(registry.counter("stoker_remote_write_requests_total", "Remote-write requests sent, by status.",
                                    {"remote", "status"})),
          sent(registry
                   .counter("stoker_remote_write_samples_total",
                            "Samples and native histograms that a remote-write receiver took.", {"remote"})
                   .with({name})),
          refused(registry
                      .counter("stoker_remote_write_refused_samples_total",
                               "Samples and native histograms that a remote-write receiver refused for good.",
                               {"remote"})
                      .with({name})),
          retries(registry
                      .counter("stoker_remote_write_retries_total",
                               "Remote-write requests that failed and are sent again.", {"remote"})
                      .with({name})),
          lost(registry
                   .counter("stoker_remote_write_lost_batches_total",
                            "Batches that were not sent: dropped from a full queue, or never taken into it.",
                            {"remote"})
                   .with({name})),
          lost_exemplars(registry
                             .counter("stoker_remote_write_lost_exemplars_total",
                                      "Series' exemplars that were not sent because their samples had left already.",
                                      {"remote"})
                             .with({name})),
          bytes(registry.counter("stoker_remote_write_bytes_total", "Bytes of remote-write requests sent.", {"remote"})
                    .with({name})),
          waiting(registry
                      .gauge("stoker_remote_write_waiting_batches",
                             "Batches in the queue of remote write that were not answered for yet.", {"remote"})
                      .with({name})),
          queue_bytes(
              registry
                  .gauge("stoker_remote_write_queue_bytes", "Bytes on disk of the queue of remote write.", {"remote"})
                  .with({name})),
          seconds(registry
                      .histogram("stoker_remote_write_seconds", "How long a remote-write request took.", {"remote"},
                                 metrics::latency_bounds())
                      .with({name})) {}

    metrics::Family<metrics::Counter>& requests;
    metrics::Counter& sent;
    metrics::Counter& refused;
    metrics::Counter& retries;
    metrics::Counter& lost;
    metrics::Counter& lost_exemplars;
    metrics::Counter& bytes;
    metrics::Gauge& waiting;
    metrics::Gauge& queue_bytes;
    metrics::Histogram& seconds;
};

// What one look into the journal gave.
struct Read {
    std::vector<std::shared_ptr<const QueuedRecord>> records;
    std::uint64_t next = 0;  // Where to read on.
    std::size_t lost = 0;    // Records that are gone or unreadable.
};

// A lane and what belongs to it on the loop.
struct Lane {
    Lane(const ShardOptions& options, asio::io_context& loop) : shard(options), timer(loop) {}

    RemoteWriteShard shard;
    asio::steady_timer timer;
    net::CancelToken cancel;
};

class SenderImpl final : public RemoteWriteSender {
public:
    SenderImpl(asio::io_context& loop, asio::thread_pool& pool, RemoteWriteOptions options, net::Url url,
               std::unique_ptr<journal::Journal> journal, metrics::Registry& registry)
        : loop_(loop),
          pool_(pool),
          options_(std::move(options)),
          url_(std::move(url)),
          journal_(std::move(journal)),
          metrics_(registry, options_.name),
          families_(options_.families, options_.families_repeat),
          version_(options_.protocol),
          next_read_(journal_->cursor(kConsumer)),
          committed_(next_read_),
          pump_timer_(loop),
          families_timer_(loop) {
        net::ClientOptions client;
        client.idle_per_origin = options_.shards;
        client.tls = options_.tls;
        client_ = net::Client::create(loop, client);
        for (std::size_t i = 0; i < options_.shards; ++i) {
            lanes_.push_back(std::make_unique<Lane>(options_.shard, loop));
        }
    }
    ~SenderImpl() override { stop(Duration{0}); }

    void append(const std::vector<tsdb::SeriesSample>& samples) override {
        if (!samples.empty()) {
            keep(encode_record(samples));
        }
    }
    void append_exemplars(const std::vector<tsdb::SeriesExemplars>& exemplars) override {
        if (!exemplars.empty()) {
            keep(encode_record(exemplars));
        }
    }
    void append_message(wire::RemoteWriteVersion version, std::string_view snappy_body) override {
        keep(encode_record(version, snappy_body));
    }

    void start() override {
        if (started_.exchange(true)) return;
        asio::post(loop_, [this] {
            alive_ = 2 + lanes_.size();
            spawn(pump());
            spawn(tell_families());
            for (auto& lane : lanes_) spawn(serve(*lane));
        });
    }

    void stop(Duration limit) override {
        if (!started_ || stopped_.exchange(true)) return;
        asio::post(loop_, [this] {
            leaving_ = true;
            pump_timer_.cancel();
            families_timer_.cancel();
            families_cancel_.cancel();
            for (auto& lane : lanes_) {
                lane->shard.hurry();
                lane->timer.cancel();
            }
        });
        auto ended = ended_.get_future();
        if (ended.wait_for(limit) != std::future_status::ready) {
            asio::post(loop_, [this] {
                cut_ = true;
                for (auto& lane : lanes_) {
                    lane->timer.cancel();
                    lane->cancel.cancel();
                }
            });
            ended.wait();  // Cancelled calls return at once; work on the pool is short.
        }
        if (auto done = journal_->commit(kConsumer, settled_until()); !done) {
            log::warn("remote write: its place was not written down", {{"error", done.error().message}});
        }
    }

    RemoteWriteStatus status() const override {
        MutexLock lock(mutex_);
        RemoteWriteStatus status = status_;
        status.name = options_.name;
        status.queue_bytes = journal_->bytes();
        status.waiting_records = journal_->next_sequence() - std::min(status_committed_, journal_->next_sequence());
        return status;
    }

private:
    void keep(const std::string& record) {
        auto kept = journal_->append(journal::Kind::Samples, record, now());
        if (!kept) {
            metrics_.lost.add();
            complain("a batch could not be queued", kept.error().message);
        }
    }

    // Everything below runs on loop_, but for read_on().

    void spawn(asio::awaitable<void> work) {
        asio::co_spawn(loop_, std::move(work), [this](std::exception_ptr failure) {
            if (failure) log::error("remote write: a job ended by an exception", {{"remote", options_.name}});
            if (--alive_ == 0) {
                client_.reset();  // On its own loop.
                ended_.set_value();
            }
        });
    }

    // The journal into the lanes.
    asio::awaitable<void> pump() {
        SteadyTime commit_at = Clock::now() + kCommitEvery;
        SteadyTime tidy_at = Clock::now() + options_.queue_sweep;
        while (!leaving_) {
            bool got = false;
            if (held_bytes_ < options_.max_held_bytes) {
                std::function<Read()> work = [this, from = next_read_] { return read_on(from); };
                Read read = co_await net::run_on<Read>(pool_, std::move(work));
                got = read.next != next_read_;
                take(std::move(read));
            }
            if (Clock::now() >= commit_at) {
                const bool tidy = Clock::now() >= tidy_at;
                std::function<bool()> work = [this, until = settled_until(), tidy] { return write_place(until, tidy); };
                co_await net::run_on<bool>(pool_, std::move(work));
                commit_at = Clock::now() + kCommitEvery;
                tidy_at = tidy ? Clock::now() + options_.queue_sweep : tidy_at;
            }
            if (!got && !leaving_) {
                pump_timer_.expires_after(kPoll);
                co_await pump_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
            }
        }
    }

    // On the pool.
    Read read_on(std::uint64_t from) {
        Read read;
        read.next = from;
        auto records = journal_->read(from, kRecordsARead);
        if (!records) {
            complain("the queue could not be read", records.error().message);
            return read;
        }
        for (const journal::Record& record : *records) {
            read.lost += record.sequence - read.next;
            read.next = record.sequence + 1;
            auto decoded = decode_record(record.sequence, record.payload);
            if (decoded) {
                read.records.push_back(*std::move(decoded));
            } else {
                ++read.lost;
                complain("a queued batch is unreadable", decoded.error().message);
            }
        }
        return read;
    }

    // On the pool. False if the place was not written.
    bool write_place(std::uint64_t until, bool tidy) {
        bool written = true;
        if (until != committed_) {
            written = journal_->commit(kConsumer, until).has_value();
            committed_ = written ? until : committed_;
        }
        if (tidy) {
            journal_->enforce_retention(retention_now());
        }
        metrics_.queue_bytes.set(static_cast<double>(journal_->bytes()));
        metrics_.waiting.set(
            static_cast<double>(journal_->next_sequence() - std::min(until, journal_->next_sequence())));
        MutexLock lock(mutex_);
        status_committed_ = until;
        return written;
    }

    void take(Read read) {
        next_read_ = read.next;
        if (read.lost > 0) {
            metrics_.lost.add(static_cast<double>(read.lost));
            complain("batches were lost from the queue", std::to_string(read.lost));
        }
        const SteadyTime at = Clock::now();
        std::vector<std::vector<QueuedSeries>> lone(lanes_.size());  // Exemplars without samples.
        for (auto& record : read.records) {
            const std::size_t count = record->request.series_count();
            if (count == 0) {
                continue;
            }
            unsettled_[record->sequence] = count;
            held_bytes_ += record->body.size();
            for (std::uint32_t i = 0; i < count; ++i) {
                QueuedSeries one{record, i};
                const std::size_t lane = std::hash<std::string_view>{}(one.label_bytes()) % lanes_.size();
                if (one.items() > 0) {
                    lanes_[lane]->shard.add(std::move(one), at);
                } else {
                    lone[lane].push_back(std::move(one));
                }
            }
        }
        for (std::size_t i = 0; i < lanes_.size(); ++i) add_lone(lanes_[i]->shard, std::move(lone[i]), at);
        if (!read.records.empty()) {
            for (auto& lane : lanes_) lane->timer.cancel();
        }
    }

    void add_lone(RemoteWriteShard& shard, std::vector<QueuedSeries> exemplars, SteadyTime at) {
        for (QueuedSeries& one : shard.attach(std::move(exemplars))) {
            if (version_ == wire::RemoteWriteVersion::V1) {
                shard.add(std::move(one), at);
            } else {
                metrics_.lost_exemplars.add();
                settle_part(*one.record);
            }
        }
    }

    // Metadata: renewed for 2.0, sent for 1.0, where it has requests of its own.
    asio::awaitable<void> tell_families() {
        while (!leaving_ && options_.families) {
            std::function<bool()> renew = [this] {
                families_.refresh();
                return true;
            };
            co_await net::run_on<bool>(pool_, std::move(renew));
            bool more = version_ == wire::RemoteWriteVersion::V1;
            while (more && !leaving_) {
                const auto some = families_.pending(Clock::now(), kFamiliesASend);
                if (some.empty()) break;
                const std::string body = encode_metadata(some);
                const auto response = co_await post(families_cancel_, wire::RemoteWriteVersion::V1, body);
                more = response && response->status / 100 != 5 && response->status != 429;
                // A receiver that wants none is asked again no sooner than others.
                if (more) families_.told(some, Clock::now());
            }
            if (leaving_) break;
            families_timer_.expires_after(options_.families_every);
            co_await families_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        }
    }

    // One lane, until the end.
    asio::awaitable<void> serve(Lane& lane) {
        while (!cut_) {
            const auto due = lane.shard.next_send();
            if (!due && leaving_) break;
            if (!due || *due > Clock::now()) {
                if (leaving_) break;  // It waits to try again: not any more.
                lane.timer.expires_at(due.value_or(SteadyTime::max()));
                co_await lane.timer.async_wait(asio::as_tuple(asio::use_awaitable));
                continue;
            }
            std::vector<QueuedSeries> batch = lane.shard.begin_send();
            SendAnswer answer = co_await send(lane, std::move(batch));
            settle(lane.shard.end_send(answer, Clock::now(), spread_(random_)));
        }
    }

    asio::awaitable<SendAnswer> send(Lane& lane, std::vector<QueuedSeries> batch) {
        const auto version = version_;
        std::size_t items = 0;
        for (const QueuedSeries& one : batch) items += one.items();
        std::function<std::string()> work = [this, version, series = std::move(batch)] {
            const auto families = families_.book();
            return encode_batch(series, version, options_.external_labels, families.get());
        };
        const std::string body = co_await net::run_on<std::string>(pool_, std::move(work));
        const SteadyTime started = Clock::now();
        Result<net::Response> response = co_await post(lane.cancel, version, body);
        metrics_.seconds.observe(std::chrono::duration<double>(Clock::now() - started).count());
        metrics_.requests.with({options_.name, response ? std::to_string(response->status) : "error"}).add();
        metrics_.bytes.add(static_cast<double>(body.size()));
        Verdict verdict = judge(response, version, items);
        if (verdict.fall_back && version_ == wire::RemoteWriteVersion::V2) {
            version_ = wire::RemoteWriteVersion::V1;
            log::info("remote write: falling back to 1.0", {{"remote", options_.name}});
        }
        if (verdict.answer.outcome == SendOutcome::TryAgain) metrics_.retries.add();
        if (!verdict.error.empty() && !cut_) complain("a request failed", verdict.error);
        MutexLock lock(mutex_);
        status_.last_error = std::move(verdict.error);
        co_return verdict.answer;
    }

    asio::awaitable<Result<net::Response>> post(net::CancelToken& cancel, wire::RemoteWriteVersion version,
                                                std::string_view body) {
        CO_TRY(auto headers, request_headers(options_, version));
        net::ClientRequest request;
        request.method = "POST";
        request.target = url_.path;
        request.headers = std::move(headers);
        request.body = body;
        const net::Deadlines deadlines{options_.timeout, options_.timeout, options_.timeout};
        CO_TRY(auto call, co_await client_->send(url_, std::move(request), deadlines, &cancel));
        net::Response response{call->head().status, call->head().headers, {}};
        CO_TRY(response.body, co_await call->read_all(kMaxAnswer));
        co_return response;
    }

    void settle(const Settled& settled) {
        for (const QueuedSeries& one : settled.series) {
            settle_part(*one.record);
            for (const auto& [record, series] : one.exemplars) settle_part(*record);
        }
        metrics_.sent.add(static_cast<double>(settled.sent));
        metrics_.refused.add(static_cast<double>(settled.refused));
        MutexLock lock(mutex_);
        status_.sent += settled.sent;
        status_.refused += settled.refused;
    }

    void settle_part(const QueuedRecord& record) {
        const auto found = unsettled_.find(record.sequence);
        if (found == unsettled_.end() || --found->second > 0) return;
        held_bytes_ -= record.body.size();
        unsettled_.erase(found);
    }

    // All records before this one are settled.
    std::uint64_t settled_until() const { return unsettled_.empty() ? next_read_ : unsettled_.begin()->first; }

    // At most a line a minute; metrics have the rest. Thread-safe.
    void complain(std::string_view what, const std::string& why) {
        {
            MutexLock lock(mutex_);
            if (Clock::now() < complain_at_) return;
            complain_at_ = Clock::now() + kComplainEvery;
        }
        log::warn("remote write: " + std::string(what), {{"remote", options_.name}, {"error", why}});
    }

    asio::io_context& loop_;
    asio::thread_pool& pool_;
    const RemoteWriteOptions options_;
    const net::Url url_;
    const std::unique_ptr<journal::Journal> journal_;
    SenderMetrics metrics_;
    std::atomic<bool> started_{false};
    std::atomic<bool> stopped_{false};
    std::promise<void> ended_;

    // Touched only on loop_, and by stop() once that has nothing of ours left.
    std::unique_ptr<net::Client> client_;
    std::vector<std::unique_ptr<Lane>> lanes_;
    SenderFamilies families_;
    wire::RemoteWriteVersion version_;
    std::uint64_t next_read_;
    std::map<std::uint64_t, std::size_t> unsettled_;  // Series not answered for, by their record's sequence.
    std::size_t held_bytes_ = 0;
    std::size_t alive_ = 0;
    bool leaving_ = false;
    bool cut_ = false;
    std::minstd_rand random_{std::random_device{}()};
    std::uniform_real_distribution<double> spread_{0, 1};

    std::uint64_t committed_;  // Touched only by write_place(), of which one runs at a time.
    asio::steady_timer pump_timer_;
    asio::steady_timer families_timer_;
    net::CancelToken families_cancel_;

    mutable Mutex mutex_;
    RemoteWriteStatus status_ GUARDED_BY(mutex_);
    std::uint64_t status_committed_ GUARDED_BY(mutex_) = 0;
    SteadyTime complain_at_ GUARDED_BY(mutex_){};
};

}  // namespace

Result<std::unique_ptr<RemoteWriteSender>> RemoteWriteSender::open(asio::io_context& loop, asio::thread_pool& pool,
                                                                   RemoteWriteOptions options,
                                                                   const std::string& directory,
                                                                   metrics::Registry& registry) {
    TRY(auto url, net::parse_url(options.url));
    TRY_UNIT(check_options(options));
    if (options.name.empty()) {
        options.name = url.host_header();
    }
    journal::Options queue;
    queue.retain_bytes = options.max_queue_bytes;
    queue.segment_bytes = std::min(kMaxSegment, std::max<std::uint64_t>(options.max_queue_bytes / 8, 1 << 16));
    queue.retain_for = Duration{0};  // What was sent goes at once.
    queue.max_record_bytes = std::size_t{64} << 20;
    TRY(auto journal, journal::Journal::open(directory, queue));
    // A place written down keeps what is behind it from going as if nobody wanted it.
    TRY_UNIT(journal->commit(kConsumer, journal->cursor(kConsumer)));
    return std::unique_ptr<RemoteWriteSender>(
        std::make_unique<SenderImpl>(loop, pool, std::move(options), std::move(url), std::move(journal), registry));
}

}  // namespace stoker::collect
