# Options of the build. WITH_X is AUTO (use it where found), ON (fail loudly where missing) or OFF.
option(HAWSER_BUILD_PROGRAM "Build the program hawser" ${PROJECT_IS_TOP_LEVEL})
option(HAWSER_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(HAWSER_BUILD_EXAMPLES "Build the examples" ${PROJECT_IS_TOP_LEVEL})
option(HAWSER_BUILD_BENCH "Build the benchmarks" ${PROJECT_IS_TOP_LEVEL})
option(HAWSER_INSTALL "Create the install and package rules" ${PROJECT_IS_TOP_LEVEL})
set(HAWSER_UNIT_TESTS "" CACHE STRING "Build only the unit tests whose names match this regular expression; empty for all")
set(HAWSER_UNIT_TESTS_LEFT_OUT "" CACHE STRING "Do not build the unit tests whose names match this regular expression")
option(HAWSER_BUILD_FUZZERS "Build the libFuzzer targets (needs Clang)" OFF)
option(HAWSER_WERROR "Treat warnings as errors" OFF)
set(HAWSER_SANITIZE "" CACHE STRING "Sanitizers: empty, \"address,undefined\" or \"thread\"")

foreach(dependency IN ITEMS CUDA NCCL UCX MPI JSON XML YAML HWLOC IBNETDISC)
  set(HAWSER_WITH_${dependency} AUTO CACHE STRING "Use ${dependency}: AUTO, ON or OFF")
  set_property(CACHE HAWSER_WITH_${dependency} PROPERTY STRINGS AUTO ON OFF)
endforeach()

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE RelWithDebInfo)
  endif()
  find_program(HAWSER_CCACHE ccache)
  if(HAWSER_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${HAWSER_CCACHE}")
  endif()
endif()

# Warnings and sanitizers for hawser's own translation units; never exported to consumers.
add_library(hawser_warnings INTERFACE)
target_compile_options(hawser_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow>
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${HAWSER_WERROR}>>:-Werror>)
if(HAWSER_BUILD_FUZZERS)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "hawser: the fuzzers need Clang; use the preset fuzz, or set CMAKE_CXX_COMPILER=clang++")
  endif()
  target_compile_options(hawser_warnings INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(HAWSER_SANITIZE)
  target_compile_options(hawser_warnings INTERFACE
    -fsanitize=${HAWSER_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(hawser_warnings INTERFACE -fsanitize=${HAWSER_SANITIZE})
endif()
