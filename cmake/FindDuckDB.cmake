# Finds DuckDB's C API: a system installation, or the one that third_party/duckdb's lockfile pins (npm packages
# @duckdb/node-bindings-linux-x64 for the library and duckdb for the header; scripts/setup.sh fetches them).
# Result: imported target DuckDB::DuckDB.
set(_npm ${CMAKE_CURRENT_SOURCE_DIR}/third_party/duckdb/node_modules)
find_path(DuckDB_INCLUDE_DIR duckdb.h HINTS ${_npm}/duckdb/src/duckdb/src/include)
find_library(DuckDB_LIBRARY NAMES duckdb libduckdb.so HINTS ${_npm}/@duckdb/node-bindings-linux-x64)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DuckDB REQUIRED_VARS DuckDB_LIBRARY DuckDB_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "run scripts/setup.sh, or install DuckDB and set DuckDB_ROOT")
if(DuckDB_FOUND AND NOT TARGET DuckDB::DuckDB)
  add_library(DuckDB::DuckDB SHARED IMPORTED)
  set_target_properties(DuckDB::DuckDB PROPERTIES IMPORTED_LOCATION ${DuckDB_LIBRARY}
      INTERFACE_INCLUDE_DIRECTORIES ${DuckDB_INCLUDE_DIR})
endif()
