/* A C99 program text that drives hawser.h on a communicator; every rank calls each function. They return the number of
   failed checks, and say on stderr what failed. */
#ifndef HAWSER_TEST_C_CHECKS_H
#define HAWSER_TEST_C_CHECKS_H

#include <hawser.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Every collective, blocking, asynchronous, planned and grouped. */
int check_collectives(hawser_comm* comm);
/* Every data type with every operator, legal or refused. */
int check_reductions(hawser_comm* comm);
/* An operator and a type of the caller's; messages, split, explain, the library's memory. */
int check_the_rest(hawser_comm* comm);

/* Counts and reports a failed check. */
int failed_check(const hawser_comm* comm, const char* file, int line, const char* text);

#define CHECK(holds) (failures += (holds) ? 0 : failed_check(comm, __FILE__, __LINE__, #holds))
#define CHECK_CALL(call) CHECK((call) == HAWSER_SUCCESS)

#ifdef __cplusplus
}
#endif

#endif
