# Measures the store alone (bench/tsdb/main.cc); not part of the default build.
add_executable(bench_tsdb EXCLUDE_FROM_ALL ${CMAKE_CURRENT_SOURCE_DIR}/bench/tsdb/main.cc
               ${CMAKE_CURRENT_SOURCE_DIR}/bench/metrics/fleet.cc)
target_include_directories(bench_tsdb PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/bench)
target_link_libraries(bench_tsdb PRIVATE stoker_tsdb)
