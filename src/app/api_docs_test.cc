// docs/api.md names every endpoint that the console answers, with its methods, and no other.
#include <gmock/gmock.h>

#include <filesystem>
#include <regex>

#include "api/handlers.h"
#include "api/live.h"
#include "app/log_collection.h"
#include "app/receivers.h"
#include "app/storage.h"
#include "base/file.h"

namespace stoker::app {
namespace {

namespace fs = std::filesystem;

const fs::path root = fs::path(__FILE__).parent_path().parent_path().parent_path();

// "GET,POST /api/v1/query", one line an endpoint, from the first column of the tables; ID and NAME stand for a segment.
std::vector<std::string> documented() {
    const auto text = read_file(root / "docs" / "api.md");
    EXPECT_TRUE(text);
    std::vector<std::string> found;
    static const std::regex table_row(R"((^|\n)\| (`[A-Z]+[^|]*)\|)");
    static const std::regex endpoint(R"(`([A-Z,]+ /[^`]*)`)");
    static const std::regex segment("/(ID|NAME)(?=/|$)");
    for (std::sregex_iterator row(text->begin(), text->end(), table_row), end; row != end; ++row) {
        const std::string column = (*row)[2];
        for (std::sregex_iterator one(column.begin(), column.end(), endpoint); one != end; ++one) {
            found.push_back(std::regex_replace((*one)[1].str(), segment, "/*"));
        }
    }
    return found;
}

TEST(ApiDocs, NameEveryEndpointOnce) {
    const fs::path directory = fs::path(testing::TempDir()) / "api_docs";
    fs::remove_all(directory);
    fs::create_directories(directory);
    metrics::Registry registry;
    const Config config;
    auto folder = DataFolder::open(directory.string());
    ASSERT_TRUE(folder) << folder.error().message;
    auto storage = Storage::open(*folder, config, registry);
    ASSERT_TRUE(storage) << storage.error().message;
    boost::asio::io_context loop;
    boost::asio::thread_pool pool(1);
    auto forwarding = Forwarding::open(config, *folder, *(*storage)->metrics, loop, pool, registry);
    ASSERT_TRUE(forwarding) << forwarding.error().message;
    Receivers receivers(config, *(*storage)->metrics, *(*storage)->telemetry, **forwarding, registry);
    const promql::Engine engine;
    api::Live live;
    api::PrometheusServices prometheus{
        .store = *(*storage)->metrics, .engine = engine, .now = {}, .targets = {}, .rules = {}, .facts = {}};
    api::Services services{.registry = registry,
                           .querier = *(*storage)->metrics,
                           .engine = engine,
                           .records = *(*storage)->records,
                           .journal = *(*storage)->journal,
                           .live = live,
                           .now = {},
                           .replicas = {},
                           .engines = {},
                           .processes = {},
                           .incidents = {},
                           .open_incidents = {},
                           .incident = {},
                           .decide = {},
                           .status = {},
                           .reload = {},
                           .prometheus = prometheus};
    std::vector<std::string> answered = {"GET /api/v1/stream", "GET /api/v1/events/stream", "GET /api/v1/logs/tail"};
    for (const auto& route : api::console_routes(services)) answered.push_back(route.methods + " " + route.pattern);
    for (const auto& endpoint : receivers.endpoints()) answered.push_back("POST " + endpoint.path);
    auto events = outward::EventLog::open((directory / "events").string(), {}, registry);
    ASSERT_TRUE(events) << events.error().message;
    auto logs = LogCollection::create(config, directory, *(*storage)->telemetry, **events, registry);
    ASSERT_TRUE(logs) << logs.error().message;
    for (const auto& endpoint : (*logs)->endpoints()) answered.push_back("POST " + endpoint.path);
    EXPECT_THAT(documented(), testing::UnorderedElementsAreArray(answered));
}

}  // namespace
}  // namespace stoker::app
