# Warnings, sanitizers, fuzzing and the compiler cache: everything that is the same for every target.
set(STOKER_SANITIZE "" CACHE STRING "sanitizers of gcc or clang, e.g. address,undefined or thread")
option(STOKER_FUZZ "build the libFuzzer targets (clang only)" OFF)
option(STOKER_PCH "use precompiled headers" ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()
# -g1 keeps line tables for stack traces and profiles; full debug information doubles the link and the disk.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # gcc 12 sees overflows in inlined std::string operations that are not there (its bugs 105329 and 105651).
  string(APPEND CMAKE_CXX_FLAGS_RELWITHDEBINFO " -Wno-array-bounds -Wno-mismatched-new-delete -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread")
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Werror)
# One set of definitions for all: precompiled headers are shared between targets.
add_compile_definitions(SPDLOG_COMPILED_LIB SPDLOG_SHARED_LIB SPDLOG_FMT_EXTERNAL FMT_SHARED
                        BOOST_ASIO_NO_DEPRECATED STOKER_VERSION="${PROJECT_VERSION}")
if(STOKER_SANITIZE)
  add_compile_options(-fsanitize=${STOKER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${STOKER_SANITIZE})
  if(STOKER_SANITIZE MATCHES thread AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    add_compile_options(-Wno-tsan)  # Asio's atomic_thread_fence; gcc 12 says that it does not model fences.
  endif()
endif()
if(STOKER_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # The sloppiness is what ccache's manual asks for with gcc's precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_NOHASHDIR=1 ${CCACHE})
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endif()
