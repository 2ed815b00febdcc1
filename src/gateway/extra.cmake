# Some tests compare documents with code.
target_compile_definitions(gateway_test PRIVATE STOKER_SOURCE_DIR="${CMAKE_CURRENT_SOURCE_DIR}")
