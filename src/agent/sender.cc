#include "agent/sender.h"

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>
#include <optional>
#include <random>

#include "agent/fill.h"
#include "agent/verdict.h"
#include "base/log.h"
#include "base/sync.h"
#include "collect/send/remote_write_sender_http.h"
#include "net/async.h"
#include "net/client.h"

namespace stoker::agent {
namespace {

namespace asio = boost::asio;
using Steady = std::chrono::steady_clock;

constexpr std::size_t kMaxAnswer = std::size_t{64} << 10;
constexpr Duration kComplainEvery{60'000};

// A destination and what was learnt of it.
struct Place {
    Destination destination;
    net::Url url;
    std::unique_ptr<net::Client> client;  // None: to be made, with certificates read anew.
    wire::RemoteWriteVersion version;
    bool zstd;
    bool knows_zstd = false;  // Took a request in zstd once.
    SteadyTime tell_families_at{};
};

struct SenderMetrics {
    SenderMetrics(metrics::Registry& registry, const std::string& reader)
        : requests(registry.counter("stoker_agent_requests_total",
                                    "Requests of the agent, by destination and status; \"error\" without an answer.",
                                    {"destination", "status"})),
          samples(
              registry.counter("stoker_agent_sent_samples_total", "Samples that a destination took.", {"destination"})),
          refused(registry.counter("stoker_agent_refused_samples_total", "Samples that a destination refused for good.",
                                   {"destination"})),
          bytes(registry.counter("stoker_agent_sent_bytes_total", "Bytes of requests, compressed.", {"destination"})),
          waiting(registry
                      .gauge("stoker_agent_waiting_records", "Batches in the buffer that a destination has not taken.",
                             {"destination"})
                      .with({reader})) {}

    metrics::Family<metrics::Counter>& requests;
    metrics::Family<metrics::Counter>& samples;
    metrics::Family<metrics::Counter>& refused;
    metrics::Family<metrics::Counter>& bytes;
    metrics::Gauge& waiting;
};

class SenderImpl final : public Sender {
public:
    SenderImpl(asio::io_context& loop, asio::thread_pool& pool, Buffer& buffer, SenderOptions options,
               std::vector<Place> places, metrics::Registry& registry)
        : loop_(loop),
          pool_(pool),
          buffer_(buffer),
          options_(std::move(options)),
          metrics_(registry, options_.reader),
          places_(std::move(places)),
          delivery_(options_.delivery, Steady::now()),
          next_(buffer.place(options_.reader)),
          timer_(loop) {
        settled_ = next_;
        status_.reader = options_.reader;
        status_.destination = places_[0].destination.remote.name;
    }
    ~SenderImpl() override { stop(); }

    void start() override {
        if (started_.exchange(true)) return;
        asio::co_spawn(loop_, run(), [this](std::exception_ptr failure) {
            if (failure) log::error("sending ended by an exception", {{"reader", options_.reader}});
            places_.clear();  // Clients go on their own loop.
            ended_.set_value();
        });
    }

    void stop() override {
        if (!started_ || stopped_.exchange(true)) return;
        asio::post(loop_, [this] {
            leaving_ = true;
            timer_.cancel();
            cancel_.cancel();
        });
        ended_.get_future().wait();  // A cancelled call returns at once; work on the pool is short.
    }

    SenderStatus status() const override {
        MutexLock lock(mutex_);
        SenderStatus status = status_;
        status.waiting_records = buffer_.end() - std::min(settled_, buffer_.end());
        return status;
    }

private:
    asio::awaitable<void> run() {
        bool backlog = false;
        while (!leaving_) {
            const SteadyTime due = delivery_.next_send(backlog);
            if (due > Steady::now()) {
                timer_.expires_at(due);
                co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
                continue;
            }
            std::function<std::shared_ptr<Filled>()> look = [this, from = next_, most = delivery_.most_records()] {
                return std::make_shared<Filled>(
                    fill(buffer_, options_.reader, from, {most, options_.most_samples}, Steady::now()));
            };
            const auto batch = co_await net::run_on<std::shared_ptr<Filled>>(pool_, std::move(look));
            if (leaving_) break;
            if (!batch->error.empty()) complain("the buffer could not be read", batch->error);
            if (batch->batch.empty()) {
                backlog = false;
                if (std::exchange(next_, batch->next) != next_) co_await keep();
                // Nothing new: look again later, as after a request.
                timer_.expires_after(options_.delivery.interval);
                co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
                continue;
            }
            const auto settled = co_await send(*batch);
            backlog = batch->more || settled == Delivery::Settled::Waits;
            if (settled == Delivery::Settled::Waits) continue;
            next_ = batch->next;
            co_await keep();
        }
    }

    asio::awaitable<void> keep() {
        std::function<bool()> work = [this] { return keep_place(); };
        co_await net::run_on<bool>(pool_, std::move(work));
    }

    // On the pool.
    bool keep_place() {
        const auto kept = buffer_.keep_place(options_.reader, next_);
        if (!kept) complain("the place in the buffer was not written down", kept.error().message);
        const std::uint64_t end = buffer_.end();
        metrics_.waiting.set(static_cast<double>(end - std::min(next_, end)));
        MutexLock lock(mutex_);
        settled_ = next_;
        return kept.has_value();
    }

    asio::awaitable<Delivery::Settled> send(const Filled& filled) {
        Place& place = places_[delivery_.target()];
        const bool otlp = place.destination.otlp;
        const bool tell = options_.families && (otlp || Steady::now() >= place.tell_families_at);
        const auto version = place.version;
        const bool zstd = place.zstd;
        std::function<std::string()> encode = [this, &filled, version, zstd, tell, otlp] {
            const auto families = tell ? options_.families() : nullptr;
            return filled.batch.encode({version, zstd, families.get(), &options_.external_labels, otlp});
        };
        const std::string body = co_await net::run_on<std::string>(pool_, std::move(encode));
        const Result<net::Response> response = co_await post(place, version, zstd, body);
        const std::string& name = place.destination.remote.name;
        metrics_.requests.with({name, response ? std::to_string(response->status) : "error"}).add();
        metrics_.bytes.with({name}).add(static_cast<double>(body.size()));
        const Judgement judged = judge(response, {version, zstd, place.knows_zstd, otlp}, filled.batch.samples());
        if (judged.to_v1) place.version = wire::RemoteWriteVersion::V1;
        if (judged.to_snappy) place.zstd = false;
        if (!response && net::fault_of(response.error()) == net::Fault::Tls) place.client.reset();
        if (judged.answer.outcome == collect::SendOutcome::Sent) {
            place.knows_zstd = place.knows_zstd || zstd;
            if (tell) place.tell_families_at = Steady::now() + options_.families_every;
            if (tell && !otlp && version == wire::RemoteWriteVersion::V1) co_await tell_families(place);
        }
        if (!judged.error.empty() && !leaving_) complain("a request to " + name + " failed", judged.error);
        co_return settle(judged, name, filled.batch);
    }

    Delivery::Settled settle(const Judgement& judged, const std::string& name, const Batch& batch) {
        // To be sent again at once in another form: no failure of the receiver.
        if (judged.to_v1 || judged.to_snappy) {
            log::info("falling back to what the destination knows",
                      {{"destination", name}, {"to", judged.to_v1 ? "remote write 1.0" : "snappy"}});
            return Delivery::Settled::Waits;
        }
        const auto settled =
            delivery_.answered(judged.answer, batch.samples(), batch.records(), Steady::now(), spread_(random_));
        std::size_t refused = settled == Delivery::Settled::Dropped ? batch.samples() : 0;
        if (settled == Delivery::Settled::Taken) refused = std::min(judged.answer.refused, batch.samples());
        const std::size_t sent = settled == Delivery::Settled::Taken ? batch.samples() - refused : 0;
        metrics_.samples.with({name}).add(static_cast<double>(sent));
        metrics_.refused.with({name}).add(static_cast<double>(refused));
        MutexLock lock(mutex_);
        status_.sent_samples += sent;
        status_.refused_samples += refused;
        status_.last_error = judged.error;
        status_.destination = places_[delivery_.target()].destination.remote.name;
        if (sent > 0) status_.last_sent = now();
        return settled;
    }

    // 1.0 tells of families in requests of their own; one that is lost is repeated with the next round.
    asio::awaitable<void> tell_families(Place& place) {
        std::function<std::string()> encode = [this] {
            std::vector<tsdb::FamilyMetadata> all;
            for (const auto& [family, metadata] : *options_.families()) all.push_back({family, metadata});
            return collect::encode_metadata(all);
        };
        const std::string body = co_await net::run_on<std::string>(pool_, std::move(encode));
        const auto response = co_await post(place, wire::RemoteWriteVersion::V1, false, body);
        if (!response) log::debug("metadata was not sent", {{"error", response.error().message}});
    }

    asio::awaitable<Result<net::Response>> post(Place& place, wire::RemoteWriteVersion version, bool zstd,
                                                std::string_view body) {
        const collect::RemoteWriteOptions& remote = place.destination.remote;
        CO_TRY(auto headers, collect::request_headers(remote, version));
        if (zstd) headers.set("Content-Encoding", "zstd");
        if (place.destination.otlp) {
            headers.set("Content-Encoding", "gzip");
            headers.set("Content-Type", "application/x-protobuf");
            headers.erase("X-Prometheus-Remote-Write-Version");
        }
        if (!place.client) {
            net::ClientOptions client;
            client.idle_per_origin = 1;
            client.idle_timeout = options_.delivery.interval * 4;
            client.tls = remote.tls;
            place.client = net::Client::create(loop_, client);
        }
        net::ClientRequest request;
        request.method = "POST";
        request.target = place.url.path;
        request.headers = std::move(headers);
        request.body = body;
        const net::Deadlines deadlines{remote.timeout, remote.timeout, remote.timeout};
        CO_TRY(auto call, co_await place.client->send(place.url, std::move(request), deadlines, &cancel_));
        net::Response response{call->head().status, call->head().headers, {}};
        CO_TRY(response.body, co_await call->read_all(kMaxAnswer));
        co_return response;
    }

    // At most a line a minute; metrics have the rest. Thread-safe.
    void complain(const std::string& what, const std::string& why) {
        {
            MutexLock lock(mutex_);
            if (Steady::now() < complain_at_) return;
            complain_at_ = Steady::now() + kComplainEvery;
        }
        log::warn(what, {{"reader", options_.reader}, {"error", why}});
    }

    asio::io_context& loop_;
    asio::thread_pool& pool_;
    Buffer& buffer_;
    const SenderOptions options_;
    SenderMetrics metrics_;
    std::atomic<bool> started_{false};
    std::atomic<bool> stopped_{false};
    std::promise<void> ended_;

    // Touched only on loop_; what runs on the pool for it runs while it waits.
    std::vector<Place> places_;
    Delivery delivery_;
    std::uint64_t next_;
    asio::steady_timer timer_;
    net::CancelToken cancel_;
    bool leaving_ = false;
    std::minstd_rand random_{std::random_device{}()};
    std::uniform_real_distribution<double> spread_{0, 1};

    mutable Mutex mutex_;
    SenderStatus status_ GUARDED_BY(mutex_);
    std::uint64_t settled_ GUARDED_BY(mutex_) = 0;
    SteadyTime complain_at_ GUARDED_BY(mutex_){};
};

}  // namespace

Result<std::unique_ptr<Sender>> Sender::create(asio::io_context& loop, asio::thread_pool& pool, Buffer& buffer,
                                               SenderOptions options, metrics::Registry& registry) {
    std::vector<Place> places;
    for (Destination& destination : options.destinations) {
        TRY(auto url, net::parse_url(destination.remote.url));
        TRY_UNIT(collect::check_options(destination.remote));
        if (destination.remote.name.empty()) destination.remote.name = url.host_header();
        places.push_back({destination, std::move(url), nullptr, destination.remote.protocol, destination.zstd});
    }
    options.delivery.destinations = places.size();
    // A place written down keeps what is behind it from going as if nobody wanted it.
    TRY_UNIT(buffer.keep_place(options.reader, buffer.place(options.reader)));
    return std::unique_ptr<Sender>(
        std::make_unique<SenderImpl>(loop, pool, buffer, std::move(options), std::move(places), registry));
}

}  // namespace stoker::agent
