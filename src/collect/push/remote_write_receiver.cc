#include "collect/push/remote_write_receiver.h"

#include <chrono>

#include "base/text.h"
#include "collect/push/remote_write_receiver_job.h"

namespace stoker::collect {
namespace {

constexpr std::size_t kIdleJobs = 16;

constexpr std::string_view kSamplesWritten = "X-Prometheus-Remote-Write-Samples-Written";
constexpr std::string_view kHistogramsWritten = "X-Prometheus-Remote-Write-Histograms-Written";
constexpr std::string_view kExemplarsWritten = "X-Prometheus-Remote-Write-Exemplars-Written";

net::Response answer(int status, std::string text) {
    net::Response response;
    response.status = status;
    if (!text.empty()) {
        response.headers.add("Content-Type", "text/plain; charset=utf-8");
        response.body = std::move(text);
    }
    return response;
}

void add_written(net::Response& response, std::size_t samples, std::size_t histograms, std::size_t exemplars) {
    response.headers.add(std::string(kSamplesWritten), std::to_string(samples));
    response.headers.add(std::string(kHistogramsWritten), std::to_string(histograms));
    response.headers.add(std::string(kExemplarsWritten), std::to_string(exemplars));
}

net::Response nothing_written(int status, const std::string& why) {
    net::Response response = answer(status, why + "\n");
    add_written(response, 0, 0, 0);
    return response;
}

// Errors: InvalidArgument for types that are no remote write. Without a type it is 1.0, as its first senders did.
Result<wire::RemoteWriteVersion> version_of(std::string_view content_type) {
    const auto parts = split(content_type, ';');
    const std::string_view media = trim(parts.front());
    if (!media.empty() && !equals_ignore_case(media, "application/x-protobuf")) {
        return Error{Errc::InvalidArgument, "the content type is not application/x-protobuf"};
    }
    for (std::size_t i = 1; i < parts.size(); ++i) {
        const std::string_view parameter = trim(parts[i]);
        const std::size_t equals = parameter.find('=');
        if (equals == std::string_view::npos || !equals_ignore_case(trim(parameter.substr(0, equals)), "proto")) {
            continue;
        }
        std::string_view message = trim(parameter.substr(equals + 1));
        if (message.size() >= 2 && message.front() == '"' && message.back() == '"') {
            message = message.substr(1, message.size() - 2);
        }
        if (message == "prometheus.WriteRequest") return wire::RemoteWriteVersion::V1;
        if (message == "io.prometheus.write.v2.Request") return wire::RemoteWriteVersion::V2;
        return Error{Errc::InvalidArgument,
                     "the message is neither prometheus.WriteRequest nor io.prometheus.write.v2.Request"};
    }
    return wire::RemoteWriteVersion::V1;
}

bool known_encoding(std::string_view encoding) {
    return equals_ignore_case(encoding, "snappy") || equals_ignore_case(encoding, "zstd") ||
           equals_ignore_case(encoding, "gzip");
}

int status_of_decoding(const Error& error) {
    return error.code == Errc::ResourceExhausted ? 413 : 400;
}

}  // namespace

RemoteWriteReceiver::Metrics::Metrics(metrics::Registry& registry)
    : requests(registry.counter("stoker_remote_write_received_requests_total",
                                "Remote-write requests received, by protocol and status.", {"protocol", "status"})),
      refused(registry.counter("stoker_remote_write_received_refused_total",
                               "Samples of remote-write requests that were not stored, by reason.", {"reason"})),
      samples(registry
                  .counter("stoker_remote_write_received_samples_total",
                           "Samples that came by remote write and are stored.")
                  .with()),
      histograms(registry
                     .counter("stoker_remote_write_received_histograms_total",
                              "Native histograms that came by remote write and are stored.")
                     .with()),
      exemplars(registry
                    .counter("stoker_remote_write_received_exemplars_total",
                             "Exemplars that came by remote write and are stored.")
                    .with()),
      new_series(registry
                     .counter("stoker_remote_write_received_new_series_total",
                              "Series in remote-write requests that were not in the cache of known series.")
                     .with()),
      seconds(registry
                  .histogram("stoker_remote_write_received_seconds", "How long a remote-write request took.", {},
                             metrics::latency_bounds())
                  .with()) {}

RemoteWriteReceiver::RemoteWriteReceiver(tsdb::Store& store, RemoteWriteReceiverOptions options,
                                         metrics::Registry& registry)
    : store_(store),
      options_(options),
      series_(options.cache),
      described_({.most = 100'000, .forget_after = options.cache.forget_after}),
      metrics_(std::make_unique<Metrics>(registry)) {}

RemoteWriteReceiver::~RemoteWriteReceiver() = default;

std::unique_ptr<RemoteWriteReceiver::Job> RemoteWriteReceiver::take_job() {
    {
        MutexLock lock(mutex_);
        if (!idle_.empty()) {
            auto job = std::move(idle_.back());
            idle_.pop_back();
            return job;
        }
    }
    return std::make_unique<Job>();
}

void RemoteWriteReceiver::give_back(std::unique_ptr<Job> job) {
    MutexLock lock(mutex_);
    if (idle_.size() < kIdleJobs) {
        idle_.push_back(std::move(job));
    }
}

net::Response RemoteWriteReceiver::receive(const PushRequest& push) {
    const auto started = std::chrono::steady_clock::now();
    const auto version = version_of(push.headers.get("Content-Type").value_or(""));
    const std::string_view protocol = version && *version == wire::RemoteWriteVersion::V2 ? "2.0" : "1.0";
    auto job = take_job();
    net::Response response = version ? handle(push, *version, *job) : answer(415, version.error().message + "\n");
    give_back(std::move(job));
    metrics_->requests.with({std::string(protocol), std::to_string(response.status)}).add();
    metrics_->seconds.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
    return response;
}

net::Response RemoteWriteReceiver::handle(const PushRequest& push, wire::RemoteWriteVersion version, Job& job) {
    // The first senders left the encoding out; it was always snappy.
    const std::string_view encoding = trim(push.headers.get("Content-Encoding").value_or("snappy"));
    if (!known_encoding(encoding)) {
        return answer(415, "the content encoding is none of snappy, zstd, gzip\n");
    }
    const auto body = job.body.decompress(encoding, push.body, options_.max_body_bytes);
    if (!body) {
        return nothing_written(status_of_decoding(body.error()), body.error().message);
    }
    if (auto decoded = wire::decode_write_request(version, *body, options_.limits, job.request); !decoded) {
        return nothing_written(status_of_decoding(decoded.error()), decoded.error().message);
    }
    if (auto stored = job.run(*this, push.now); !stored) {
        // Whatever it is, it is ours, and may be over when they try again.
        net::Response response = nothing_written(503, stored.error().message);
        response.headers.add("Retry-After", "5");
        return response;
    }
    metrics_->samples.add(static_cast<double>(job.samples_written()));
    metrics_->histograms.add(static_cast<double>(job.histograms_written()));
    metrics_->exemplars.add(static_cast<double>(job.exemplars_written()));
    for (const auto& [reason, count] : job.report().by_reason()) {
        metrics_->refused.with({reason}).add(static_cast<double>(count));
    }
    const std::size_t sent = job.request.samples.size() + job.request.histograms.size();
    net::Response response =
        answer(job.report().empty() ? 204 : 400, job.report().empty() ? "" : job.report().text(sent));
    // 2.0 calls a write without its exemplars a partial one; to 1.0's senders they are a help, not the data.
    const std::size_t exemplars = job.request.exemplars.size();
    if (version == wire::RemoteWriteVersion::V2 && job.exemplars_written() < exemplars) {
        response = answer(400, response.body + std::to_string(exemplars - job.exemplars_written()) + " of " +
                                   std::to_string(exemplars) +
                                   " exemplars were refused: older than their series' newest, or of no series.\n");
    }
    add_written(response, job.samples_written(), job.histograms_written(), job.exemplars_written());
    return response;
}

}  // namespace stoker::collect
