#include "api/remote_read.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/text.h"
#include "collect/push/remote_write_convert.h"
#include "journal/crc32c.h"
#include "wire/compression.h"

namespace stoker::api {
namespace {

using SeriesList = std::vector<std::shared_ptr<tsdb::Series>>;

// What one request may still take.
struct Budget {
    std::size_t samples;
    std::size_t bytes;

    Result<Unit> take_samples(std::size_t count) {
        if (count > samples) {
            return Error{Errc::ResourceExhausted, "remote read: too many samples; ask for less at a time"};
        }
        samples -= count;
        return Unit{};
    }
    Result<Unit> check_bytes(std::size_t used) const {
        if (used > bytes) {
            return Error{Errc::ResourceExhausted, "remote read: the answer is too large; ask for less at a time"};
        }
        return Unit{};
    }
};

tsdb::Matcher to_matcher(const wire::ReadMatcher& from) {
    return {from.name, static_cast<tsdb::Matcher::Op>(from.type), from.value};
}
static_assert(static_cast<int>(tsdb::Matcher::Op::NotRegex) == static_cast<int>(wire::ReadMatcher::Type::NotRegex));

wire::LabelViews views(const tsdb::Labels& labels) {
    return {labels.begin(), labels.end()};
}

// The whole of a series as samples and histograms.
Result<Unit> add_as_samples(const tsdb::Series& series, Budget& budget, wire::ReadResponseEncoder& out) {
    std::vector<wire::WriteRequest::Sample> samples;
    std::vector<wire::NativeHistogram> histograms;
    const auto walk = series.samples();
    for (auto block = walk->next_block(); !block.samples.empty(); block = walk->next_block()) {
        TRY_UNIT(budget.take_samples(block.samples.size()));
        for (std::size_t i = 0; i < block.samples.size(); ++i) {
            const tsdb::Sample& sample = block.samples[i];
            if (!block.histograms.empty() && block.histograms[i] != nullptr) {
                histograms.push_back(collect::to_wire(*block.histograms[i], sample.time));
            } else {
                samples.push_back({sample.value, sample.time});
            }
        }
    }
    TRY_UNIT(walk->status());
    if (!samples.empty() || !histograms.empty()) {
        out.add_series(views(series.labels()), samples, histograms);
    }
    return Unit{};
}

Result<std::string> as_samples(const std::vector<SeriesList>& results, Budget budget) {
    wire::ReadResponseEncoder out;
    for (const SeriesList& result : results) {
        for (const auto& series : result) {
            TRY_UNIT(add_as_samples(*series, budget, out));
            TRY_UNIT(budget.check_bytes(out.size()));
        }
        out.end_query();
    }
    return out.message();
}

// Cuts one series into chunks and those into frames.
class ChunkStream {
public:
    ChunkStream(std::size_t frame_bytes, std::string& out) : frame_bytes_(frame_bytes), out_(out) {}

    // False if the series holds histograms: then nothing of it can be streamed.
    Result<bool> add(std::size_t query, const tsdb::Series& series, Budget& budget) {
        const wire::LabelViews labels = views(series.labels());
        const auto walk = series.samples();
        for (auto block = walk->next_block(); !block.samples.empty(); block = walk->next_block()) {
            TRY_UNIT(budget.take_samples(block.samples.size()));
            if (std::any_of(block.histograms.begin(), block.histograms.end(),
                            [](const auto& h) { return h != nullptr; })) {
                return false;
            }
            for (const tsdb::Sample& sample : block.samples) {
                chunk_.append(sample.time, sample.value);
                if (chunk_.count() == wire::XorChunk::kMaxSamples) {
                    end_chunk();
                }
            }
            if (chunk_bytes_ >= frame_bytes_) {
                end_frame(query, labels);
                TRY_UNIT(budget.check_bytes(out_.size()));
            }
        }
        TRY_UNIT(walk->status());
        end_chunk();
        end_frame(query, labels);
        TRY_UNIT(budget.check_bytes(out_.size()));
        return true;
    }

private:
    void end_chunk() {
        if (chunk_.count() == 0) {
            return;
        }
        const std::int64_t first = chunk_.min_time();
        const std::int64_t last = chunk_.max_time();
        chunks_.push_back({first, last, chunk_.take()});
        chunk_bytes_ += chunks_.back().data.size();
    }
    void end_frame(std::size_t query, const wire::LabelViews& labels) {
        if (chunks_.empty()) {
            return;
        }
        const std::string message = wire::encode_chunked_response(query, labels, chunks_);
        wire::append_read_frame(message, journal::crc32c(message), out_);
        chunks_.clear();
        chunk_bytes_ = 0;
    }

    const std::size_t frame_bytes_;
    std::string& out_;
    wire::XorChunk chunk_;
    std::vector<wire::ReadChunk> chunks_;
    std::size_t chunk_bytes_ = 0;
};

// Nothing where a series holds histograms.
Result<std::optional<std::string>> as_chunks(const std::vector<SeriesList>& results, Budget budget,
                                             std::size_t frame_bytes) {
    std::string out;
    ChunkStream stream(frame_bytes, out);
    for (std::size_t query = 0; query < results.size(); ++query) {
        for (const auto& series : results[query]) {
            TRY(const bool streamed, stream.add(query, *series, budget));
            if (!streamed) {
                return std::optional<std::string>{};
            }
        }
    }
    return std::optional(std::move(out));
}

net::Response protobuf_response(std::string body, std::string_view content_type, std::string_view encoding) {
    net::Response response;
    response.headers.add("Content-Type", std::string(content_type));
    if (!encoding.empty()) {
        response.headers.add("Content-Encoding", std::string(encoding));
    }
    response.body = std::move(body);
    return response;
}

// Prometheus shows the body of a failed remote read as it is.
net::Response plain_error(const Error& error) {
    net::Response response;
    response.status = error.code == Errc::ResourceExhausted ? 422 : net::status_of(error.code);
    response.headers.add("Content-Type", "text/plain; charset=utf-8");
    response.body = error.message + "\n";
    return response;
}

}  // namespace

RemoteReader::RemoteReader(const tsdb::Querier& querier, RemoteReadOptions options, metrics::Registry& registry)
    : querier_(querier),
      options_(options),
      requests_(registry.counter("stoker_remote_read_requests_total", "Remote-read requests answered, by status.",
                                 {"status"})),
      bytes_(registry.counter("stoker_remote_read_response_bytes_total", "Bytes of remote-read answers.").with()) {}

net::Response RemoteReader::read(const collect::PushRequest& request) const {
    auto made = answer(request);
    net::Response response = made ? *std::move(made) : plain_error(made.error());
    requests_.with({std::to_string(response.status)}).add();
    bytes_.add(static_cast<double>(response.body.size()));
    return response;
}

Result<net::Response> RemoteReader::answer(const collect::PushRequest& request) const {
    const auto encoding = request.headers.get("Content-Encoding").value_or("snappy");
    TRY(const std::string message, wire::decompress(encoding, request.body, options_.max_body_bytes));
    TRY(const wire::ReadRequest wanted, wire::decode_read_request(message, options_.limits));

    std::vector<SeriesList> results;
    for (const wire::ReadQuery& query : wanted.queries) {
        std::vector<tsdb::Matcher> matchers;
        std::transform(query.matchers.begin(), query.matchers.end(), std::back_inserter(matchers), to_matcher);
        TRY(auto found, querier_.select(matchers, query.start, query.end, options_.max_series));
        results.push_back(std::move(found));
    }

    const Budget budget{options_.max_samples, options_.max_response_bytes};
    const auto& accepted = wanted.accepted;
    const bool takes_samples =
        std::find(accepted.begin(), accepted.end(), wire::ReadResponseType::Samples) != accepted.end();
    if (!accepted.empty() && accepted.front() == wire::ReadResponseType::StreamedXorChunks) {
        TRY(auto chunks, as_chunks(results, budget, options_.frame_bytes));
        if (chunks) {
            return protobuf_response(*std::move(chunks),
                                     "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse", "");
        }
    }
    if (!takes_samples) {
        return Error{Errc::InvalidArgument, "remote read: none of the accepted response types can carry the answer"};
    }
    TRY(const std::string samples, as_samples(results, budget));
    return protobuf_response(wire::snappy_compress(samples), "application/x-protobuf", "snappy");
}

}  // namespace stoker::api
