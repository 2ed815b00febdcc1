#include "app/forwarding.h"

#include <utility>

#include "app/config_convert.h"
#include "base/file.h"

namespace stoker::app {

Result<std::unique_ptr<Forwarding>> Forwarding::open(const Config& config, const DataFolder& folder, tsdb::Store& store,
                                                     boost::asio::io_context& loop, boost::asio::thread_pool& pool,
                                                     metrics::Registry& registry) {
    std::unique_ptr<Forwarding> forwarding(new Forwarding(store));
    for (const RemoteWriteConfig& entry : config.remote_write) {
        const std::string where = "remote_write " + entry.name;
        auto options = sender_options(entry);
        if (!options) return std::move(options).error().context(where);
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
    return outcome;
}

Result<std::size_t> Forwarding::append_exemplars(const std::vector<tsdb::SeriesExemplars>& batch) {
    TRY(const std::size_t stored, store_.append_exemplars(batch));
    for (auto& sender : senders_) sender->append_exemplars(batch);
    return stored;
}

void Forwarding::set_metadata(const std::vector<tsdb::FamilyMetadata>& batch) {
    store_.set_metadata(batch);
    for (auto& sender : senders_) sender->set_metadata(batch);
}

void Forwarding::pass_on(const collect::PushRequest& request) {
    if (senders_.empty()) return;
    const auto type = request.headers.get("Content-Type").value_or("");
    const auto version = type.find("io.prometheus.write.v2") == std::string_view::npos ? wire::RemoteWriteVersion::V1
                                                                                       : wire::RemoteWriteVersion::V2;
    for (auto& sender : senders_) sender->append_message(version, request.body);
}

void Forwarding::start() {
    for (auto& sender : senders_) sender->start();
}

void Forwarding::stop(Duration limit) {
    for (auto& sender : senders_) sender->stop(limit);
}

}  // namespace stoker::app
