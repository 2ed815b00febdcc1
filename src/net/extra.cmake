# clang 14 puts the function sanitizer's prologue into every part of a split coroutine, which does not assemble ("Cannot
# represent a difference across sections"). Public, because everyone who writes coroutines links to net.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND STOKER_SANITIZE)
  target_compile_options(stoker_net PUBLIC -fno-sanitize=function)
endif()
