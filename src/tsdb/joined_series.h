// One series that the store has under several ids, because it was away for hours in between: the parts one after the
// other.
#pragma once

#include <memory>
#include <vector>

#include "tsdb/stored_series.h"

namespace stoker::tsdb {

class JoinedSeries final : public Series, public std::enable_shared_from_this<JoinedSeries> {
public:
    // REQUIRES: at least one part; all have the same labels.
    explicit JoinedSeries(std::vector<std::shared_ptr<StoredSeries>> parts);

    const Labels& labels() const override { return parts_.front()->labels(); }
    std::unique_ptr<SampleIterator> samples() const override;
    std::unique_ptr<SampleIterator> samples_between(std::int64_t start, std::int64_t end) const override;

private:
    friend class JoinedIterator;

    std::vector<std::shared_ptr<StoredSeries>> parts_;  // By first time.
};

}  // namespace stoker::tsdb
