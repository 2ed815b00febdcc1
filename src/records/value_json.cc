#include "records/value_json.h"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "base/text.h"
#include "records/duck.h"

namespace stoker::records {
namespace {

__extension__ typedef __int128 Wide;  // NOLINT(modernize-use-using): the keyword goes before a typedef only.
__extension__ typedef unsigned __int128 UnsignedWide;  // NOLINT(modernize-use-using)
constexpr std::int64_t kExactInDouble = std::int64_t{1} << 53;
constexpr std::int64_t kMicrosPerDay = 86'400'000'000;

std::string digits_of(Wide value) {
    if (value == 0) return "0";
    // The smallest value has no positive twin, so digits are taken from the negative side.
    const bool negative = value < 0;
    std::string reversed;
    for (; value != 0; value /= 10) {
        const int digit = static_cast<int>(value % 10);
        reversed += static_cast<char>('0' + (digit < 0 ? -digit : digit));
    }
    if (negative) reversed += '-';
    return {reversed.rbegin(), reversed.rend()};
}

void append_integer(std::string& out, Wide value) {
    const bool exact = value <= kExactInDouble && value >= -kExactInDouble;
    if (!exact) out += '"';
    out += digits_of(value);
    if (!exact) out += '"';
}

void append_text(std::string& out, std::string_view text) {
    out += quote_json(text);
}

void append_double(std::string& out, double value) {
    if (std::isfinite(value)) {
        out += fmt::format("{}", value);
    } else {
        append_text(out, std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
    }
}

Wide wide_of(duckdb_hugeint value) {
    return static_cast<Wide>((static_cast<UnsignedWide>(static_cast<std::uint64_t>(value.upper)) << 64) | value.lower);
}

// A number with `scale` digits after the point: exact as text, a JSON number where a double holds it.
void append_decimal(std::string& out, Wide unscaled, int scale) {
    std::string digits = digits_of(unscaled < 0 ? -unscaled : unscaled);
    const auto places = static_cast<std::size_t>(scale);
    if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
    if (places > 0) digits.insert(digits.size() - places, ".");
    if (unscaled < 0) digits.insert(0, "-");
    const bool exact = digits.size() <= 15;
    out += exact ? digits : quote_json(digits);
}

std::string date_text(std::int32_t days) {
    const duckdb_date_struct date = duckdb_from_date({days});
    return fmt::format("{:04}-{:02}-{:02}", date.year, static_cast<int>(date.month), static_cast<int>(date.day));
}

std::string time_text(std::int64_t micros) {
    std::string text =
        fmt::format("{:02}:{:02}:{:02}", micros / 3'600'000'000, micros / 60'000'000 % 60, micros / 1'000'000 % 60);
    if (micros % 1'000'000 != 0) text += fmt::format(".{:06}", micros % 1'000'000);
    return text;
}

void append_timestamp(std::string& out, std::int64_t micros) {
    if (!duckdb_is_finite_timestamp({micros})) return append_text(out, micros > 0 ? "infinity" : "-infinity");
    std::int64_t days = micros / kMicrosPerDay;
    if (micros % kMicrosPerDay < 0) --days;
    out +=
        fmt::format("\"{}T{}Z\"", date_text(static_cast<std::int32_t>(days)), time_text(micros - days * kMicrosPerDay));
}

std::string uuid_text(duckdb_hugeint value) {
    const std::uint64_t upper = static_cast<std::uint64_t>(value.upper) ^ (std::uint64_t{1} << 63);  // Stored to sort.
    return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", upper >> 32, upper >> 16 & 0xFFFF, upper & 0xFFFF,
                       value.lower >> 48, value.lower & 0xFFFFFFFFFFFF);
}

template <typename T>
T at(duckdb_vector column, idx_t row) {
    return static_cast<T*>(duckdb_vector_get_data(column))[row];
}

Wide integer_of(duckdb_type type, duckdb_vector column, idx_t row) {
    switch (type) {
        case DUCKDB_TYPE_TINYINT:
            return at<std::int8_t>(column, row);
        case DUCKDB_TYPE_SMALLINT:
            return at<std::int16_t>(column, row);
        case DUCKDB_TYPE_INTEGER:
            return at<std::int32_t>(column, row);
        case DUCKDB_TYPE_BIGINT:
            return at<std::int64_t>(column, row);
        case DUCKDB_TYPE_UTINYINT:
            return at<std::uint8_t>(column, row);
        case DUCKDB_TYPE_USMALLINT:
            return at<std::uint16_t>(column, row);
        case DUCKDB_TYPE_UINTEGER:
            return at<std::uint32_t>(column, row);
        case DUCKDB_TYPE_UBIGINT:
            return at<std::uint64_t>(column, row);
        default:
            return wide_of(at<duckdb_hugeint>(column, row));
    }
}

void append_list(std::string& out, duckdb_vector child, idx_t from, idx_t count) {
    out += '[';
    for (idx_t i = 0; i < count; ++i) {
        if (i > 0) out += ',';
        append_json(out, child, from + i);
    }
    out += ']';
}

void append_struct(std::string& out, duckdb_logical_type type, duckdb_vector column, idx_t row) {
    out += '{';
    for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
        char* name = duckdb_struct_type_child_name(type, i);
        if (i > 0) out += ',';
        append_text(out, name);
        duckdb_free(name);
        out += ':';
        append_json(out, duckdb_struct_vector_get_child(column, i), row);
    }
    out += '}';
}

void append_enum(std::string& out, duckdb_logical_type type, duckdb_vector column, idx_t row) {
    const duckdb_type storage = duckdb_enum_internal_type(type);
    char* name = duckdb_enum_dictionary_value(type, static_cast<idx_t>(integer_of(storage, column, row)));
    append_text(out, name);
    duckdb_free(name);
}

void append_blob(std::string& out, std::string_view bytes) {
    out += '"';
    for (const char byte : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    out += '"';
}

void append_interval(std::string& out, duckdb_interval value) {
    out += fmt::format("\"{} months {} days {}{}\"", value.months, value.days, value.micros < 0 ? "-" : "",
                       time_text(std::abs(value.micros)));
}

void append_valid(std::string& out, duckdb_logical_type logical, duckdb_vector column, idx_t row) {
    const duckdb_type type = duckdb_get_type_id(logical);
    switch (type) {
        case DUCKDB_TYPE_BOOLEAN:
            out += at<bool>(column, row) ? "true" : "false";
            return;
        case DUCKDB_TYPE_TINYINT:
        case DUCKDB_TYPE_SMALLINT:
        case DUCKDB_TYPE_INTEGER:
        case DUCKDB_TYPE_BIGINT:
        case DUCKDB_TYPE_UTINYINT:
        case DUCKDB_TYPE_USMALLINT:
        case DUCKDB_TYPE_UINTEGER:
        case DUCKDB_TYPE_UBIGINT:
        case DUCKDB_TYPE_HUGEINT:
            return append_integer(out, integer_of(type, column, row));
        case DUCKDB_TYPE_FLOAT:
            return append_double(out, static_cast<double>(at<float>(column, row)));
        case DUCKDB_TYPE_DOUBLE:
            return append_double(out, at<double>(column, row));
        case DUCKDB_TYPE_DECIMAL:
            return append_decimal(out, integer_of(duckdb_decimal_internal_type(logical), column, row),
                                  duckdb_decimal_scale(logical));
        case DUCKDB_TYPE_VARCHAR:
            return append_text(out, duck::text_at(duckdb_vector_get_data(column), row));
        case DUCKDB_TYPE_BLOB:
            return append_blob(out, duck::text_at(duckdb_vector_get_data(column), row));
        case DUCKDB_TYPE_DATE:
            return append_text(out, date_text(at<std::int32_t>(column, row)));
        case DUCKDB_TYPE_TIME:
            return append_text(out, time_text(at<std::int64_t>(column, row)));
        case DUCKDB_TYPE_TIMESTAMP:
        case DUCKDB_TYPE_TIMESTAMP_TZ:
            return append_timestamp(out, at<std::int64_t>(column, row));
        case DUCKDB_TYPE_TIMESTAMP_S:
            return append_timestamp(out, at<std::int64_t>(column, row) * 1'000'000);
        case DUCKDB_TYPE_TIMESTAMP_MS:
            return append_timestamp(out, at<std::int64_t>(column, row) * 1000);
        case DUCKDB_TYPE_TIMESTAMP_NS:
            return append_timestamp(out, at<std::int64_t>(column, row) / 1000);
        case DUCKDB_TYPE_INTERVAL:
            return append_interval(out, at<duckdb_interval>(column, row));
        case DUCKDB_TYPE_UUID:
            return append_text(out, uuid_text(at<duckdb_hugeint>(column, row)));
        case DUCKDB_TYPE_ENUM:
            return append_enum(out, logical, column, row);
        case DUCKDB_TYPE_LIST:
        case DUCKDB_TYPE_MAP: {
            const auto entry = at<duckdb_list_entry>(column, row);
            return append_list(out, duckdb_list_vector_get_child(column), entry.offset, entry.length);
        }
        case DUCKDB_TYPE_ARRAY: {
            const idx_t size = duckdb_array_type_array_size(logical);
            return append_list(out, duckdb_array_vector_get_child(column), row * size, size);
        }
        case DUCKDB_TYPE_STRUCT:
            return append_struct(out, logical, column, row);
        case DUCKDB_TYPE_SQLNULL:
            out += "null";
            return;
        default:
            return append_text(out, "(cast this to VARCHAR to see it)");
    }
}

std::string_view plain_name(duckdb_type type) {
    switch (type) {
        case DUCKDB_TYPE_BOOLEAN:
            return "BOOLEAN";
        case DUCKDB_TYPE_TINYINT:
            return "TINYINT";
        case DUCKDB_TYPE_SMALLINT:
            return "SMALLINT";
        case DUCKDB_TYPE_INTEGER:
            return "INTEGER";
        case DUCKDB_TYPE_BIGINT:
            return "BIGINT";
        case DUCKDB_TYPE_UTINYINT:
            return "UTINYINT";
        case DUCKDB_TYPE_USMALLINT:
            return "USMALLINT";
        case DUCKDB_TYPE_UINTEGER:
            return "UINTEGER";
        case DUCKDB_TYPE_UBIGINT:
            return "UBIGINT";
        case DUCKDB_TYPE_HUGEINT:
            return "HUGEINT";
        case DUCKDB_TYPE_UHUGEINT:
            return "UHUGEINT";
        case DUCKDB_TYPE_FLOAT:
            return "FLOAT";
        case DUCKDB_TYPE_DOUBLE:
            return "DOUBLE";
        case DUCKDB_TYPE_VARCHAR:
            return "VARCHAR";
        case DUCKDB_TYPE_BLOB:
            return "BLOB";
        case DUCKDB_TYPE_DATE:
            return "DATE";
        case DUCKDB_TYPE_TIME:
            return "TIME";
        case DUCKDB_TYPE_TIMESTAMP:
            return "TIMESTAMP";
        case DUCKDB_TYPE_TIMESTAMP_S:
            return "TIMESTAMP_S";
        case DUCKDB_TYPE_TIMESTAMP_MS:
            return "TIMESTAMP_MS";
        case DUCKDB_TYPE_TIMESTAMP_NS:
            return "TIMESTAMP_NS";
        case DUCKDB_TYPE_TIMESTAMP_TZ:
            return "TIMESTAMP WITH TIME ZONE";
        case DUCKDB_TYPE_INTERVAL:
            return "INTERVAL";
        case DUCKDB_TYPE_UUID:
            return "UUID";
        case DUCKDB_TYPE_ENUM:
            return "ENUM";
        case DUCKDB_TYPE_STRUCT:
            return "STRUCT";
        case DUCKDB_TYPE_MAP:
            return "MAP";
        case DUCKDB_TYPE_SQLNULL:
            return "NULL";
        default:
            return "OTHER";
    }
}

}  // namespace

std::string type_name(duckdb_logical_type type) {
    const duckdb_type id = duckdb_get_type_id(type);
    if (id == DUCKDB_TYPE_DECIMAL) {
        return fmt::format("DECIMAL({},{})", static_cast<int>(duckdb_decimal_width(type)),
                           static_cast<int>(duckdb_decimal_scale(type)));
    }
    if (id == DUCKDB_TYPE_LIST) {
        return type_name(duck::TypeHandle(duckdb_list_type_child_type(type)).get()) + "[]";
    }
    if (id == DUCKDB_TYPE_ARRAY) {
        return fmt::format("{}[{}]", type_name(duck::TypeHandle(duckdb_array_type_child_type(type)).get()),
                           duckdb_array_type_array_size(type));
    }
    return std::string(plain_name(id));
}

void append_json(std::string& out, duckdb_vector column, idx_t row) {
    std::uint64_t* validity = duckdb_vector_get_validity(column);
    if (validity != nullptr && !duckdb_validity_row_is_valid(validity, row)) {
        out += "null";
        return;
    }
    const duck::TypeHandle type(duckdb_vector_get_column_type(column));
    append_valid(out, type.get(), column, row);
}

}  // namespace stoker::records
