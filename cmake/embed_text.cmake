# Text files of a folder as one C++ table: millrace_embed_text(TARGET HEADER FUNCTION GLOB...)
# The table is written at configure time and follows the files (CONFIGURE_DEPENDS).
function(millrace_embed_text target header function)
  file(GLOB files CONFIGURE_DEPENDS ${ARGN})
  list(SORT files)
  set(rows "")
  foreach(file ${files})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    get_filename_component(name ${file} NAME_WE)
    file(READ ${file} text)
    string(APPEND rows "      {\"${name}\", R\"~~(${text})~~\"},\n")
  endforeach()
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/${function}.cpp)
  file(CONFIGURE OUTPUT ${generated} CONTENT
"// Generated from text files; see cmake/embed_text.cmake.
#include \"${header}\"

namespace millrace {
std::span<const EmbeddedText> ${function}() {
  static constexpr EmbeddedText rows[] = {
${rows}  };
  return rows;
}
}  // namespace millrace
" @ONLY)
  target_sources(${target} PRIVATE ${generated})
endfunction()
