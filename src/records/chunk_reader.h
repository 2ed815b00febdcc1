// Rows of a query as C++ values, column by column.
#pragma once

#include <cstdint>
#include <string>

#include "records/duck.h"

namespace stoker::records {

// Takes a row's columns in order. NULL is an empty text or zero.
class RowReader {
public:
    RowReader(duckdb_data_chunk chunk, idx_t row) : chunk_(chunk), row_(row) {}

    std::string text() {
        void* data = next();
        return data == nullptr ? std::string() : std::string(duck::text_at(data, row_));
    }
    // REQUIRES: T is the C type of the column's.
    template <typename T>
    T number(T none = T{}) {
        void* data = next();
        return data == nullptr ? none : static_cast<T*>(data)[row_];
    }

private:
    // The next column's data; null where the row is NULL.
    void* next() {
        duckdb_vector column = duckdb_data_chunk_get_vector(chunk_, column_++);
        std::uint64_t* validity = duckdb_vector_get_validity(column);
        const bool valid = validity == nullptr || duckdb_validity_row_is_valid(validity, row_);
        return valid ? duckdb_vector_get_data(column) : nullptr;
    }

    duckdb_data_chunk chunk_;
    idx_t row_;
    idx_t column_ = 0;
};

// Calls `take(RowReader&)` for each row.
template <typename Take>
Result<Unit> each_row(duck::Rows rows, const Take& take) {
    for (;;) {
        TRY(const duck::ChunkHandle chunk, rows.next());
        if (chunk.get() == nullptr) return Unit{};
        for (idx_t row = 0; row < duckdb_data_chunk_get_size(chunk.get()); ++row) {
            RowReader reader(chunk.get(), row);
            take(reader);
        }
    }
}

}  // namespace stoker::records
