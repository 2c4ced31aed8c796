# A component that the installation lacks, or that nobody has, fails with a message that names it; so does a version
# from the future.
file(REMOVE_RECURSE "${BUILD}")

function(expect_failure text)
  execute_process(COMMAND "${CMAKE_COMMAND}" -S "${SOURCE}" -B "${BUILD}" "-DCMAKE_PREFIX_PATH=${PREFIX}"
    "-DCMAKE_CXX_COMPILER=${COMPILER}" ${ARGN} RESULT_VARIABLE result ERROR_VARIABLE errors OUTPUT_QUIET)
  string(REGEX REPLACE "[ \n]+" " " errors "${errors}")
  string(FIND "${errors}" "${text}" at)
  if(result EQUAL 0 OR at EQUAL -1)
    message(FATAL_ERROR "${ARGN}: the configuration should fail with \"${text}\"; result ${result}:\n${errors}")
  endif()
endfunction()

expect_failure("component 'nccl' is not in this installation of hawser" -DCOMPONENT=nccl)
expect_failure("install a hawser built with -DHAWSER_WITH_NCCL=ON" -DCOMPONENT=nccl)
expect_failure("hawser has no component 'typo'" -DCOMPONENT=typo)
expect_failure("compatible with requested version \"99.0\"" -DCOMPONENT=core -DVERSION=99.0)
