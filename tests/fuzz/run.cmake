# Runs one fuzzer: -DFUZZER -DKIND -DSECONDS -DSEED -DFIXTURES -DFOLDER. What it finds interesting is kept below FOLDER,
# and only a run with a random seed (0) starts from what was kept: with any other the run can be repeated.
if(NOT SEED EQUAL 0)
  file(REMOVE_RECURSE "${FOLDER}/corpus")
endif()
file(MAKE_DIRECTORY "${FOLDER}/corpus" "${FOLDER}/found")
set(corpora "${FOLDER}/corpus")
if(IS_DIRECTORY "${FIXTURES}")
  list(APPEND corpora "${FIXTURES}")
endif()
set(ENV{HAWSER_FUZZ_KIND} "${KIND}")
execute_process(
  COMMAND "${FUZZER}" -max_total_time=${SECONDS} -timeout=60 -rss_limit_mb=1024 -max_len=65536 -seed=${SEED} -print_final_stats=1
    "-artifact_prefix=${FOLDER}/found/" ${corpora}
  WORKING_DIRECTORY "${FOLDER}" ERROR_FILE "${FOLDER}/log" OUTPUT_FILE "${FOLDER}/log" RESULT_VARIABLE result)
file(READ "${FOLDER}/log" log)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${log}\nfuzz.${KIND}: a finding (${result}); the input is in ${FOLDER}/found")
endif()
string(REGEX MATCHALL "stat::[^\n]*" statistics "${log}")
list(JOIN statistics "\n" statistics)
message("${statistics}")
