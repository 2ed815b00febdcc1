#include "app/forwarding.h"

#include <utility>

#include "app/config_convert.h"
#include "base/file.h"
#include "wire/compression.h"

namespace stoker::app {
namespace {

constexpr std::size_t kMostUnpacked = std::size_t{256} << 20;  // The receiver's own limit is lower.

// Of a request refused in part (400), the receiver says how much it stored.
bool stored_any(const net::Response& answer) {
    if (answer.status / 100 == 2) return true;
    for (const char* what : {"Samples", "Histograms", "Exemplars"}) {
        const auto written = answer.headers.get("X-Prometheus-Remote-Write-" + std::string(what) + "-Written");
        if (written && *written != "0") return true;
    }
    return false;
}

}  // namespace

Result<std::unique_ptr<Forwarding>> Forwarding::open(const Config& config, const DataFolder& folder, tsdb::Store& store,
                                                     boost::asio::io_context& loop, boost::asio::thread_pool& pool,
                                                     metrics::Registry& registry) {
    std::unique_ptr<Forwarding> forwarding(new Forwarding(store));
    for (const RemoteWriteConfig& entry : config.remote_write) {
        const std::string where = "remote_write " + entry.name;
        auto options = sender_options(entry, config.external_labels);
        if (!options) return std::move(options).error().context(where);
        options->families = [&store] { return store.metadata(""); };
        const std::string directory = folder.at("remote_write/" + entry.name);
        TRY_UNIT(ensure_directory(directory));
        auto sender = collect::RemoteWriteSender::open(loop, pool, *std::move(options), directory, registry);
        if (!sender) return std::move(sender).error().context(where);
        forwarding->senders_.push_back(*std::move(sender));
    }
    return forwarding;
}

Result<tsdb::AppendOutcome> Forwarding::append(const std::vector<tsdb::SeriesSample>& batch) {
    TRY(tsdb::AppendOutcome outcome, store_.append(batch));
    for (auto& sender : senders_) sender->append(batch);
    for (auto* queue : queues_) queue->append(batch);
    return outcome;
}

Result<std::size_t> Forwarding::append_exemplars(const std::vector<tsdb::SeriesExemplars>& batch) {
    TRY(const std::size_t stored, store_.append_exemplars(batch));
    for (auto& sender : senders_) sender->append_exemplars(batch);
    return stored;
}

void Forwarding::set_metadata(const std::vector<tsdb::FamilyMetadata>& batch) {
    store_.set_metadata(batch);  // From where the senders read it.
}

void Forwarding::pass_on(const collect::PushRequest& request, const net::Response& answer) {
    if ((senders_.empty() && queues_.empty()) || !stored_any(answer)) return;
    const auto encoding = request.headers.get("Content-Encoding").value_or("snappy");
    std::string packed;
    if (encoding != "snappy") {
        auto body = wire::decompress(encoding, request.body, kMostUnpacked);
        if (!body) return;  // The receiver has said so.
        packed = wire::snappy_compress(*body);
    }
    const auto type = request.headers.get("Content-Type").value_or("");
    const auto version = type.find("io.prometheus.write.v2") == std::string_view::npos ? wire::RemoteWriteVersion::V1
                                                                                       : wire::RemoteWriteVersion::V2;
    for (auto& sender : senders_) sender->append_message(version, packed.empty() ? request.body : packed);
    for (auto* queue : queues_) queue->append_message(version, packed.empty() ? request.body : packed);
}

void Forwarding::start() {
    for (auto& sender : senders_) sender->start();
}

void Forwarding::stop(Duration limit) {
    for (auto& sender : senders_) sender->stop(limit);
}

}  // namespace stoker::app
