// A gateway with scripted replicas behind it and a client before it, all real: sockets, servers, loops.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/gateway.h"
#include "net/async.h"
#include "net/client.h"

namespace stoker::gateway::test {

// What a replica does with a request for the model.
enum class Act : std::uint8_t {
    Answer,        // Well: `events` contents and usage if asked, or a whole answer.
    Status,        // Answers `status` with `body`.
    Reset,         // Closes before a response head.
    Silent,        // Never answers.
    Cut,           // Stream: breaks off after `events`. Whole: breaks off in mid-body.
    Stall,         // Stream: falls silent after `events`.
    Malformed,     // Stream: sends half an event as a whole one after `events`. Whole: half an answer.
    NoDone,        // Stream: all but [DONE].
    CutAtEnd,      // Stream: breaks off after the finish_reason.
    EndsAtFinish,  // Stream: ends cleanly there.
    NoEnd,         // Stream: ends cleanly after `events`, without finish_reason and [DONE].
    ErrorEvent,    // Stream: an error event with code `status` after `events`.
    NoUsage,       // Stream: as an engine that ignores stream_options.
    Late,          // Well, but begins only once `until` says so.
    Big            // Whole: an answer of `events` bytes and usage at its end.
};

struct Script {
    Act act = Act::Answer;
    int events = 3;
    int status = 500;
    std::string body = R"({"error":{"message":"scripted","code":0}})";
    std::string content_type = "application/json";
    std::string retry_after = {};
    std::function<bool()> until = {};  // Stream: after the events, waits for this before it goes on.
    int times = -1;                    // After that many requests, all is well again; -1: never.
};

class Upstream {
public:
    explicit Upstream(net::Loops& loops);
    ~Upstream();

    std::string url() const { return "http://" + address_; }
    std::string address() const { return address_; }
    void play(Script script);
    void set_health(int status);        // 0: accepts and never answers.
    void set_owner(std::string owner);  // Of its models; "somebody" until then.
    void stop();                        // Connections are refused from now on.
    void start();                       // On the same port again.

    int requests() const { return requests_; }
    int left() const { return left_; }  // Requests whose client went away.
    std::string last_body() const;
    net::Headers last_headers() const;

private:
    boost::asio::awaitable<void> serve(net::Exchange& exchange);
    boost::asio::awaitable<void> stream(net::Exchange& exchange, Script script, bool usage);
    boost::asio::awaitable<void> whole(net::Exchange& exchange, Script script);
    boost::asio::awaitable<void> wait_for_end(net::Exchange& exchange);
    Script next();
    std::string owner() const;

    net::Loops& loops_;
    metrics::Registry registry_;
    std::string address_;
    std::unique_ptr<net::Server> server_;
    std::atomic<int> requests_{0};
    std::atomic<int> left_{0};
    std::atomic<int> health_{200};
    std::atomic<bool> stopping_{false};
    mutable Mutex mutex_;
    Script script_ GUARDED_BY(mutex_);
    std::string owner_ GUARDED_BY(mutex_) = "somebody";
    std::string last_body_ GUARDED_BY(mutex_);
    net::Headers last_headers_ GUARDED_BY(mutex_);
};

// What the client got.
struct Reply {
    int status = 0;  // 0: no response head.
    net::Headers headers;
    std::string body;
    bool clean = false;  // The body ended as HTTP says it should.

    std::string header(std::string_view name) const { return std::string(headers.get(name).value_or("")); }
    bool has(std::string_view text) const { return body.find(text) != std::string::npos; }
    std::string code() const;  // Of the error in the body or its last event.
};

struct Ask {
    std::string body = R"({"model":"tiny","stream":true,"messages":[{"role":"user","content":"hi"}]})";
    std::string path = "/v1/chat/completions";
    std::string method = "POST";
    net::Headers headers = {};
    int leave_after_pieces = -1;  // The client goes away after that many pieces of the body; 0: before the head.
};

inline const std::string kWhole = R"({"model":"tiny","messages":[{"role":"user","content":"hi"}]})";

// Health probing is off (an hour apart) unless a test asks for it. Not to be derived from: its servers call it until
// its own destructor has stopped them.
class Rig final : public RecordSink, public ReplicaObserver {
public:
    explicit Rig(std::size_t replicas, std::function<void(PoolOptions&)> adjust = {}, GatewayOptions options = {});
    ~Rig() override;

    Reply ask(Ask ask = {});
    std::vector<Reply> ask_all(int count, const Ask& ask = {});  // At once.
    std::future<Reply> begin(Ask ask);

    // Sends these bytes as they are and returns all that comes until the gateway closes.
    std::string send_raw(const std::string& bytes);

    // Replies whose body has begun to come.
    int flowing() const { return flowing_; }

    Upstream& upstream(std::size_t index) { return *upstreams_[index]; }
    Gateway& gateway() { return *gateway_; }
    PoolOptions& pool() { return routes_.pools[0]; }
    Result<Unit> apply() { return gateway_->apply(routes_); }
    Routes& routes() { return routes_; }
    // Another pool with one replica, whose upstream comes after those there are.
    PoolOptions& add_pool(const std::string& name, const std::string& model);
    metrics::Registry& registry() { return registry_; }
    ReplicaStatus status(std::size_t index) { return gateway_->statuses()[index]; }

    // The records and events so far, once there are `count` of them (or five seconds have passed).
    std::vector<records::RequestRecord> records(std::size_t count);
    std::vector<ReplicaEvent> events(std::size_t count);

    void on_record(const records::RequestRecord& record) override;
    void on_replica_event(const ReplicaEvent& event) override;

private:
    net::Loops loops_{2};
    net::Loops other_loops_{2};  // Replicas and clients.
    metrics::Registry registry_;
    std::vector<std::unique_ptr<Upstream>> upstreams_;
    Routes routes_;
    std::unique_ptr<Gateway> gateway_;
    std::unique_ptr<net::Server> server_;
    std::unique_ptr<net::Client> client_;
    std::atomic<int> flowing_{0};
    Mutex mutex_;
    std::vector<records::RequestRecord> records_ GUARDED_BY(mutex_);
    std::vector<ReplicaEvent> events_ GUARDED_BY(mutex_);
};

// Polls until `condition` holds; false after `limit`.
bool eventually(const std::function<bool()>& condition, Duration limit = Duration{5'000});

}  // namespace stoker::gateway::test
