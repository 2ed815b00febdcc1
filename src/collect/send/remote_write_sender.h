// Sends what Stoker ingests on to a remote-write receiver, 1.0 or 2.0.
//
// Whoever ingests hands each batch to append(), which writes it into a journal of the sender's own and returns: the
// queue is on disk, bounded by bytes, and outlives restarts and outages of hours. The journal is read back in order,
// split by series over a few lanes (RemoteWriteShard), each with one request out at a time, so that a series' samples
// arrive in order. A record counts as sent once all its series were answered for; after a crash the last second or so
// is sent again, which receivers take for the duplicates they are. When the queue is full its oldest segment is dropped
// and counted.
//
// append*() and status() are thread-safe; all else runs on the loop given, disk and encoding on the pool.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "collect/sample_sink.h"
#include "collect/send/remote_write_sender_shard.h"
#include "net/client.h"
#include "wire/remote_write.h"

namespace stoker::collect {

struct RemoteWriteOptions {
    std::string url;   // http(s)://HOST[:PORT]/PATH
    std::string name;  // The `remote` label of its metrics; empty: the url's host and port.
    // 2.0 falls back to 1.0 when the receiver turns out not to know it.
    wire::RemoteWriteVersion protocol = wire::RemoteWriteVersion::V1;
    tsdb::Labels external_labels;   // Added to series that have no label of that name.
    net::Headers headers;           // Sent along; those that remote write itself sets are refused.
    std::string bearer_token;       // Authorization, one of: a token,
    std::string bearer_token_file;  // a file with one, read anew for each request,
    std::string basic_user;         // or a user and
    std::string basic_password;     // a password.
    net::TlsClientOptions tls;
    std::size_t shards = 4;  // Requests out at a time.
    ShardOptions shard;
    Duration timeout{30'000};                                // Of one request, to its answer.
    std::uint64_t max_queue_bytes = std::uint64_t{4} << 30;  // On disk.
    Duration queue_sweep{10'000};                            // Between two looks whether it is longer than that.
    std::size_t max_held_bytes = std::size_t{32} << 20;      // In memory: read back but not answered for.
    // All families that there are, from a thread of the pool; empty: the receiver is told of none but those that come
    // with forwarded requests.
    std::function<std::vector<tsdb::FamilyMetadata>()> families;
    Duration families_every{5'000};    // Between two looks for changes.
    Duration families_repeat{60'000};  // By 1.0, all are told again.
};

struct RemoteWriteStatus {
    std::string name;
    std::uint64_t waiting_records = 0;  // In the journal, not yet answered for.
    std::uint64_t queue_bytes = 0;
    std::uint64_t sent = 0;  // Samples and histograms since start.
    std::uint64_t refused = 0;
    std::string last_error;  // Of the last request, if it failed.
};

class RemoteWriteSender : public SampleSink {
public:
    // The journal lives in `directory`. Errors: InvalidArgument (url, headers, two kinds of authorization), and the
    // journal's. REQUIRES: loop, pool and registry outlive the sender.
    static Result<std::unique_ptr<RemoteWriteSender>> open(boost::asio::io_context& loop,
                                                           boost::asio::thread_pool& pool, RemoteWriteOptions options,
                                                           const std::string& directory, metrics::Registry& registry);

    // What the journal does not take (a full disk) is lost to the receiver, and counted.
    // Metadata is not queued: it is read from RemoteWriteOptions::families when it is sent.
    using SampleSink::append;
    using SampleSink::append_exemplars;
    // A request as the receiver got it: its body in snappy. Costs no decoding here.
    virtual void append_message(wire::RemoteWriteVersion version, std::string_view snappy_body) = 0;

    virtual void start() = 0;
    // Sends what it has read so far, without waiting for full batches or trying again, for at most `limit`; the rest
    // stays in the journal. Blocks; call from no loop.
    virtual void stop(Duration limit) = 0;

    virtual RemoteWriteStatus status() const = 0;
};

}  // namespace stoker::collect
