#include "outward/kafka_messages.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "collect/push/remote_write_convert.h"
#include "collect/send/remote_write_sender_record.h"
#include "outward/event.h"

namespace stoker::outward {
namespace {

// Some 50 bytes each compressed: far below the megabyte that brokers take by default.
constexpr std::size_t kSeriesAMessage = 2'000;
constexpr std::size_t kMaxLabels = 512;

std::string target_key(const wire::WriteRequest& request, const wire::WriteRequest::Series& series) {
    const auto labels = collect::to_labels(request.label_bytes(series), kMaxLabels);
    if (!labels) return {};
    return std::string(labels->get("job")) + "/" + std::string(labels->get("instance"));
}

}  // namespace

std::string json_key(std::string_view json, const std::string& member) {
    const auto whole = nlohmann::json::parse(json, nullptr, false);
    if (!whole.is_object()) return {};
    const auto found = whole.find(member);
    if (found == whole.end() || found->is_null()) return {};
    return found->is_string() ? found->get<std::string>()
                              : found->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

MessagesFn request_messages(std::string key) {
    return [key = std::move(key)](const journal::Record& record, std::vector<KafkaMessage>& out) {
        if (record.kind == journal::Kind::Request) out.push_back({json_key(record.payload, key), record.payload});
    };
}

MessagesFn event_messages(std::string key, std::string identity) {
    return [key = std::move(key), identity = std::move(identity)](const journal::Record& record,
                                                                  std::vector<KafkaMessage>& out) {
        auto event = event_from_json(record.payload);
        if (record.kind != journal::Kind::Event || !event) return;
        event->sequence = record.sequence;
        event->id = identity + "-" + std::to_string(record.sequence);
        std::string json = to_json(*event);
        out.push_back({json_key(json, key), std::move(json)});
    };
}

MessagesFn sample_messages() {
    return [](const journal::Record& record, std::vector<KafkaMessage>& out) {
        const auto decoded = collect::decode_record(record.sequence, record.payload);
        if (!decoded) return;
        const wire::WriteRequest& request = (*decoded)->request;
        std::vector<collect::QueuedSeries> series;
        for (std::uint32_t i = 0; i < request.series_count(); ++i) series.push_back({*decoded, i});
        for (std::size_t i = 0; i < series.size(); i += kSeriesAMessage) {
            const std::span part(series.data() + i, std::min(kSeriesAMessage, series.size() - i));
            out.push_back({target_key(request, part.front().first()),
                           collect::encode_batch(part, wire::RemoteWriteVersion::V1, {})});
        }
    };
}

}  // namespace stoker::outward
