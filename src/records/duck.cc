#include "records/duck.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace stoker::records::duck {
namespace {

constexpr std::size_t kLongestMessage = 2000;

struct Sign {
    std::string_view text;
    Errc code;
};

// In order: the first that is found decides.
constexpr Sign kSigns[] = {
    {"Could not set lock on file", Errc::Conflict},
    {"newer version of DuckDB", Errc::Conflict},
    {"database file with version number", Errc::Conflict},
    {"Out of Memory", Errc::ResourceExhausted},
    {"No space left on device", Errc::ResourceExhausted},
    {"INTERRUPT", Errc::Cancelled},
    {"Interrupted", Errc::Cancelled},
    {"Corrupt", Errc::Corruption},
    {"corrupt", Errc::Corruption},
    {"checksum", Errc::Corruption},
    {"not a valid DuckDB database", Errc::Corruption},
    {"replaying WAL", Errc::Corruption},
    {"database has been invalidated", Errc::Corruption},
    {"Serialization Error", Errc::Corruption},
    {"\"INTERNAL\"", Errc::Internal},
    {"INTERNAL Error", Errc::Internal},
    {"IO Error", Errc::Unavailable},
};

Result<Unit> bind(duckdb_prepared_statement statement, const std::vector<Parameter>& parameters) {
    for (idx_t i = 0; i < parameters.size(); ++i) {
        const Parameter& parameter = parameters[i];
        duckdb_state state = DuckDBError;
        if (const auto* text = std::get_if<std::string>(&parameter)) {
            state = duckdb_bind_varchar_length(statement, i + 1, text->data(), text->size());
        } else if (const auto* number = std::get_if<std::int64_t>(&parameter)) {
            state = duckdb_bind_int64(statement, i + 1, *number);
        } else {
            state = duckdb_bind_boolean(statement, i + 1, std::get<bool>(parameter));
        }
        if (state != DuckDBSuccess) return error_of(duckdb_prepare_error(statement));
    }
    return Unit{};
}

}  // namespace

Error error_of(const char* message) {
    const std::string_view text = message == nullptr ? "unknown error of the database" : message;
    Errc code = Errc::InvalidArgument;
    for (const Sign& sign : kSigns) {
        if (text.find(sign.text) == std::string_view::npos) continue;
        code = sign.code;
        break;
    }
    return {code, std::string(trim(text.substr(0, kLongestMessage)))};
}

Result<ChunkHandle> Rows::next() {
    return guarded([&]() -> Result<ChunkHandle> {
        ChunkHandle chunk(duckdb_fetch_chunk(result_));
        if (chunk.get() == nullptr) {
            if (const char* message = duckdb_result_error(&result_); message != nullptr && *message != '\0') {
                return error_of(message);
            }
        }
        return chunk;
    });
}

Result<Connection> Connection::open(duckdb_database database) {
    return guarded([&]() -> Result<Connection> {
        Connection connection;
        if (duckdb_connect(database, connection.handle_.out()) != DuckDBSuccess) {
            return Error{Errc::Internal, "cannot connect to the record database"};
        }
        return connection;
    });
}

Result<Rows> Connection::query(const std::string& sql, const std::vector<Parameter>& parameters) {
    return guarded([&]() -> Result<Rows> {
        StatementHandle statement;
        if (duckdb_prepare(raw(), sql.c_str(), statement.out()) != DuckDBSuccess) {
            return error_of(duckdb_prepare_error(statement.get()));
        }
        TRY_UNIT(bind(statement.get(), parameters));
        duckdb_result result{};
        const duckdb_state state = duckdb_execute_prepared(statement.get(), &result);
        Rows rows(result);
        if (state != DuckDBSuccess) return error_of(duckdb_result_error(&rows.raw()));
        return rows;
    });
}

Result<Unit> Connection::run(const std::string& sql, const std::vector<Parameter>& parameters) {
    TRY(const Rows rows, query(sql, parameters));
    return Unit{};
}

Result<std::optional<std::int64_t>> Connection::integer(const std::string& sql,
                                                        const std::vector<Parameter>& parameters) {
    TRY(Rows rows, query("SELECT CAST((" + sql + ") AS BIGINT)", parameters));
    TRY(const ChunkHandle chunk, rows.next());
    if (chunk.get() == nullptr || duckdb_data_chunk_get_size(chunk.get()) == 0) return std::optional<std::int64_t>();
    duckdb_vector column = duckdb_data_chunk_get_vector(chunk.get(), 0);
    std::uint64_t* validity = duckdb_vector_get_validity(column);
    if (validity != nullptr && !duckdb_validity_row_is_valid(validity, 0)) return std::optional<std::int64_t>();
    return std::optional(*static_cast<std::int64_t*>(duckdb_vector_get_data(column)));
}

Result<std::optional<std::string>> Connection::text(const std::string& sql, const std::vector<Parameter>& parameters) {
    TRY(Rows rows, query("SELECT CAST((" + sql + ") AS VARCHAR)", parameters));
    TRY(const ChunkHandle chunk, rows.next());
    if (chunk.get() == nullptr || duckdb_data_chunk_get_size(chunk.get()) == 0) return std::optional<std::string>();
    duckdb_vector column = duckdb_data_chunk_get_vector(chunk.get(), 0);
    std::uint64_t* validity = duckdb_vector_get_validity(column);
    if (validity != nullptr && !duckdb_validity_row_is_valid(validity, 0)) return std::optional<std::string>();
    return std::optional(std::string(text_at(duckdb_vector_get_data(column), 0)));
}

Result<Transaction> Transaction::begin(Connection& connection, bool read_only) {
    TRY_UNIT(connection.run(read_only ? "BEGIN TRANSACTION READ ONLY" : "BEGIN TRANSACTION"));
    return Transaction(connection);
}

Transaction::~Transaction() {
    if (connection_ != nullptr) (void)connection_->run("ROLLBACK");
}

Result<Unit> Transaction::commit() {
    auto done = std::exchange(connection_, nullptr)->run("COMMIT");
    // What its memory holds now is not what the file holds.
    if (!done) return Error{Errc::Corruption, done.error().message};
    return done;
}

Result<DatabaseHandle> open_database(const std::string& path, const Settings& settings) {
    // The order matters: what names folders comes before access to files ends, and the lock comes last.
    const std::pair<const char*, std::string> config[] = {
        {"threads", std::to_string(std::max<std::int64_t>(1, settings.threads))},
        {"memory_limit", settings.memory_limit},
        {"temp_directory", settings.temp_directory},
        {"autoinstall_known_extensions", "false"},
        {"autoload_known_extensions", "false"},
        {"allow_community_extensions", "false"},
        {"allow_unsigned_extensions", "false"},
        {"enable_external_access", "false"},
        {"lock_configuration", "true"},
    };
    return guarded([&]() -> Result<DatabaseHandle> {
        duckdb_config raw = nullptr;
        if (duckdb_create_config(&raw) != DuckDBSuccess) return Error{Errc::Internal, "cannot configure DuckDB"};
        const Handle<duckdb_config, duckdb_destroy_config> owner(raw);
        for (const auto& [name, value] : config) {
            if (duckdb_set_config(raw, name, value.c_str()) != DuckDBSuccess) {
                return Error{Errc::Internal, fmt::format("DuckDB does not take {} = {}", name, value)};
            }
        }
        DatabaseHandle database;
        char* message = nullptr;
        if (duckdb_open_ext(path.c_str(), database.out(), raw, &message) != DuckDBSuccess) {
            Error error = error_of(message);
            duckdb_free(message);
            // What can't be told apart is not taken for damage: nothing is moved away then.
            if (error.code == Errc::InvalidArgument) error.code = Errc::Unavailable;
            return std::move(error).context(path);
        }
        return database;
    });
}

}  // namespace stoker::records::duck
