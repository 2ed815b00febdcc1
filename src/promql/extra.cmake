# Where the scripts are. On one file only, so that the precompiled header stays shared.
set_source_files_properties(${CMAKE_CURRENT_SOURCE_DIR}/src/promql/scripts_test.cc PROPERTIES
    COMPILE_DEFINITIONS STOKER_PROMQL_TESTDATA="${CMAKE_CURRENT_SOURCE_DIR}/src/promql/testdata" SKIP_PRECOMPILE_HEADERS ON)
