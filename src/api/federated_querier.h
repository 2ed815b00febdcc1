// A Querier over this Stoker and others: each selection is asked of all peers at once, by Prometheus' remote read, and
// every series gets the label `stoker`, the name of whose it is.
//
// A peer that does not answer in time, or in another way than it should, is left out of the answer and stands in
// warnings(). Matchers on `stoker` decide who is asked at all. Thread-safe; a selection blocks as long as its slowest
// peer, at most what the fetch function allows.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/sync.h"
#include "tsdb/querier.h"

namespace stoker::api {

struct FederationPeer {
    std::string name;
    // Sends a snappy-compressed ReadRequest and returns the body of the answer, as compressed. Errors become warnings.
    std::function<Result<std::string>(const std::string& request)> read;
};

struct FederationView {
    std::string name = "local";  // The label `stoker` of our own series.
    std::vector<FederationPeer> peers;
    std::size_t max_samples = 10'000'000;  // From one peer for one selection; more are an error of that peer.
};

class FederatedQuerier : public tsdb::Querier {
public:
    static constexpr const char* kLabel = "stoker";

    // REQUIRES: both outlive it and the series it gave.
    FederatedQuerier(const tsdb::Querier& local, const FederationView& view) : local_(local), view_(view) {}

    Result<std::vector<std::shared_ptr<tsdb::Series>>> select(const std::vector<tsdb::Matcher>& matchers,
                                                              std::int64_t start, std::int64_t end,
                                                              std::size_t series_limit) const override;
    // Of this Stoker alone.
    Result<std::vector<std::string>> label_names(const std::vector<tsdb::Matcher>& matchers, std::int64_t start,
                                                 std::int64_t end) const override;
    Result<std::vector<std::string>> label_values(const std::string& name, const std::vector<tsdb::Matcher>& matchers,
                                                  std::int64_t start, std::int64_t end) const override;

    // Who was left out, and why; each peer once.
    std::vector<std::string> warnings() const;

private:
    void leave_out(const std::string& peer, const std::string& why) const;

    const tsdb::Querier& local_;
    const FederationView& view_;
    mutable Mutex mutex_;
    mutable std::vector<std::pair<std::string, std::string>> left_out_ GUARDED_BY(mutex_);
};

}  // namespace stoker::api
