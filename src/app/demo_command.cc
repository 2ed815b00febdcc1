// `stoker demo`: three simulated engines supervised like real ones, traffic of real shape, faults on schedule.
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "app/ask.h"
#include "app/commands.h"
#include "app/config_convert.h"
#include "app/serve_command.h"
#include "base/log.h"
#include "twin/demo_traffic.h"
#include "twin/fault_schedule.h"

namespace stoker::app {
namespace {

constexpr int kEngines = 3;
constexpr const char* kModel = "demo-8b";
constexpr const char* kProfile = "l4-7b";

// A port that is free now. Somebody else may take it before the engine does; then the engine's log says so.
Result<int> free_port() {
    net::Loops loops(1);
    metrics::Registry registry;
    loops.start();
    net::ServerOptions options;
    options.name = "probe";
    options.listen = "127.0.0.1:0";
    net::Handler handler = [](net::Exchange&) -> boost::asio::awaitable<void> { co_return; };
    TRY(auto server, net::Server::open(loops, options, handler, registry));
    std::string address = server->address();
    server->stop(Duration{0});
    return std::stoi(address.substr(address.rfind(':') + 1));
}

Result<Config> demo_config() {
    std::error_code none;
    auto self = std::filesystem::read_symlink("/proc/self/exe", none).string();
    Config config = default_config();
    config.collect.discovery.enabled = false;
    config.collect.scrape_interval = Duration{2'000};
    PoolConfig& pool = config.pools.emplace_back();
    pool.name = "demo";
    pool.models = {kModel};
    pool.health.stall_after = Duration{8'000};
    for (int i = 0; i < kEngines; ++i) {
        TRY(int port, free_port());
        std::string address = "127.0.0.1:" + std::to_string(port);
        ReplicaConfig& replica = pool.replicas.emplace_back();
        replica.url = "http://" + address;
        replica.run = {self, "sim-engine", "--listen", address, "--model", kModel, "--profile", kProfile};
    }
    return config;
}

std::unique_ptr<twin::DemoTraffic> start_traffic(Stoker& stoker) {
    twin::DemoTrafficOptions options;
    options.gateway = "http://" + stoker.gateway_address();
    options.models = {kModel};
    auto traffic = twin::DemoTraffic::create(stoker.loops().at(0), options);
    if (!traffic) {
        log::error("no demo traffic", {{"error", traffic.error().message}});
        return nullptr;
    }
    (*traffic)->start();
    return *std::move(traffic);
}

std::unique_ptr<twin::FaultSchedule> start_faults(Stoker& stoker, const Config& config, Duration every) {
    if (every == Duration{0}) return nullptr;
    twin::FaultScheduleOptions options;
    for (const auto& replica : config.pools.front().replicas) options.engines.push_back(replica.url);
    options.every = every;
    options.on_fault = [](const std::string& engine, const std::string& fault, const std::string& error) {
        log::info("demo fault", {{"engine", engine}, {"fault", fault}, {"error", error}});
    };
    auto faults = twin::FaultSchedule::create(stoker.loops().at(0), options);
    if (!faults) {
        log::error("no demo faults", {{"error", faults.error().message}});
        return nullptr;
    }
    (*faults)->start();
    return *std::move(faults);
}

// A demo's data goes away with it, unless a folder was named.
class TemporaryFolder {
public:
    TemporaryFolder() : path_(std::filesystem::temp_directory_path() / ("stoker-demo-" + std::to_string(::getpid()))) {}
    ~TemporaryFolder() {
        std::error_code none;
        std::filesystem::remove_all(path_, none);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    std::string path() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

}  // namespace

int demo(const DemoOptions& options) {
    Signals signals;
    TemporaryFolder temporary;
    ServeOptions serve_options = options.serve;
    if (!serve_options.data_dir) serve_options.data_dir = temporary.path();
    auto config = demo_config();
    if (!config) return fail(config.error());
    auto load = [&config]() -> LoadedConfig { return {.config = *config, .rules = {}, .problems = {}}; };
    auto setup = make_setup(serve_options, load);
    if (!setup) return fail(setup.error());
    setup->demo = true;
    log::configure(log_level(setup->config.log), log_format(setup->config.log));
    auto stoker = Stoker::start(*std::move(setup));
    if (!stoker) return fail(stoker.error());
    auto traffic = start_traffic(**stoker);
    auto faults = start_faults(**stoker, *config, Duration{options.fault_every_s * 1000});
    std::puts("This is a demo: simulated engines, made-up traffic, and a fault every few minutes.");
    announce(**stoker);

    signals.wait_for_end();
    if (faults) faults->stop();
    if (traffic) traffic->stop();
    (*stoker)->stop();
    return 0;
}

}  // namespace stoker::app
