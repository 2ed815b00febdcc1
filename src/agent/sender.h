// Brings the buffer to one reader's destinations: reads what is next, sends it by remote write or OTLP, remembers the
// place.
//
// The place is kept on disk after each request that was taken. A crash in between, or an answer that got lost, sends
// one request again: the same samples at the same times, which receivers take for the duplicates they are.
// A token that is refused (401, 403) loses nothing: the batch waits until the file has one that is good.
//
// Runs on the loop given, disk and encoding on the pool. start, stop and status are thread-safe.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/buffer.h"
#include "agent/delivery.h"
#include "base/metrics.h"
#include "base/result.h"
#include "collect/send/remote_write_sender.h"

namespace stoker::agent {

struct Destination {
    collect::RemoteWriteOptions remote;  // url, name, protocol, headers, authorization, tls, timeout.
    bool zstd = false;                   // Falls back to snappy where the receiver doesn't know it.
    bool otlp = false;                   // OTLP metrics instead of remote write.
};

struct SenderOptions {
    std::string reader;  // Its name in the buffer.
    std::vector<Destination> destinations;
    DeliveryOptions delivery;
    std::size_t most_samples = 20'000;  // Of one request.
    tsdb::Labels external_labels;
    // All families that there are; called on the pool.
    std::function<std::shared_ptr<const collect::FamilyBook>()> families;
    Duration families_every{5 * 60'000};  // Between two tellings of them all.
};

struct SenderStatus {
    std::string reader;
    std::string destination;  // The one that gets the requests now.
    std::uint64_t waiting_records = 0;
    std::uint64_t sent_samples = 0;  // Since start.
    std::uint64_t refused_samples = 0;
    Timestamp last_sent{};   // 1970: never.
    std::string last_error;  // Of the last request, if it failed.
};

class Sender {
public:
    // Errors: InvalidArgument (a URL, headers, two kinds of authorization), and those of keeping a place.
    // REQUIRES: loop, pool, buffer and registry outlive it; at least one destination.
    static Result<std::unique_ptr<Sender>> create(boost::asio::io_context& loop, boost::asio::thread_pool& pool,
                                                  Buffer& buffer, SenderOptions options, metrics::Registry& registry);
    virtual ~Sender() = default;  // stop()

    virtual void start() = 0;
    // Gives the request that is out up and returns when nothing runs any more; what was not taken stays in the buffer.
    // REQUIRES: not on the loop, which runs.
    virtual void stop() = 0;
    virtual SenderStatus status() const = 0;
};

}  // namespace stoker::agent
