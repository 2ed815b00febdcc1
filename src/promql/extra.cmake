# Where the scripts are. On one file only, so that the precompiled header stays shared.
set_source_files_properties(${CMAKE_CURRENT_SOURCE_DIR}/src/promql/scripts_test.cc PROPERTIES
    COMPILE_DEFINITIONS STOKER_PROMQL_TESTDATA="${CMAKE_CURRENT_SOURCE_DIR}/src/promql/testdata" SKIP_PRECOMPILE_HEADERS ON)

# What rollups cost and spare (make bench); not part of the default build.
add_executable(bench_rollups EXCLUDE_FROM_ALL ${CMAKE_CURRENT_SOURCE_DIR}/bench/tsdb/rollups.cc
                                              ${CMAKE_CURRENT_SOURCE_DIR}/bench/metrics/fleet.cc)
target_include_directories(bench_rollups PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/bench)
target_link_libraries(bench_rollups PRIVATE stoker_promql)
