# What a component of the build does alike: AUTO|ON|OFF, its headers and properties, its line in the summary.

# hawser_decide(<result> <DEPENDENCY> FOUND <bool> HOW <how to get it> DETAIL <what was found>) combines
# HAWSER_WITH_<DEPENDENCY> with what was found, fails where it is ON and missing, and keeps a line for the summary.
function(hawser_decide result dependency)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "FOUND;HOW;DETAIL" "")
  set(wanted "${HAWSER_WITH_${dependency}}")
  set(use FALSE)
  if(NOT wanted)
    set(line "no   (HAWSER_WITH_${dependency}=${wanted})")
  elseif(arg_FOUND)
    set(use TRUE)
    set(line "yes  (${arg_DETAIL})")
  elseif(wanted STREQUAL "AUTO")
    set(line "no   (${arg_HOW})")
  else()
    message(FATAL_ERROR
      "hawser: ${dependency} is missing (HAWSER_WITH_${dependency}=${wanted}); ${arg_HOW}, or set it to AUTO or OFF")
  endif()
  hawser_note(${dependency} "${line}")
  set(${result} ${use} PARENT_SCOPE)
endfunction()

# hawser_note(<name> <text>) keeps a line for the summary at the end of the configuration.
function(hawser_note name text)
  string(LENGTH "${name}" length)
  math(EXPR padding "12 - ${length}")
  string(REPEAT " " ${padding} spaces)
  set_property(GLOBAL APPEND_STRING PROPERTY HAWSER_SUMMARY "\n  ${name}${spaces}${text}")
endfunction()

function(hawser_print_summary)
  get_property(text GLOBAL PROPERTY HAWSER_SUMMARY)
  message(STATUS "hawser ${PROJECT_VERSION} (${CMAKE_BUILD_TYPE})${text}")
endfunction()

# hawser_component(<name> FOLDERS <folder of include/hawser>... [HEADERS <file of include/hawser>...]) makes the target
# hawser_<name> the component hawser::<name>: it owns these public headers, which must compile alone, and is exported.
function(hawser_component name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "FOLDERS;HEADERS")
  set(target hawser_${name})
  get_target_property(type ${target} TYPE)
  set(base "${PROJECT_SOURCE_DIR}/include")
  list(TRANSFORM arg_FOLDERS REPLACE "(.+)" "${base}/hawser/\\1/*.hpp" OUTPUT_VARIABLE globs)
  list(TRANSFORM arg_HEADERS PREPEND "${base}/hawser/")
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${globs} ${arg_HEADERS})
  set(visibility PUBLIC)
  if(type STREQUAL "INTERFACE_LIBRARY")
    set(visibility INTERFACE)
  endif()
  target_sources(${target} ${visibility} FILE_SET HEADERS BASE_DIRS "${base}" FILES ${headers})
  target_compile_features(${target} ${visibility} cxx_std_20)
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} VERIFY_INTERFACE_HEADER_SETS ON)
  if(NOT TARGET hawser::${name})
    add_library(hawser::${name} ALIAS ${target})
  endif()
  if(NOT type STREQUAL "INTERFACE_LIBRARY")
    hawser_compiled(${target})
  endif()
  set_property(GLOBAL APPEND PROPERTY HAWSER_COMPONENTS ${name})
endfunction()

# A compiled component shows its own symbols only. As a static library it hides them from the users of a shared library
# that absorbs it; as a shared one it exports the namespace hawser through a version script.
function(hawser_compiled target)
  get_target_property(type ${target} TYPE)
  set_target_properties(${target} PROPERTIES
    POSITION_INDEPENDENT_CODE ON VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:hawser_warnings>)
  hawser_precompile(${target})
  if(type STREQUAL "SHARED_LIBRARY")
    set(script "${PROJECT_SOURCE_DIR}/cmake/hawser.map")
    target_link_options(${target} PRIVATE "LINKER:--version-script=${script}")
    set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS "${script}")
  else()
    set_target_properties(${target} PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  endif()
endfunction()

# hawser_precompile(<target> [<header>...]): the standard headers that most files include, and these, are compiled once for
# the target where HAWSER_PRECOMPILE says so. None of hawser's own: a change in one would rebuild everything. ccache keeps
# such objects where it is told CCACHE_SLOPPINESS=pch_defines,time_macros (tests/run.sh does).
function(hawser_precompile target)
  if(HAWSER_PRECOMPILE)
    target_precompile_headers(${target} PRIVATE ${HAWSER_PRECOMPILED_HEADERS} ${ARGN})
  endif()
endfunction()
set(HAWSER_PRECOMPILED_HEADERS <algorithm> <array> <charconv> <chrono> <cmath> <filesystem> <fstream> <functional> <map>
  <memory> <optional> <random> <set> <span> <sstream> <string> <string_view> <thread> <tuple> <unordered_map> <vector>)
