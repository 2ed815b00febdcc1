#include "promql/column_source.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace stoker::promql {

namespace {

// Below this many columns, waking other threads costs more than they save.
constexpr std::size_t kWorthSharing = 32;
// Parts per thread, so that those who are done early find more.
constexpr std::size_t kPartsPerThread = 4;
constexpr std::size_t kPointsAtATime = 256 * 1024;

class ChangedMaker : public ColumnMaker {
public:
    ChangedMaker(std::unique_ptr<ColumnMaker> inner, const ColumnChange& change)
        : inner_(std::move(inner)), change_(change) {}

    Result<bool> make(std::size_t index, Column& out) override {
        TRY(const bool made, inner_->make(index, out));
        if (!made) return false;
        change_(out);
        return any_present(out.values);
    }

private:
    std::unique_ptr<ColumnMaker> inner_;
    const ColumnChange& change_;
};

class ChangedSource : public ColumnSource {
public:
    ChangedSource(std::unique_ptr<ColumnSource> inner, ColumnChange change, bool drops_name)
        : inner_(std::move(inner)), change_(std::move(change)), drops_name_(drops_name) {}

    std::size_t size() const override { return inner_->size(); }
    const tsdb::Labels& labels(std::size_t index) const override { return inner_->labels(index); }
    tsdb::Labels copy_labels(std::size_t index) const override { return inner_->copy_labels(index); }
    std::span<const tsdb::LabelRef> label_refs(std::size_t index) const override { return inner_->label_refs(index); }
    bool drops_name(std::size_t index) const override { return drops_name_ || inner_->drops_name(index); }
    bool distinct_without_names() const override { return inner_->distinct_without_names(); }
    std::unique_ptr<ColumnMaker> maker() const override {
        return std::make_unique<ChangedMaker>(inner_->maker(), change_);
    }

private:
    std::unique_ptr<ColumnSource> inner_;
    ColumnChange change_;
    bool drops_name_;
};

}  // namespace

std::unique_ptr<ColumnSource> changed(std::unique_ptr<ColumnSource> source, ColumnChange change, bool drops_name) {
    return std::make_unique<ChangedSource>(std::move(source), std::move(change), drops_name);
}

std::size_t columns_at_a_time(std::size_t steps) {
    return std::clamp<std::size_t>(kPointsAtATime / std::max<std::size_t>(steps, 1), 64, 4096);
}

Result<Unit> make_columns(Context& context, const ColumnSource& source, std::size_t first,
                          std::vector<std::unique_ptr<ColumnMaker>>& makers, std::span<Column> columns,
                          std::vector<char>& made) {
    const std::size_t count = columns.size();
    made.assign(count, 0);
    Workers& workers = context.workers();
    const std::size_t parts =
        count < kWorthSharing || workers.count() == 1 ? 1 : std::min(workers.count() * kPartsPerThread, count);
    if (makers.size() < parts) makers.resize(parts);
    std::vector<std::optional<Error>> errors(parts);
    workers.run(parts, [&](std::size_t part) {
        if (makers[part] == nullptr) makers[part] = source.maker();
        for (std::size_t i = count * part / parts; i < count * (part + 1) / parts; ++i) {
            auto some = makers[part]->make(first + i, columns[i]);
            if (!some) {
                errors[part] = std::move(some).error();
                return;
            }
            made[i] = *some ? 1 : 0;
        }
    });
    for (std::optional<Error>& error : errors) {
        if (error) return *std::move(error);
    }
    return Unit{};
}

Result<Frame> collect(Context& context, const ColumnSource& source, std::size_t steps) {
    Frame frame;
    std::vector<std::unique_ptr<ColumnMaker>> makers;
    std::vector<Column> columns;
    std::vector<char> made;
    const std::size_t at_a_time = columns_at_a_time(steps);
    for (std::size_t first = 0; first < source.size(); first += at_a_time) {
        columns.resize(std::min(at_a_time, source.size() - first));
        TRY_UNIT(make_columns(context, source, first, makers, columns, made));
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (made[i] == 0) continue;
            TRY_UNIT(context.charge(steps));
            Column& column = frame.emplace_back(std::exchange(columns[i], {}));
            column.labels = source.copy_labels(first + i);
            column.drop_name = false;
            if (source.drops_name(first + i)) drop_name(column, context.name_removal());
        }
    }
    return frame;
}

}  // namespace stoker::promql
