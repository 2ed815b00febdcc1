#include "gateway/rig_test.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <thread>
#include <utility>

#include "wire/openai.h"

namespace stoker::gateway::test {
namespace asio = boost::asio;
namespace {

std::string content_event(int index) {
    return R"(data: {"id":"c","model":"engine-name","choices":[{"index":0,"delta":{"content":"t)" +
           std::to_string(index) + "\"}}]}\n\n";
}

const std::string kRoleEvent =
    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
const std::string kFinishEvent =
    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
constexpr std::string_view kDoneEvent = "data: [DONE]\n\n";

std::string usage_json(int completion) {
    return R"("usage":{"prompt_tokens":10,"completion_tokens":)" + std::to_string(completion) +
           R"(,"prompt_tokens_details":{"cached_tokens":4}})";
}

net::ResponseHead head_of(int status, const std::string& type) {
    net::ResponseHead head;
    head.status = status;
    head.headers.add("content-type", type);
    return head;
}

}  // namespace

bool eventually(const std::function<bool()>& condition, Duration limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

Upstream::Upstream(net::Loops& loops) : loops_(loops), address_("127.0.0.1:0") {
    start();
}

Upstream::~Upstream() {
    stop();
}

void Upstream::start() {
    stopping_ = false;
    net::ServerOptions options;
    options.name = "upstream";
    options.listen = address_;
    auto server = net::Server::open(
        loops_, options, [this](net::Exchange& exchange) { return serve(exchange); }, registry_);
    ASSERT_TRUE(server) << server.error().message;
    server_ = *std::move(server);
    address_ = server_->address();
}

void Upstream::stop() {
    stopping_ = true;
    if (server_) server_->stop(Duration{0});
    server_.reset();
}

void Upstream::play(Script script) {
    MutexLock lock(mutex_);
    script_ = std::move(script);
}

void Upstream::set_health(int status) {
    health_ = status;
}

void Upstream::set_owner(std::string owner) {
    MutexLock lock(mutex_);
    owner_ = std::move(owner);
}

std::string Upstream::owner() const {
    MutexLock lock(mutex_);
    return owner_;
}

std::string Upstream::last_body() const {
    MutexLock lock(mutex_);
    return last_body_;
}

net::Headers Upstream::last_headers() const {
    MutexLock lock(mutex_);
    return last_headers_;
}

Script Upstream::next() {
    MutexLock lock(mutex_);
    if (script_.times == 0) return {};
    if (script_.times > 0) --script_.times;
    return script_;
}

asio::awaitable<void> Upstream::wait_for_end(net::Exchange& exchange) {
    exchange.on_client_gone([]() {});
    while (!exchange.client_gone() && !stopping_) (void)co_await net::sleep_for(Duration{2});
    if (exchange.client_gone()) ++left_;
    exchange.abort();
}

asio::awaitable<void> Upstream::serve(net::Exchange& exchange) {
    if (exchange.request().path() == "/health") {
        if (health_ == 0) co_return co_await wait_for_end(exchange);
        net::Response healthy;
        healthy.status = health_;
        (void)co_await exchange.respond(std::move(healthy));
        co_return;
    }
    if (exchange.request().path() == "/v1/models") {
        net::Response models;
        models.headers.add("content-type", "application/json");
        models.body = R"({"object":"list","data":[{"id":"engine-name","owned_by":")" + owner() + "\"}]}";
        (void)co_await exchange.respond(std::move(models));
        co_return;
    }
    auto body = co_await exchange.read_body(1 << 26);
    if (!body) co_return;
    const auto scan = wire::scan_request(*body);
    {
        MutexLock lock(mutex_);
        last_body_ = *body;
        last_headers_ = exchange.request().headers;
    }
    Script script = next();
    ++requests_;
    if (script.act == Act::Silent) co_return co_await wait_for_end(exchange);
    if (script.act == Act::Reset) co_return exchange.abort();
    if (script.act == Act::Status) {
        net::Response response;
        response.status = script.status;
        response.headers.add("content-type", script.content_type);
        if (!script.retry_after.empty()) response.headers.add("retry-after", script.retry_after);
        response.body = script.body;
        (void)co_await exchange.respond(std::move(response));
        co_return;
    }
    while (script.act == Act::Late && !script.until() && !stopping_) (void)co_await net::sleep_for(Duration{2});
    if (scan && scan->stream) {
        const bool usage = scan->usage == wire::UsageAsk::Asked && script.act != Act::NoUsage;
        co_return co_await stream(exchange, std::move(script), usage);
    }
    co_await whole(exchange, std::move(script));
}

asio::awaitable<void> Upstream::stream(net::Exchange& exchange, Script script, bool usage) {
    (void)co_await exchange.start(head_of(200, "text/event-stream"));
    (void)co_await exchange.write(kRoleEvent);
    for (int i = 0; i < script.events; ++i) (void)co_await exchange.write(content_event(i));
    while (script.until && !script.until() && !stopping_) (void)co_await net::sleep_for(Duration{2});
    switch (script.act) {
        case Act::Cut:
            co_return exchange.abort();
        case Act::Stall:
            co_return co_await wait_for_end(exchange);
        case Act::Malformed:
            (void)co_await exchange.write("data: {\"choices\":[{\"del\n\n");
            break;
        case Act::NoEnd:
            (void)co_await exchange.finish();
            co_return;
        case Act::ErrorEvent: {
            const std::string error =
                R"(data: {"error":{"message":"engine says no","code":)" + std::to_string(script.status) + "}}\n\n";
            (void)co_await exchange.write(error);
            break;
        }
        default:
            break;
    }
    (void)co_await exchange.write(kFinishEvent);
    if (script.act == Act::CutAtEnd) co_return exchange.abort();
    if (script.act == Act::EndsAtFinish) {
        (void)co_await exchange.finish();
        co_return;
    }
    if (usage) {
        const std::string event = R"(data: {"id":"c","choices":[],)" + usage_json(script.events) + "}\n\n";
        (void)co_await exchange.write(event);
    }
    if (script.act != Act::NoDone) (void)co_await exchange.write(kDoneEvent);
    (void)co_await exchange.finish();
}

asio::awaitable<void> Upstream::whole(net::Exchange& exchange, Script script) {
    std::string answer = R"({"id":"c","choices":[{"index":0,"message":{"content":"hello"},"finish_reason":"stop"}],)" +
                         usage_json(3) + "}";
    if (script.act == Act::Big) {
        answer =
            R"({"data":")" + std::string(static_cast<std::size_t>(script.events), 'x') + R"(",)" + usage_json(7) + "}";
    }
    if (script.act == Act::Malformed) answer.resize(answer.size() / 2);
    net::ResponseHead head = head_of(200, "application/json");
    head.headers.add("content-length", std::to_string(answer.size()));
    (void)co_await exchange.start(std::move(head));
    if (script.act == Act::Cut) {
        answer.resize(answer.size() / 2);
        (void)co_await exchange.write(answer);
        co_return exchange.abort();
    }
    (void)co_await exchange.write(answer);
    (void)co_await exchange.finish();
}

std::string Reply::code() const {
    const auto at = body.rfind(R"("code":")");
    if (at == std::string::npos) return {};
    return body.substr(at + 8, body.find('"', at + 8) - at - 8);
}

Rig::Rig(std::size_t replicas, std::function<void(PoolOptions&)> adjust, GatewayOptions options) {
    loops_.start();
    other_loops_.start();
    PoolOptions pool{.name = "chat", .models = {"tiny"}};
    pool.health.interval = std::chrono::hours(1);
    pool.retry.backoff_base = Duration{1};
    for (std::size_t i = 0; i < replicas; ++i) {
        upstreams_.push_back(std::make_unique<Upstream>(other_loops_));
        pool.replicas.push_back({.url = upstreams_.back()->url(), .model = "engine-name"});
    }
    if (adjust) adjust(pool);
    routes_.pools.push_back(std::move(pool));
    options.error_linger = Duration{20};
    gateway_ = Gateway::create(options, loops_, registry_, *this, *this);
    EXPECT_TRUE(gateway_->apply(routes_));
    gateway_->start();
    net::ServerOptions listener;
    listener.name = "gateway";
    listener.listen = "127.0.0.1:0";
    auto server = net::Server::open(loops_, listener, gateway_->handler(), registry_);
    EXPECT_TRUE(server) << server.error().message;
    server_ = *std::move(server);
    client_ = net::Client::create(other_loops_.at(0));
}

PoolOptions& Rig::add_pool(const std::string& name, const std::string& model) {
    PoolOptions pool = routes_.pools[0];
    pool.name = name;
    pool.models = {model};
    upstreams_.push_back(std::make_unique<Upstream>(other_loops_));
    pool.replicas = {{.url = upstreams_.back()->url()}};
    return routes_.pools.emplace_back(std::move(pool));
}

Rig::~Rig() {
    server_->stop(Duration{0});
    gateway_->stop();
    upstreams_.clear();
    loops_.stop();
    other_loops_.stop();
}

namespace {

asio::awaitable<Reply> run_ask(net::Client& client, std::string address, Ask ask, std::atomic<int>& flowing) {
    Reply reply;
    auto url = net::parse_url("http://" + address);
    net::ClientRequest request;
    request.method = ask.method;
    request.target = ask.path;
    request.headers = ask.headers;
    request.body = ask.body;
    net::CancelToken token;
    net::Deadlines deadlines{Duration{2'000}, Duration{8'000}, Duration{8'000}};
    if (ask.leave_after_pieces == 0) {
        deadlines.head = Duration{300};  // Patience of a client that leaves.
    }
    auto call = co_await client.send(*url, std::move(request), deadlines, &token);
    if (!call) co_return reply;
    reply.status = (*call)->head().status;
    reply.headers = (*call)->head().headers;
    for (int pieces = 0; pieces != ask.leave_after_pieces; ++pieces) {
        auto piece = co_await (*call)->read_some();
        if (!piece) co_return reply;
        if (piece->empty()) {
            reply.clean = true;
            break;
        }
        if (reply.body.empty()) ++flowing;
        reply.body += *piece;
    }
    co_return reply;
}

}  // namespace

std::future<Reply> Rig::begin(Ask ask) {
    return asio::co_spawn(other_loops_.at(0), run_ask(*client_, server_->address(), std::move(ask), flowing_),
                          asio::use_future);
}

Reply Rig::ask(Ask ask) {
    auto reply = begin(std::move(ask));
    if (reply.wait_for(std::chrono::seconds(10)) != std::future_status::ready) {
        ADD_FAILURE() << "no reply within 10 s";
        std::abort();
    }
    return reply.get();
}

std::vector<Reply> Rig::ask_all(int count, const Ask& ask) {
    std::vector<std::future<Reply>> begun;
    for (int i = 0; i < count; ++i) begun.push_back(begin(ask));
    std::vector<Reply> replies;
    for (auto& reply : begun) replies.push_back(reply.get());
    return replies;
}

std::string Rig::send_raw(const std::string& bytes) {
    const std::string address = server_->address();
    asio::io_context context;
    asio::ip::tcp::socket socket(context);
    const auto port = static_cast<unsigned short>(std::stoi(address.substr(address.rfind(':') + 1)));
    socket.connect({asio::ip::address_v4::loopback(), port});
    asio::write(socket, asio::buffer(bytes));
    std::string got;
    boost::system::error_code ended;
    asio::read(socket, asio::dynamic_buffer(got), ended);
    return got;
}

std::vector<records::RequestRecord> Rig::records(std::size_t count) {
    auto enough = [this, count]() {
        MutexLock lock(mutex_);
        return records_.size() >= count;
    };
    EXPECT_TRUE(eventually(enough)) << "too few records";
    MutexLock lock(mutex_);
    return records_;
}

std::vector<ReplicaEvent> Rig::events(std::size_t count) {
    auto enough = [this, count]() {
        MutexLock lock(mutex_);
        return events_.size() >= count;
    };
    EXPECT_TRUE(eventually(enough)) << "too few events";
    MutexLock lock(mutex_);
    return events_;
}

void Rig::on_record(const records::RequestRecord& record) {
    MutexLock lock(mutex_);
    records_.push_back(record);
}

void Rig::on_replica_event(const ReplicaEvent& event) {
    MutexLock lock(mutex_);
    events_.push_back(event);
}

}  // namespace stoker::gateway::test
