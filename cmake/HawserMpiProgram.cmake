# Programs for every MPI library that is found.
find_package(Threads REQUIRED)

# hawser_mpi_program(<target> <wrapper> <source>...): a program in plain MPI, compiled as an MPI library's wrapper would,
# since CMake's FindMPI knows one MPI at a time.
function(hawser_mpi_program target wrapper)
  execute_process(COMMAND "${wrapper}" -show OUTPUT_VARIABLE line OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(words UNIX_COMMAND "${line}")
  foreach(kind IN ITEMS I L l)
    set(${kind} ${words})
    list(FILTER ${kind} INCLUDE REGEX "^-${kind}.")
    list(TRANSFORM ${kind} REPLACE "^-${kind}" "")
  endforeach()
  list(FILTER l EXCLUDE REGEX "cxx$")  # the C++ bindings of MPI 2
  add_executable(${target} ${ARGN})
  target_compile_features(${target} PRIVATE cxx_std_20)
  target_compile_definitions(${target} PRIVATE OMPI_SKIP_MPICXX=1 MPICH_SKIP_MPICXX=1)
  target_include_directories(${target} SYSTEM PRIVATE ${I})
  target_link_directories(${target} PRIVATE ${L})
  target_link_libraries(${target} PRIVATE ${l} hawser_warnings Threads::Threads)
endfunction()
