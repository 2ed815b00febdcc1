# What ships as data and is used without any file: embedded as text.
set(_builtin ${CMAKE_BINARY_DIR}/builtin)
foreach(_file rules/llm rules/gpu gpu/xid)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/config/${_file}.yaml)
endforeach()
file(READ ${CMAKE_CURRENT_SOURCE_DIR}/config/rules/llm.yaml _rules)
file(READ ${CMAKE_CURRENT_SOURCE_DIR}/config/rules/gpu.yaml _gpu_rules)
file(READ ${CMAKE_CURRENT_SOURCE_DIR}/config/gpu/xid.yaml _xids)
file(CONFIGURE OUTPUT ${_builtin}/app/builtin_files.h @ONLY CONTENT
"// Generated from config/.
#pragma once

namespace stoker::app {

inline constexpr const char* kBuiltinRules = R\"stoker(@_rules@)stoker\";
inline constexpr const char* kBuiltinGpuRules = R\"stoker(@_gpu_rules@)stoker\";
inline constexpr const char* kBuiltinXids = R\"stoker(@_xids@)stoker\";

}  // namespace stoker::app
")
target_include_directories(stoker_app PRIVATE ${_builtin})
