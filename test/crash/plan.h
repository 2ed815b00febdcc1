// What the crash harness does to a store, in terms that child and parent agree on without talking: the sample of a
// series at a time follows from the two.
#pragma once

#include <cstdint>
#include <string>

#include "tsdb/store.h"

namespace stoker::crash {

inline constexpr std::int64_t kStart = 1'700'006'400'000;  // Midnight UTC.
inline constexpr std::int64_t kStep = 15'000;              // Between two samples of a series.
inline constexpr int kFloats = 30;
inline constexpr int kHistograms = 6;
inline constexpr int kLate = 6;     // Series with late samples as well.
inline constexpr int kSecond = 10;  // Of the second thread.

// One thing that a thread of the child asks of the store.
enum class Op : std::uint8_t { Ready, Append, Exemplars, Delete, Snapshot };
enum class Phase : std::uint8_t { Begin, Done, Refused };

// What the child writes to the pipe before and after. Smaller than PIPE_BUF, so that each arrives whole.
struct Record {
    Phase phase = Phase::Begin;
    Op op = Op::Ready;
    std::uint8_t thread = 0;
    std::int64_t step = 0;
    std::int64_t from = 0;  // Delete: the steps that go. Snapshot: its number.
    std::int64_t to = 0;
};

struct ChildOptions {
    std::string folder;
    std::uint64_t seed = 0;
    std::int64_t first_step = 0;
    int pipe = -1;
    int fault_errno = 0;           // 0: none.
    int fault_op = 0;              // A tsdb::Faults::Op.
    std::int64_t fault_at = 0;     // The call that fails, counted from the start.
    std::int64_t fault_calls = 0;  // How many fail from there on.
    bool fsync = false;
};

tsdb::StoreOptions store_options(bool fsync);

// What `thread` appends at a step: series in order, histograms, and late samples of earlier steps.
std::vector<tsdb::SeriesSample> batch_of(int thread, std::int64_t step);
tsdb::SeriesExemplars exemplar_of(std::int64_t step);
// The series that Op::Delete takes.
tsdb::Labels deleted_series(std::int64_t step);

double value_of(const tsdb::Labels& series, std::int64_t time);
tsdb::HistogramPtr histogram_of(const tsdb::Labels& series, std::int64_t time);
bool is_histogram_series(const tsdb::Labels& series);

// Runs until it is killed; comes back only if the store fails for good (0) or can't be opened (2).
int run_child(const ChildOptions& options);

}  // namespace stoker::crash
