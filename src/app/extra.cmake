# What ships as data and is used without any file: embedded as text. config/rules/*.yaml are all taken.
set(_builtin ${CMAKE_BINARY_DIR}/builtin)
file(GLOB _rule_files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/config/rules/*.yaml)
list(SORT _rule_files)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${_rule_files})
set(_rules "")
foreach(_rule_file IN LISTS _rule_files)
  file(READ ${_rule_file} _text)
  get_filename_component(_name ${_rule_file} NAME)
  string(APPEND _rules "    {\"${_name}\", R\"stoker(${_text})stoker\"},\n")
endforeach()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/config/gpu/xid.yaml
             ${CMAKE_CURRENT_SOURCE_DIR}/config/logs/signatures.yaml)
file(READ ${CMAKE_CURRENT_SOURCE_DIR}/config/gpu/xid.yaml _xids)
file(READ ${CMAKE_CURRENT_SOURCE_DIR}/config/logs/signatures.yaml _signatures)
file(CONFIGURE OUTPUT ${_builtin}/app/builtin_files.h @ONLY CONTENT
"// Generated from config/.
#pragma once

namespace stoker::app {

struct BuiltinFile {
    const char* name;
    const char* text;
};

inline constexpr BuiltinFile kBuiltinRules[] = {
@_rules@};

inline constexpr const char* kBuiltinXids = R\"stoker(@_xids@)stoker\";
inline constexpr const char* kBuiltinSignatures = R\"stoker(@_signatures@)stoker\";

}  // namespace stoker::app
")
target_include_directories(stoker_app PRIVATE ${_builtin})
