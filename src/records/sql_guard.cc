#include "records/sql_guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace stoker::records {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestQuery = 256 * 1024;
constexpr int kDeepestTree = 400;  // DuckDB's own limit on expressions is 1000.

constexpr std::array<std::string_view, 20> kTableFunctions = {"range",
                                                              "generate_series",
                                                              "unnest",
                                                              "json_each",
                                                              "json_tree",
                                                              "summary",
                                                              "repeat",
                                                              "repeat_row",
                                                              "duckdb_columns",
                                                              "duckdb_tables",
                                                              "duckdb_types",
                                                              "duckdb_functions",
                                                              "duckdb_keywords",
                                                              "pragma_version",
                                                              "pragma_table_info",
                                                              "pragma_show",
                                                              "pg_timezone_names",
                                                              "duckdb_memory",
                                                              "icu_calendar_names",
                                                              "storage_info"};
constexpr std::array<std::string_view, 3> kForbiddenFunctions = {"write_log", "getenv", "nextval"};

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// The text under `key`; empty if there is none or it is something else.
std::string text_of(const json& node, const char* key) {
    const auto found = node.find(key);
    return found != node.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Error refused(std::string why) {
    return {Errc::InvalidArgument,
            std::move(why) + "; allowed is one statement that only reads: SELECT, WITH, EXPLAIN, DESCRIBE or SHOW"};
}

// Finds every function in the syntax tree.
Result<Unit> check_tree(const json& node, int depth) {
    if (depth > kDeepestTree) return refused("the statement is nested too deeply");
    if (node.is_object()) {
        if (text_of(node, "type") == "TABLE_FUNCTION") {
            const auto function = node.find("function");
            const std::string name = function == node.end() ? "" : to_lower(text_of(*function, "function_name"));
            if (!is_one_of(kTableFunctions, name))
                return refused(fmt::format("table function '{}' is not available", name));
        }
        const std::string name = to_lower(text_of(node, "function_name"));
        if (is_one_of(kForbiddenFunctions, name)) return refused(fmt::format("function '{}' is not available", name));
    }
    if (!node.is_structured()) return Unit{};
    for (const json& child : node) TRY_UNIT(check_tree(child, depth + 1));
    return Unit{};
}

void skip_blanks_and_comments(std::string_view& text) {
    for (;;) {
        text = trim(text);
        if (text.starts_with("--")) {
            const std::size_t end = text.find('\n');
            text = end == std::string_view::npos ? std::string_view() : text.substr(end);
        } else if (text.starts_with("/*")) {
            const std::size_t end = text.find("*/");
            text = end == std::string_view::npos ? std::string_view() : text.substr(end + 2);
        } else {
            return;
        }
    }
}

bool take_word(std::string_view& text, std::string_view word) {
    skip_blanks_and_comments(text);
    if (text.size() <= word.size() || !equals_ignore_case(text.substr(0, word.size()), word)) return false;
    const char after = text[word.size()];
    if (after == '_' || (after >= '0' && after <= '9') || (after | 0x20) >= 'a') return false;
    text.remove_prefix(word.size());
    return true;
}

// The statement that an EXPLAIN explains. What this misreads does not parse as a SELECT, and so is refused.
std::string explained(std::string_view query) {
    if (!take_word(query, "explain")) return std::string(query);
    take_word(query, "analyze");
    skip_blanks_and_comments(query);
    if (query.starts_with('(')) {  // (FORMAT JSON), or the statement itself in parentheses.
        std::string_view options = query.substr(1);
        if (take_word(options, "format") || take_word(options, "analyze")) {
            const std::size_t end = query.find(')');
            if (end != std::string_view::npos) query.remove_prefix(end + 1);
        }
    }
    return std::string(query);
}

Result<duckdb_statement_type> type_of(duck::Connection& connection, const std::string& query) {
    return duck::guarded([&]() -> Result<duckdb_statement_type> {
        duck::ExtractedHandle statements;
        const idx_t count = duckdb_extract_statements(connection.raw(), query.c_str(), statements.out());
        if (count == 0) {
            const char* message = duckdb_extract_statements_error(statements.get());
            if (message == nullptr) return refused("there is no statement");
            return duck::error_of(message);
        }
        if (count != 1) return refused("there is more than one statement");
        duck::StatementHandle statement;
        if (duckdb_prepare_extracted_statement(connection.raw(), statements.get(), 0, statement.out()) !=
            DuckDBSuccess) {
            return duck::error_of(duckdb_prepare_error(statement.get()));
        }
        return duckdb_prepared_statement_type(statement.get());
    });
}

}  // namespace

Result<Unit> check_read_only(duck::Connection& connection, const std::string& query) {
    if (query.size() > kLongestQuery) return refused(fmt::format("the statement is over {} bytes", kLongestQuery));
    if (query.find('\0') != std::string::npos) return refused("the statement holds a zero byte");
    // The tree first: preparing a statement may already run parts of it (constant folding).
    const auto serialized = connection.text("SELECT json_serialize_sql(CAST(? AS VARCHAR))", {explained(query)});
    if (!serialized) return Error(serialized.error());
    const json tree = json::parse(serialized->value_or(""), nullptr, false);
    if (!tree.is_object()) return refused("the statement can't be parsed");
    if (const auto error = tree.find("error"); error == tree.end() || *error != false) {
        if (text_of(tree, "error_type") == "parser")
            return Error{Errc::InvalidArgument, text_of(tree, "error_message")};
        return refused("this is not a statement that reads");
    }
    TRY_UNIT(check_tree(tree, 0));
    TRY(const duckdb_statement_type type, type_of(connection, query));
    if (type != DUCKDB_STATEMENT_TYPE_SELECT && type != DUCKDB_STATEMENT_TYPE_EXPLAIN) {
        return refused("this is not a statement that reads");
    }
    return Unit{};
}

}  // namespace stoker::records
