# Embeds web/dist. Without it (unit tests, a build without Node) the page says how to build it.
set(_page ${CMAKE_BINARY_DIR}/page)
file(GLOB_RECURSE _page_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/web/dist/*)
add_custom_command(
  OUTPUT ${_page}/page_files.cc
  COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/scripts/embed_page.py ${CMAKE_CURRENT_SOURCE_DIR}/web/dist ${_page}
  DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/scripts/embed_page.py ${_page_sources}
  COMMENT "Embedding the page")
add_library(stoker_page STATIC ${_page}/page_files.cc)
target_include_directories(stoker_page PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src)
target_link_libraries(stoker_api PUBLIC stoker_page)
