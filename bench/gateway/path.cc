// The way of a request through the gateway, for a profiler: client, gateway and journal in one process, and nothing
// else. A shared machine makes times worth little; the instructions of the gateway's thread are the same in every run.
//
//   bench_gateway upstream 127.0.0.1:9109 &
//   bench_path 127.0.0.1:9109 REQUESTS [CLIENTS] [PROMPT_BYTES]
//   valgrind --tool=callgrind --separate-threads=yes build/release/bench_path 127.0.0.1:9109 2000
//
// Prints the processor time of the gateway's thread for one request; what runs of 2,000 and of 4,000 requests differ by
// is free of the cost of starting.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <future>
#include <string>
#include <string_view>
#include <vector>

#include "app/pipelines.h"
#include "bench/load.h"
#include "bench/socket.h"
#include "gateway/gateway.h"
#include "net/server.h"

namespace {

using namespace stoker;

struct Nobody final : gateway::ReplicaObserver {
    void on_replica_event(const gateway::ReplicaEvent&) override {}
};

[[noreturn]] void fail(const std::string& what) {
    std::fprintf(stderr, "bench_path: %s\n", what.c_str());
    std::exit(1);
}

// The processor time of the loop's thread so far.
double seconds_of(boost::asio::io_context& loop) {
    std::promise<double> seconds;
    boost::asio::post(loop, [&seconds] {
        timespec time{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        seconds.set_value(static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9);
    });
    return seconds.get_future().get();
}

std::string chat(std::size_t prompt_bytes) {
    return R"({"model":"bench","max_tokens":1,"stream":false,"messages":[{"role":"user","content":")" +
           std::string(prompt_bytes, 'x') + "\"}]}";
}

// Reads one answer with a Content-Length.
void read_answer(int fd, std::string& buffer) {
    static constexpr std::string_view kLength = "Content-Length: ";
    buffer.clear();
    std::size_t whole = std::string::npos;
    while (buffer.size() < whole) {
        char space[16 * 1024];
        const auto got = ::recv(fd, space, sizeof space, 0);
        if (got <= 0) fail("the gateway closed a connection");
        buffer.append(space, static_cast<std::size_t>(got));
        const auto end = buffer.find("\r\n\r\n");
        const auto length = buffer.find(kLength);
        if (end == std::string::npos || length > end) continue;
        whole = end + 4 + std::strtoul(buffer.c_str() + length + kLength.size(), nullptr, 10);
    }
    if (!buffer.starts_with("HTTP/1.1 200")) fail(buffer);
}

// Every client asks, then every client reads, until `requests` are answered.
void ask(const std::vector<bench::Socket>& clients, const std::string& request, std::size_t requests) {
    std::string buffer;
    for (std::size_t done = 0; done < requests; done += clients.size()) {
        for (const auto& client : clients) {
            if (!bench::send_all(client.fd(), request)) fail("the gateway closed a connection");
        }
        for (const auto& client : clients) read_answer(client.fd(), buffer);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) fail("bench_path UPSTREAM REQUESTS [CLIENTS] [PROMPT_BYTES]");
    const std::size_t requests = std::strtoul(argv[2], nullptr, 10);
    const std::size_t count = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 16;
    const std::size_t prompt_bytes = argc > 4 ? std::strtoul(argv[4], nullptr, 10) : 1024;

    const auto folder = std::filesystem::temp_directory_path() / ("bench-path-" + std::to_string(::getpid()));
    auto journal = journal::Journal::open(folder.string(), {});
    if (!journal) fail(journal.error().message);

    net::Loops loops(1);
    metrics::Registry registry;
    api::Live live;
    app::RequestPipeline records(**journal, live, registry);
    Nobody nobody;
    auto gateway = gateway::Gateway::create({}, loops, registry, records, nobody);
    gateway::Routes routes;
    routes.pools.push_back({.name = "bench", .models = {"bench"}});
    routes.pools[0].replicas.push_back({.url = std::string("http://") + argv[1]});
    if (auto applied = gateway->apply(routes); !applied) fail(applied.error().message);
    net::ServerOptions listener;
    listener.name = "gateway";
    listener.listen = "127.0.0.1:0";
    auto server = net::Server::open(loops, listener, gateway->handler(), registry);
    if (!server) fail(server.error().message);
    loops.start();

    const std::string address = (*server)->address();
    const std::string request = bench::post_request(address, "/v1/chat/completions", chat(prompt_bytes));
    std::vector<bench::Socket> clients;
    for (std::size_t i = 0; i < count; ++i) {
        auto socket = bench::connect_to(address);
        if (!socket) fail(socket.error().message);
        ::fcntl(socket->fd(), F_SETFL, 0);  // They wait for their answers.
        clients.push_back(*std::move(socket));
    }
    ask(clients, request, count * 4);
    const double before = seconds_of(loops.at(0));
    ask(clients, request, requests);
    std::printf("%.2f us of processor time a request\n",
                (seconds_of(loops.at(0)) - before) * 1e6 / static_cast<double>(requests));

    clients.clear();
    (*server)->stop(Duration{1'000});
    gateway->stop();
    loops.stop();
    std::filesystem::remove_all(folder);
}
