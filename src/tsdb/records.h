// Entries of the log beside series and samples: a kind from 16 on, then a text with the body.
//
// A reader can pass over a body without knowing it, so these grow without the entries of samples knowing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tsdb/bytes.h"

namespace stoker::tsdb {

// The codes in the log (docs/format/tsdb.md).
enum class RecordKind : std::uint8_t { Exemplar = 16, Tombstone = 17 };

inline constexpr std::uint8_t kFirstRecordKind = 16;

inline void put_record(std::string& out, RecordKind kind, std::string_view body) {
    out += static_cast<char>(kind);
    put_text(out, body);
}

}  // namespace stoker::tsdb
