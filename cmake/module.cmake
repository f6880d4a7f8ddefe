# One module: a folder, a namespace, a library and a test program.
#
#   millrace_module(store USES base domain feed LIBRARIES SQLiteCpp)
#
# USES is the row of the module table (ARCHITECTURE.md); scripts/check_modules.py holds it against the includes.
enable_testing()
# `ninja` builds the program, `ninja tests` every test program.
add_custom_target(tests)

# The doctest main and the helpers for tests live in src/testing.
function(millrace_module name)
  cmake_parse_arguments(M "" "" "USES;LIBRARIES;TEST_LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "/(main|boost_network)\\.cpp$")
  if(NOT sources)
    add_library(millrace_${name} INTERFACE)
    target_include_directories(millrace_${name} INTERFACE ${CMAKE_SOURCE_DIR}/src)
    return()
  endif()
  add_library(millrace_${name} STATIC ${sources})
  target_include_directories(millrace_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  foreach(used ${M_USES})
    target_link_libraries(millrace_${name} PUBLIC millrace_${used})
  endforeach()
  target_link_libraries(millrace_${name} PRIVATE ${M_LIBRARIES} Threads::Threads)
  if(MILLRACE_TESTS AND tests)
    add_executable(millrace_${name}_test EXCLUDE_FROM_ALL ${tests})
    add_dependencies(tests millrace_${name}_test)
    # Property tests are built from large templates and run for seconds: optimising them costs more than it saves.
    # A sanitizer build keeps its own flags.
    if(NOT MILLRACE_SANITIZE)
      target_compile_options(millrace_${name}_test PRIVATE -O0 -g0)
    endif()
    target_link_libraries(millrace_${name}_test PRIVATE millrace_${name} millrace_testing ${M_LIBRARIES} ${M_TEST_LIBRARIES})
    add_test(NAME ${name} COMMAND millrace_${name}_test)
  endif()
endfunction()
