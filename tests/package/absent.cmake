# A component that the installation lacks, or that nobody has, fails with a message that names it; so does a version
# from the future.
file(REMOVE_RECURSE "${BUILD}")

# Where NCCL's headers are, the installation has every component: its configuration is copied, and the copy lacks one.
file(GLOB_RECURSE configurations "${PREFIX}/*/hawserConfig.cmake")
cmake_path(GET configurations PARENT_PATH folder)
cmake_path(RELATIVE_PATH folder BASE_DIRECTORY "${PREFIX}")
file(COPY "${PREFIX}/${folder}/" DESTINATION "${BUILD}-prefix/${folder}")
file(READ "${configurations}" text)
string(REGEX REPLACE "(_hawser_present [^)]*);nccl" "\\1" text "${text}")
file(WRITE "${BUILD}-prefix/${folder}/hawserConfig.cmake" "${text}")

function(expect_failure text)
  execute_process(COMMAND "${CMAKE_COMMAND}" -S "${SOURCE}" -B "${BUILD}" "-DCMAKE_PREFIX_PATH=${PREFIX}"
    "-DCMAKE_CXX_COMPILER=${COMPILER}" ${ARGN} RESULT_VARIABLE result ERROR_VARIABLE errors OUTPUT_QUIET)
  string(REGEX REPLACE "[ \n]+" " " errors "${errors}")
  string(FIND "${errors}" "${text}" at)
  if(result EQUAL 0 OR at EQUAL -1)
    message(FATAL_ERROR "${ARGN}: the configuration should fail with \"${text}\"; result ${result}:\n${errors}")
  endif()
endfunction()

set(installed "${PREFIX}")
set(PREFIX "${BUILD}-prefix")
expect_failure("component 'nccl' is not in this installation of hawser" -DCOMPONENT=nccl)
expect_failure("install a hawser built with -DHAWSER_WITH_NCCL=ON" -DCOMPONENT=nccl)
set(PREFIX "${installed}")
expect_failure("hawser has no component 'typo'" -DCOMPONENT=typo)
expect_failure("compatible with requested version \"99.0\"" -DCOMPONENT=core -DVERSION=99.0)
