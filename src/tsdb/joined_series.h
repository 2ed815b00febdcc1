// One series that the store has under several ids, because it was away for hours in between: the parts one after the
// other.
#pragma once

#include <memory>
#include <vector>

#include "tsdb/selection.h"

namespace stoker::tsdb {

class JoinedSeries final : public Series, public std::enable_shared_from_this<JoinedSeries> {
public:
    // REQUIRES: at least one part; all have the same labels.
    JoinedSeries(std::shared_ptr<const Selection> owner, std::vector<const StoredSeries*> parts);

    const Labels& labels() const override { return parts_.front()->labels(); }
    std::span<const LabelRef> label_refs() const override { return parts_.front()->label_refs(); }
    Labels copy_labels() const override { return parts_.front()->copy_labels(); }
    std::string_view metric() const override { return parts_.front()->metric(); }
    std::unique_ptr<SampleIterator> samples() const override;
    std::unique_ptr<SampleIterator> samples_between(std::int64_t start, std::int64_t end) const override;

private:
    friend class JoinedIterator;

    const std::shared_ptr<const Selection> owner_;  // Of the parts.
    std::vector<const StoredSeries*> parts_;        // By first time.
};

}  // namespace stoker::tsdb
