# The adapters of engines that ship with Stoker, embedded as text.
file(GLOB _adapter_files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/config/engines/*.yaml)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${_adapter_files})
set(_adapters "")
foreach(_file IN LISTS _adapter_files)
  get_filename_component(_name ${_file} NAME)
  file(READ ${_file} _text)
  string(APPEND _adapters "    {\"config/engines/${_name}\", R\"stoker(${_text})stoker\"},\n")
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/builtin/collect/engine/builtin_adapters.h @ONLY CONTENT
"// Generated from config/engines.
#pragma once

#include <string_view>
#include <utility>

namespace stoker::collect {

inline constexpr std::pair<std::string_view, std::string_view> kBuiltinAdapters[] = {
@_adapters@};

}  // namespace stoker::collect
")
target_include_directories(stoker_collect PRIVATE ${CMAKE_BINARY_DIR}/builtin)

# The stand-ins for NVIDIA's and AMD's libraries, beside the tests and the binary that load them.
foreach(_fake fake_nvml fake_rocm)
  add_library(${_fake} MODULE ${CMAKE_CURRENT_SOURCE_DIR}/test/${_fake}/${_fake}.cc)
  target_include_directories(${_fake} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src)
  set_target_properties(${_fake} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  add_dependencies(collect_test ${_fake})
endforeach()
