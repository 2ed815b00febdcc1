#include "plan.h"

namespace stoker::crash {

namespace {

tsdb::Labels series(const std::string& kind, int number) {
    return tsdb::Labels{{"__name__", kind + std::to_string(number)}, {"job", "crash"}};
}

std::uint64_t mixed(const tsdb::Labels& labels, std::int64_t time) {
    std::uint64_t x = labels.hash() ^ static_cast<std::uint64_t>(time) * 0x9e3779b97f4a7c15ULL;
    x = (x ^ x >> 31) * 0xbf58476d1ce4e5b9ULL;
    return x ^ x >> 29;
}

tsdb::SeriesSample sample(const tsdb::Labels& labels, std::int64_t time) {
    if (is_histogram_series(labels)) {
        return {labels, {time, 0}, histogram_of(labels, time)};
    }
    return {labels, {time, value_of(labels, time)}};
}

}  // namespace

tsdb::StoreOptions store_options(bool fsync) {
    tsdb::StoreOptions options;
    options.retention = Duration{400LL * 24 * 3600 * 1000};
    options.checkpoint_bytes = 60'000;
    options.write_buffer_bytes = std::size_t{1} << 20;
    options.max_exemplars = 200;
    options.durability = fsync ? tsdb::Durability::Fsync : tsdb::Durability::Process;
    return options;
}

bool is_histogram_series(const tsdb::Labels& labels) {
    return labels.metric()[0] == 'h';
}

double value_of(const tsdb::Labels& labels, std::int64_t time) {
    const std::uint64_t noise = mixed(labels, time);
    switch (labels.hash() % 3) {
        case 0:
            return static_cast<double>(noise % 1000) / 10;
        case 1:
            return static_cast<double>(time / 1000);
        default:
            return static_cast<double>(noise) / 3;
    }
}

tsdb::HistogramPtr histogram_of(const tsdb::Labels& labels, std::int64_t time) {
    const double base = static_cast<double>(mixed(labels, time) % 100);
    auto histogram = std::make_shared<tsdb::Histogram>();
    histogram->reset_hint = tsdb::Histogram::ResetHint::Gauge;
    histogram->schema = 3;
    histogram->positive_spans = {{static_cast<std::int32_t>(mixed(labels, time / 600'000) % 4), 2}, {3, 1}};
    histogram->positive = {base, base + 1, 2};
    histogram->count = 2 * base + 3;
    histogram->sum = base / 7;
    return histogram;
}

std::vector<tsdb::SeriesSample> batch_of(int thread, std::int64_t step) {
    const std::int64_t time = kStart + step * kStep;
    std::vector<tsdb::SeriesSample> batch;
    if (thread == 1) {
        for (int i = 0; i < kSecond; ++i) {
            batch.push_back(sample(series("s", i), time));
        }
        return batch;
    }
    for (int i = 0; i < kFloats; ++i) {
        batch.push_back(sample(series("f", i), time));
    }
    for (int i = 0; i < kHistograms; ++i) {
        batch.push_back(sample(series("h", i), time));
    }
    for (int i = 0; i < kLate; ++i) {
        batch.push_back(sample(series("l", i), time));
        if (step > 20 && step % 3 == i % 3) {
            batch.push_back(sample(series("l", i), time - (step % 17 + 1) * kStep + 5000));
        }
    }
    batch.push_back(sample(series("churn", static_cast<int>(step / 10)), time));
    return batch;
}

tsdb::SeriesExemplars exemplar_of(std::int64_t step) {
    const std::int64_t time = kStart + step * kStep;
    return {series("f", static_cast<int>(step % 5)),
            {{tsdb::Labels{{"trace_id", std::to_string(step)}}, static_cast<double>(step), time}}};
}

tsdb::Labels deleted_series(std::int64_t step) {
    switch (step % 3) {
        case 0:
            return series("f", static_cast<int>(step % kFloats));
        case 1:
            return series("h", static_cast<int>(step % kHistograms));
        default:
            return series("l", static_cast<int>(step % kLate));
    }
}

}  // namespace stoker::crash
