#include "promql/stream_fold.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "promql/group_table.h"
#include "promql/kahan.h"

namespace stoker::promql {

namespace {

// A row of steps this long is folded by several threads, each a part of it.
constexpr std::size_t kWorthSharing = 128;

// What is kept of a group at one step, for each aggregation. add() takes numbers in the order of their series.
struct SumCell {
    KahanSum sum;
    bool any = false;
    void add(double value) {
        sum.add(value);
        any = true;
    }
    double value() const { return any ? sum.value() : missing(); }
};

struct MeanCell {
    KahanMean mean;
    void add(double value) { mean.add(value); }
    double value() const { return mean.count() > 0 ? mean.value() : missing(); }
};

struct CountCell {
    std::uint64_t count = 0;
    void add(double) { ++count; }
    double value() const { return count > 0 ? static_cast<double>(count) : missing(); }
};

struct GroupCell {
    bool any = false;
    void add(double) { any = true; }
    double value() const { return any ? 1 : missing(); }
};

// NaN only wins when there is nothing else.
struct MinCell {
    double least = missing();
    void add(double value) {
        if (value < least || std::isnan(least)) least = value;
    }
    double value() const { return least; }
};

struct MaxCell {
    double most = missing();
    void add(double value) {
        if (value > most || std::isnan(most)) most = value;
    }
    double value() const { return most; }
};

// Welford's method. Of an infinite first value no difference to the mean is known.
template <bool kRoot>
struct VarianceCell {
    double mean = 0;
    double squares = 0;
    double count = 0;
    void add(double value) {
        count += 1;
        if (count == 1) {
            mean = value;
            squares = std::isfinite(value) ? 0 : std::numeric_limits<double>::quiet_NaN();
            return;
        }
        const double delta = value - mean;
        mean += delta / count;
        squares += delta * (value - mean);
    }
    double value() const {
        if (count == 0) return missing();
        return kRoot ? std::sqrt(squares / count) : squares / count;
    }
};

// All groups' cells.
class Cells {
public:
    virtual ~Cells() = default;
    virtual void add_group(std::size_t steps) = 0;
    // Takes what is present of [first, last).
    virtual void fold(std::size_t group, const std::vector<double>& values, std::size_t first, std::size_t last) = 0;
    virtual std::vector<double> values(std::size_t group) const = 0;
};

template <typename Cell>
class CellsOf : public Cells {
public:
    void add_group(std::size_t steps) override { groups_.emplace_back(steps); }
    void fold(std::size_t group, const std::vector<double>& values, std::size_t first, std::size_t last) override {
        std::vector<Cell>& cells = groups_[group];
        for (std::size_t step = first; step < last; ++step) {
            if (present(values[step])) cells[step].add(values[step]);
        }
    }
    std::vector<double> values(std::size_t group) const override {
        std::vector<double> all;
        all.reserve(groups_[group].size());
        for (const Cell& cell : groups_[group]) all.push_back(cell.value());
        return all;
    }

private:
    std::vector<std::vector<Cell>> groups_;
};

std::unique_ptr<Cells> cells_of(Aggregate::Op op) {
    switch (op) {
        case Aggregate::Op::Sum:
            return std::make_unique<CellsOf<SumCell>>();
        case Aggregate::Op::Avg:
            return std::make_unique<CellsOf<MeanCell>>();
        case Aggregate::Op::Count:
            return std::make_unique<CellsOf<CountCell>>();
        case Aggregate::Op::Group:
            return std::make_unique<CellsOf<GroupCell>>();
        case Aggregate::Op::Min:
            return std::make_unique<CellsOf<MinCell>>();
        case Aggregate::Op::Max:
            return std::make_unique<CellsOf<MaxCell>>();
        case Aggregate::Op::Stddev:
            return std::make_unique<CellsOf<VarianceCell<true>>>();
        case Aggregate::Op::Stdvar:
            return std::make_unique<CellsOf<VarianceCell<false>>>();
        default:
            return nullptr;
    }
}

}  // namespace

bool can_fold_stream(const Aggregate& node) {
    return cells_of(node.op) != nullptr;
}

Result<std::optional<Frame>> fold_stream(Context& context, const Aggregate& node, const ColumnSource& source,
                                         const Steps& steps) {
    const std::unique_ptr<Cells> cells = cells_of(node.op);
    GroupTable groups(node);
    std::vector<std::unique_ptr<ColumnMaker>> makers;
    std::vector<Column> columns;
    std::vector<char> made;
    std::vector<std::size_t> group_of;
    Workers& workers = context.workers();
    const std::size_t parts = steps.count < kWorthSharing ? 1 : workers.count();
    const std::size_t at_a_time = columns_at_a_time(steps.count);
    for (std::size_t first = 0; first < source.size(); first += at_a_time) {
        columns.resize(std::min(at_a_time, source.size() - first));
        TRY_UNIT(make_columns(context, source, first, makers, columns, made));
        group_of.assign(columns.size(), 0);
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (made[i] == 0) continue;
            if (!columns[i].histograms.empty()) return std::optional<Frame>();
            const std::size_t known = groups.size();
            group_of[i] = groups.find(source, first + i);
            if (groups.size() == known) continue;
            TRY_UNIT(context.charge(steps.count));
            cells->add_group(steps.count);
        }
        // Each thread a stretch of steps, and all series in their order: sums come out the same with any number.
        workers.run(parts, [&](std::size_t part) {
            for (std::size_t i = 0; i < columns.size(); ++i) {
                if (made[i] == 0) continue;
                cells->fold(group_of[i], columns[i].values, steps.count * part / parts,
                            steps.count * (part + 1) / parts);
            }
        });
    }
    Frame frame;
    for (std::size_t group = 0; group < groups.size(); ++group) {
        frame.push_back({std::move(groups.labels(group)), cells->values(group)});
    }
    return std::optional<Frame>(std::move(frame));
}

}  // namespace stoker::promql
