# Measures the store alone (bench/tsdb/main.cc); not part of the default build.
add_executable(bench_tsdb EXCLUDE_FROM_ALL ${CMAKE_CURRENT_SOURCE_DIR}/bench/tsdb/main.cc
               ${CMAKE_CURRENT_SOURCE_DIR}/bench/metrics/fleet.cc)
target_include_directories(bench_tsdb PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/bench)
target_link_libraries(bench_tsdb PRIVATE stoker_tsdb)

# Kills a writing process hundreds of times and looks at what it left (test/crash/README.md). The short run is a test.
file(GLOB stoker_crash_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/test/crash/*.cc)
add_executable(stoker_crash ${stoker_crash_sources})
target_link_libraries(stoker_crash PRIVATE stoker_tsdb)
add_test(NAME tsdb.crash COMMAND stoker_crash --kills 20 --seed 1)
set_tests_properties(tsdb.crash PROPERTIES LABELS crash TIMEOUT 600)
