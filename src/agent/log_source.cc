#include "agent/log_source.h"

namespace stoker::agent {

LogSource::LogSource(LogSourceOptions options, const MakeSink& make)
    : options_(std::move(options)), lines_(make(registry_)), follower_(options_.follower, *lines_, registry_) {}

Result<Unit> LogSource::collect(Timestamp now, collect::SampleSink& sink) {
    follower_.poll(std::chrono::steady_clock::now());
    collect::SampleBatch batch(now, {{"instance", options_.instance}, {"job", "stoker-agent"}});
    registry_.each_sample([&](const metrics::Exposed& one) {
        batch.add(one.name, {one.labels.begin(), one.labels.end()}, one.value);
    });
    if (options_.local) {
        options_.local(batch.samples());
    } else {
        sink.append(batch.samples());
    }
    return Unit{};
}

}  // namespace stoker::agent
