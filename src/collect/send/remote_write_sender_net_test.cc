// The sender against a receiver on a socket that goes away, comes back, and changes its mind.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <map>
#include <thread>

#include "collect/send/remote_write_sender.h"
#include "collect/send/remote_write_sender_http.h"
#include "net/async.h"
#include "net/server.h"
#include "tsdb/store_fixture.h"
#include "wire/compression.h"

namespace stoker::collect {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;
using wire::RemoteWriteVersion;

bool eventually(const std::function<bool()>& condition, seconds limit = seconds(20)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(milliseconds(5));
    }
    return true;
}

// Keeps the times of the samples of each series in the order in which they came.
class Receiver {
public:
    Receiver() { loops_.start(); }
    ~Receiver() { close(); }

    // On the same port each time.
    void open() {
        net::ServerOptions options;
        options.name = "receiver";
        options.listen = address_;
        auto opened = net::Server::open(
            loops_, options, [this](net::Exchange& exchange) { return serve(*this, exchange); }, registry_);
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        server_ = *std::move(opened);
        address_ = server_->address();
    }
    void close() {
        if (server_) server_->stop(Duration{0});
        server_.reset();
    }
    std::string url() const { return "http://" + address_ + "/api/v1/write"; }

    std::size_t received() const {
        std::lock_guard lock(mutex_);
        std::size_t total = 0;
        for (const auto& [series, times] : times_) total += times.size();
        return total;
    }
    // By metric. Repeated times, which a crash explains, are left out if `once`.
    std::map<std::string, std::vector<std::int64_t>> times() const {
        std::lock_guard lock(mutex_);
        return times_;
    }
    std::string families() const {
        std::lock_guard lock(mutex_);
        std::string text;
        for (const auto& [family, type] : families_) text += family + ":" + type + " ";
        return text;
    }
    void forget_families() {
        std::lock_guard lock(mutex_);
        families_.clear();
    }
    std::size_t exemplars() const {
        std::lock_guard lock(mutex_);
        return exemplars_;
    }
    std::string headers() const {
        std::lock_guard lock(mutex_);
        return headers_;
    }

    std::atomic<int> status{204};  // For all requests that it does not take.
    std::atomic<bool> knows_v2{true};
    std::atomic<int> requests{0};

private:
    static asio::awaitable<void> serve(Receiver& self, net::Exchange& exchange) {
        ++self.requests;
        auto body = co_await exchange.read_body(1 << 24);
        if (!body) co_return;
        (void)co_await exchange.respond(self.answer(exchange.request().headers, *body));
    }
    net::Response answer(const net::Headers& headers, const std::string& body) {
        net::Response response;
        const bool v2 = headers.get("Content-Type").value_or("").find("v2") != std::string_view::npos;
        response.status = v2 && !knows_v2 ? 415 : status.load();
        if (response.status != 204) return response;
        if (v2) response.headers.add("X-Prometheus-Remote-Write-Samples-Written", "1");
        wire::WriteRequest request;
        const auto message = wire::decompress("snappy", body, 1 << 26);
        EXPECT_TRUE(message.has_value());
        EXPECT_TRUE(
            wire::decode_write_request(v2 ? RemoteWriteVersion::V2 : RemoteWriteVersion::V1, *message, {}, request));
        std::lock_guard lock(mutex_);
        headers_.clear();
        for (const char* name : {"Authorization", "X-Own", "X-Prometheus-Remote-Write-Version"}) {
            headers_ += std::string(headers.get(name).value_or("-")) + " ";
        }
        exemplars_ += request.exemplars.size();
        for (const auto& one : request.metadata) families_[std::string(one.family)] = one.type;
        for (std::size_t i = 0; i < request.series_count(); ++i) {
            wire::LabelViews labels;
            EXPECT_TRUE(wire::parse_label_bytes(request.label_bytes(request.series[i]), labels));
            for (auto s = request.series[i].first_sample; s < request.series[i + 1].first_sample; ++s) {
                times_[std::string(labels.at(0).second)].push_back(request.samples[s].time);
            }
        }
        return response;
    }

    net::Loops loops_{1};
    metrics::Registry registry_;
    std::string address_ = "127.0.0.1:0";
    std::unique_ptr<net::Server> server_;
    mutable std::mutex mutex_;
    std::map<std::string, std::vector<std::int64_t>> times_;
    std::string headers_;
    std::map<std::string, std::string> families_;
    std::size_t exemplars_ = 0;
};

class RemoteWriteSenderTest : public ::testing::Test {
protected:
    void SetUp() override {
        loops.start();
        receiver.open();
    }
    void TearDown() override {
        sender.reset();
        pool.join();
    }

    void open(RemoteWriteOptions options = {}) {
        options.url = receiver.url();
        options.shard.samples_per_send = 50;
        options.shard.batch_deadline = milliseconds(20);
        options.shard.max_backoff = milliseconds(50);
        options.timeout = seconds(5);
        auto opened = RemoteWriteSender::open(loops.at(0), pool, options, folder.path() + "/queue", registry);
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        sender = *std::move(opened);
        sender->start();
    }
    // `count` rounds of 20 series, a sample each.
    void append(int count) {
        for (int i = 0; i < count; ++i, ++time) {
            std::vector<tsdb::SeriesSample> batch;
            for (int s = 0; s < 20; ++s) {
                batch.push_back({tsdb::Labels{{"__name__", "m" + std::to_string(s)}}, {time, 1.0}});
            }
            sender->append(batch);
        }
    }
    // All rounds so far at each series, in order; each just once if `once`.
    void expect_all(bool once) {
        const auto times = receiver.times();
        EXPECT_EQ(times.size(), 20u);
        for (const auto& [series, got] : times) {
            std::vector<std::int64_t> first;
            for (const std::int64_t one : got) {
                if (first.empty() || one > first.back()) first.push_back(one);
            }
            ASSERT_EQ(first.size(), static_cast<std::size_t>(time)) << series;
            if (once) {
                EXPECT_EQ(got.size(), first.size()) << series;
            }
        }
    }

    tsdb::testing::TempFolder folder;
    net::Loops loops{1};
    asio::thread_pool pool{2};
    metrics::Registry registry;
    Receiver receiver;
    std::unique_ptr<RemoteWriteSender> sender;
    std::int64_t time = 0;
};

TEST_F(RemoteWriteSenderTest, SendsAllInOrder) {
    for (const auto version : {RemoteWriteVersion::V1, RemoteWriteVersion::V2}) {
        RemoteWriteOptions options;
        options.protocol = version;
        options.name = version == RemoteWriteVersion::V1 ? "one" : "two";
        open(options);
        append(100);
        ASSERT_TRUE(eventually([&] { return receiver.received() == static_cast<std::size_t>(time) * 20; }));
        expect_all(true);
        sender->stop(seconds(5));
        EXPECT_EQ(sender->status().sent, 2000u);
        EXPECT_EQ(sender->status().refused, 0u);
        sender.reset();
    }
}

TEST_F(RemoteWriteSenderTest, OutlivesOutagesOfEveryKind) {
    open();
    append(20);
    ASSERT_TRUE(eventually([&] { return receiver.received() >= 100; }));
    receiver.close();
    append(50);
    receiver.status = 503;
    receiver.open();
    append(20);
    const int before = receiver.requests;
    ASSERT_TRUE(eventually([&] { return receiver.requests > before + 8; }));
    receiver.status = 429;
    append(10);
    receiver.status = 204;
    ASSERT_TRUE(eventually([&] { return receiver.received() >= static_cast<std::size_t>(time) * 20; }));
    expect_all(false);  // A connection cut after the receiver took the request makes it come twice.
    EXPECT_EQ(sender->status().refused, 0u);
    EXPECT_TRUE(eventually([&] { return sender->status().last_error.empty(); }));
}

TEST_F(RemoteWriteSenderTest, GoesOnWhereItStopped) {
    receiver.status = 503;
    open();
    append(30);
    sender->stop(milliseconds(100));
    append(5);  // Taken into the journal still.
    sender.reset();
    receiver.status = 204;
    open();
    append(30);
    ASSERT_TRUE(eventually([&] { return receiver.received() >= static_cast<std::size_t>(time) * 20; }));
    sender->stop(seconds(5));
    sender.reset();
    open();
    append(1);
    ASSERT_TRUE(eventually([&] { return receiver.received() >= static_cast<std::size_t>(time) * 20; }));
    expect_all(true);
}

TEST_F(RemoteWriteSenderTest, StopSendsWhatItHasRead) {
    RemoteWriteOptions options;
    open(options);
    append(1);
    ASSERT_TRUE(eventually([&] { return receiver.received() == 20; }));
    EXPECT_EQ(sender->status().queue_bytes > 0, true);
    const auto begin = std::chrono::steady_clock::now();
    sender->stop(seconds(5));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(3));
    EXPECT_EQ(sender->status().refused, 0u);
}

TEST_F(RemoteWriteSenderTest, FallsBackToTheOlderProtocol) {
    receiver.knows_v2 = false;
    RemoteWriteOptions options;
    options.protocol = RemoteWriteVersion::V2;
    options.headers.add("X-Own", "mine");
    options.basic_user = "user";
    options.basic_password = "pass";
    open(options);
    append(10);
    ASSERT_TRUE(eventually([&] { return receiver.received() == 200; }));
    expect_all(true);
    EXPECT_EQ(receiver.headers(), "Basic dXNlcjpwYXNz mine 0.1.0 ");
}

// Families come from the store whenever they are sent, so neither a restart nor a late receiver misses them.
TEST_F(RemoteWriteSenderTest, TellsOfFamiliesAndExemplars) {
    for (const auto version : {RemoteWriteVersion::V1, RemoteWriteVersion::V2}) {
        const std::size_t had = receiver.exemplars();
        RemoteWriteOptions options;
        options.protocol = version;
        options.families_every = milliseconds(20);
        options.families = [] { return std::vector<tsdb::FamilyMetadata>{{"m1", {"gauge", "One.", ""}}}; };
        open(options);
        // The receiver may see the first batch before the families were read: go on until it was told.
        ASSERT_TRUE(eventually([&] {
            append(1);
            return receiver.families() == "m1:gauge ";
        }));
        append(1);
        sender->append_exemplars({{tsdb::Labels{{"__name__", "m3"}}, {{tsdb::Labels{{"t", "1"}}, 1, time}}}});
        ASSERT_TRUE(eventually([&] { return receiver.exemplars() == had + 1; }));
        sender->stop(seconds(5));
        sender.reset();
        receiver.forget_families();
    }
}

TEST_F(RemoteWriteSenderTest, AFullQueueDropsItsOldest) {
    receiver.status = 503;
    RemoteWriteOptions options;
    options.max_queue_bytes = 1 << 18;
    options.max_held_bytes = 1;  // So that it is the disk that holds them.
    options.queue_sweep = milliseconds(100);
    open(options);
    append(8'000);
    ASSERT_TRUE(eventually([&] { return sender->status().queue_bytes < (1 << 18) + (1 << 17); }, seconds(30)));
    receiver.status = 204;
    append(1);
    ASSERT_TRUE(eventually([&] {
        const auto times = receiver.times();
        return times.contains("m0") && times.at("m0").back() == time - 1;
    }));
    EXPECT_GT(registry.counter("stoker_remote_write_lost_batches_total", "", {"remote"})
                  .with({receiver.url().substr(7, receiver.url().find("/api") - 7)})
                  .value(),
              0);
    for (const auto& [series, got] : receiver.times()) EXPECT_TRUE(std::is_sorted(got.begin(), got.end())) << series;
}

TEST(RemoteWriteAnswers, MeanWhatTheSpecificationSays) {
    const auto judged = [](int status, RemoteWriteVersion version = RemoteWriteVersion::V1,
                           const char* written = nullptr, const char* retry_after = nullptr) {
        net::Response response;
        response.status = status;
        if (written != nullptr) response.headers.add("X-Prometheus-Remote-Write-Samples-Written", written);
        if (retry_after != nullptr) response.headers.add("Retry-After", retry_after);
        const Verdict verdict = judge(response, version, 10);
        const char* const outcome = verdict.answer.outcome == SendOutcome::Sent       ? "sent"
                                    : verdict.answer.outcome == SendOutcome::TryAgain ? "again"
                                                                                      : "refused";
        return std::string(outcome) + (verdict.fall_back ? " falling back" : "") +
               (verdict.answer.worth_parting ? " in parts" : "") +
               (verdict.answer.refused > 0 ? " but " + std::to_string(verdict.answer.refused) : "") +
               (verdict.answer.retry_after.count() > 0 ? " after " + format_duration(verdict.answer.retry_after) : "");
    };
    constexpr auto kV2 = RemoteWriteVersion::V2;
    EXPECT_EQ(judged(200), "sent");
    EXPECT_EQ(judged(204, kV2, "10"), "sent");
    EXPECT_EQ(judged(204, kV2), "again falling back");
    EXPECT_EQ(judged(415, kV2), "again falling back");
    EXPECT_EQ(judged(415), "refused");
    EXPECT_EQ(judged(400), "refused in parts");
    EXPECT_EQ(judged(400, kV2, "7"), "sent but 3");
    EXPECT_EQ(judged(404), "refused");
    EXPECT_EQ(judged(401), "refused");
    EXPECT_EQ(judged(429, kV2, nullptr, "7"), "again after 7s");
    EXPECT_EQ(judged(503, kV2, nullptr, "soon"), "again");
    EXPECT_EQ(judge(Error{Errc::Unavailable, "refused"}, kV2, 1).answer.outcome, SendOutcome::TryAgain);
}

TEST(RemoteWriteConfig, RefusesWhatCannotBe) {
    metrics::Registry registry;
    asio::io_context loop;
    asio::thread_pool pool(1);
    tsdb::testing::TempFolder folder;
    const auto refused = [&](const RemoteWriteOptions& options) {
        return !RemoteWriteSender::open(loop, pool, options, folder.path() + "/q", registry).has_value();
    };
    RemoteWriteOptions options;
    options.url = "a";
    EXPECT_TRUE(refused(options));
    options.url = "http://a/b";
    EXPECT_FALSE(refused(options));
    options.headers = {{"content-type", "x"}};
    EXPECT_TRUE(refused(options));
    options.headers.clear();
    options.bearer_token = "x";
    options.basic_user = "y";
    EXPECT_TRUE(refused(options));
    options.basic_user.clear();
    options.shards = 0;
    EXPECT_TRUE(refused(options));
    pool.join();
}

}  // namespace
}  // namespace stoker::collect
