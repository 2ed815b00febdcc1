#include "collect/gpu/engine_join.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stoker::collect {
namespace {

TEST(EngineJoin, ListeningSocketsOfTheKernelsTable) {
    const auto found = parse_listening(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0 100 0 0 "
        "10 0\n"
        "   1: 0100007F:1F41 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4243 1 0 100 0 0 "
        "10 0\n"
        "   2: 00000000000000000000000001000000:22B8 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 77 1\n"
        "   3: broken 00000000:0000 0A 0 0 0 0 0 x\n   4: 0:ZZ 0:0 0A 0 0 0 0 0 5 6\n\n");
    EXPECT_EQ(found, (std::multimap<std::uint16_t, std::uint64_t>{{8000, 4242}, {8888, 77}}));
}

TEST(EngineJoin, ParentsOfProcesses) {
    EXPECT_EQ(parse_parent("12 (python3) S 7 12 12 0"), 7);
    EXPECT_EQ(parse_parent("12 (a) b) c) R 9 1"), 9);
    for (const char* bad : {"", "12 (x", "12 (x) S", "12 (x) S p 1"}) EXPECT_EQ(parse_parent(bad), 0) << bad;
}

// A port of this machine that this process listens on.
class Listener {
public:
    Listener() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::listen(socket_, 1), 0);
        EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
        port_ = ntohs(address.sin_port);
    }
    ~Listener() { ::close(socket_); }
    std::uint16_t port() const { return port_; }

private:
    int socket_;
    std::uint16_t port_ = 0;
};

std::vector<GpuReading> gpu_with(std::int64_t pid) {
    GpuReading gpu;
    gpu.processes.push_back({});
    gpu.processes[0].pid = pid;
    return {gpu};
}

TEST(EngineJoin, AProcessThatListensOrWhoseParentDoes) {
    Listener listener;
    Listener other;
    EngineJoin join([&] {
        return std::vector<EngineEndpoint>{{.port = listener.port(), .instance = "127.0.0.1:1", .replica = "chat/a"},
                                           {.port = 1, .instance = "x", .replica = "y"}};
    });
    auto own = gpu_with(::getpid());
    join.join(own);
    EXPECT_EQ(own[0].processes[0].engine_instance, "127.0.0.1:1");
    EXPECT_EQ(own[0].processes[0].replica, "chat/a");
    EXPECT_EQ(own[0].processes[0].name, "collect_test");

    int gate[2];
    ASSERT_EQ(::pipe(gate), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        // What an engine's worker does not have: its parent's sockets.
        for (int descriptor = 3; descriptor < 256; ++descriptor) {
            if (descriptor != gate[0]) ::close(descriptor);
        }
        char byte = 0;
        (void)!::read(gate[0], &byte, 1);
        ::_exit(0);
    }
    ASSERT_GT(child, 0);
    auto worker = gpu_with(child);
    join.join(worker);
    EXPECT_EQ(worker[0].processes[0].replica, "chat/a");
    ::close(gate[1]);
    ::waitpid(child, nullptr, 0);
    ::close(gate[0]);
}

TEST(EngineJoin, AnEngineThatIsFoundLaterIsJoinedAtOnce) {
    Listener listener;
    std::vector<EngineEndpoint> engines;
    EngineJoin join([&] { return engines; });
    auto own = gpu_with(::getpid());
    join.join(own);
    EXPECT_EQ(own[0].processes[0].replica, "");
    engines.push_back({.port = listener.port(), .instance = "127.0.0.1:1", .replica = "chat/a"});
    join.join(own);
    EXPECT_EQ(own[0].processes[0].replica, "chat/a");
}

TEST(EngineJoin, AProcessThatIsNoEngineOrNotThereHasNone) {
    EngineJoin join([] { return std::vector<EngineEndpoint>{{.port = 1, .instance = "x", .replica = "y"}}; });
    auto own = gpu_with(::getpid());
    join.join(own);
    EXPECT_EQ(own[0].processes[0].engine_instance, "");
    auto gone = gpu_with(999'999'999);
    join.join(gone);
    EXPECT_EQ(gone[0].processes[0].name, "");
}

}  // namespace
}  // namespace stoker::collect
