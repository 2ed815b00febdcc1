# What ships as data and the agent needs: embedded as text.
set(_agent_data ${CMAKE_BINARY_DIR}/builtin)
foreach(_file gpu/xid logs/signatures)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/config/${_file}.yaml)
endforeach()
file(READ ${CMAKE_CURRENT_SOURCE_DIR}/config/gpu/xid.yaml _xids)
file(READ ${CMAKE_CURRENT_SOURCE_DIR}/config/logs/signatures.yaml _signatures)
file(CONFIGURE OUTPUT ${_agent_data}/agent/builtin_data.h @ONLY CONTENT
"// Generated from config/.
#pragma once

namespace stoker::agent {

inline constexpr const char* kBuiltinXids = R\"stoker(@_xids@)stoker\";
inline constexpr const char* kBuiltinSignatures = R\"stoker(@_signatures@)stoker\";

}  // namespace stoker::agent
")
target_include_directories(stoker_agent PRIVATE ${_agent_data})
add_dependencies(agent_test fake_nvml fake_rocm)
