# The built web files become one object of the server library.
#
# MILLRACE_WEB_DIR is what the web build left; when it is missing the table is empty and the server says how to build it.
set(MILLRACE_WEB_DIR ${CMAKE_SOURCE_DIR}/web/dist CACHE PATH "Folder of the built web files")

function(millrace_embed_assets target)
  add_executable(millrace_embed_assets ${CMAKE_SOURCE_DIR}/scripts/embed_assets.cpp)
  target_link_libraries(millrace_embed_assets PRIVATE PkgConfig::ZLIB PkgConfig::BROTLI PkgConfig::XXHASH)
  file(GLOB_RECURSE web_files CONFIGURE_DEPENDS ${MILLRACE_WEB_DIR}/*)
  set(folder ${CMAKE_BINARY_DIR}/embedded)
  # The list of files is an input too: a removed file must leave the program.
  list(JOIN web_files "\n" web_file_list)
  file(CONFIGURE OUTPUT ${folder}/files.txt CONTENT "${web_file_list}\n" @ONLY)
  add_custom_command(OUTPUT ${folder}/assets.cpp
    COMMAND millrace_embed_assets ${MILLRACE_WEB_DIR} ${folder}
    DEPENDS millrace_embed_assets ${web_files} ${folder}/files.txt
    COMMENT "Embedding the web files" VERBATIM)
  target_sources(${target} PRIVATE ${folder}/assets.cpp)
endfunction()
