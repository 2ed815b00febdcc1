# What ships as data and is used without any file: embedded as text.
set(_builtin ${CMAKE_BINARY_DIR}/builtin)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/config/rules/llm.yaml)
file(READ ${CMAKE_CURRENT_SOURCE_DIR}/config/rules/llm.yaml _rules)
file(CONFIGURE OUTPUT ${_builtin}/app/builtin_files.h @ONLY CONTENT
"// Generated from config/.
#pragma once

namespace stoker::app {

inline constexpr const char* kBuiltinRules = R\"stoker(@_rules@)stoker\";

}  // namespace stoker::app
")
target_include_directories(stoker_app PRIVATE ${_builtin})
