#include "collect/push/json_receiver.h"

#include <map>
#include <string>

#include "base/text.h"

namespace stoker::collect {
namespace {

// What became of a batch: the first reason for each item that lost something.
class Rejections {
public:
    void add(std::size_t index, const std::string& why) { first_.try_emplace(index, why); }

    std::string answer(std::size_t accepted) const {
        std::string out = R"({"accepted":)" + std::to_string(accepted) + R"(,"rejected":[)";
        bool more = false;
        for (const auto& [index, why] : first_) {
            if (more) out += ',';
            out += R"({"index":)" + std::to_string(index) + R"(,"error":)" + quote_json(why) + "}";
            more = true;
        }
        return out + "]}";
    }

private:
    std::map<std::size_t, std::string> first_;
};

net::Response failed(int status, const std::string& message) {
    return json_response(status, R"({"error":)" + quote_json(message) + "}");
}

}  // namespace

JsonReceiver::JsonReceiver(tsdb::Ingest& store, JsonOptions options, metrics::Registry& registry)
    : store_(store), options_(std::move(options)), metrics_(registry, "json") {}

net::Response JsonReceiver::receive(const PushRequest& request) {
    return metrics_.answered(handle(request));
}

net::Response JsonReceiver::handle(const PushRequest& request) {
    auto body = decoded_body(request, options_.max_body_bytes);
    if (!body) return failed(push_status(body.error()), body.error().message);

    std::vector<tsdb::SeriesSample> samples;
    std::vector<std::size_t> items;  // Of the samples.
    Rejections rejections;
    std::size_t dropped = 0;
    LabelBudget budget(options_.label_limits.max_request_bytes);
    wire::JsonMetricsVisitor visitor;
    visitor.on_error = [&](std::size_t index, const std::string& why) { rejections.add(index, why); };
    visitor.on_item = [&](wire::JsonItem&& item) {
        for (wire::JsonSample& one : item.samples) {
            std::vector<tsdb::Labels::Pair> pairs = options_.labels;
            pairs.insert(pairs.end(), one.labels.begin(), one.labels.end());
            pairs.emplace_back(std::string(tsdb::kMetricName), std::move(one.name));
            tsdb::Labels labels(std::move(pairs));
            auto fine = check_labels(labels, options_.label_limits);
            if (!fine || samples.size() == options_.max_samples || !budget.take(labels)) {
                rejections.add(item.index,
                               fine ? "the batch holds more than can be taken at once" : fine.error().message);
                ++dropped;
                continue;
            }
            samples.push_back({std::move(labels), {item.time_ms.value_or(to_millis(request.now)), one.value}});
            items.push_back(item.index);
        }
    };
    auto parsed = wire::parse_json_metrics(*body, visitor, options_.limits);
    if (!parsed) return failed(push_status(parsed.error()), parsed.error().message);

    auto outcome = store_.append(samples);
    if (!outcome) return failed(net::status_of(outcome.error().code), outcome.error().message);
    for (const tsdb::Refused& refused : outcome->refused) {
        rejections.add(items.at(refused.index), explain(refused, samples[refused.index].labels));
    }
    const std::size_t stored = outcome->accepted + outcome->duplicates;
    metrics_.samples(stored, outcome->refused.size() + dropped);
    return json_response(200, rejections.answer(stored));
}

}  // namespace stoker::collect
