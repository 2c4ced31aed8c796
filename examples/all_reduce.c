/* Gradients are averaged over all ranks, twice: at once, and by a plan while this rank would compute. Start it under
   any launcher that sets torchrun's variables, as examples/ranks.sh does; alone it is a job of one rank. */
#include <hawser.h>

#include <stdio.h>
#include <stdlib.h>

enum { count = 100000 };

static void check(hawser_status status, const char* what) {
  if (status == HAWSER_SUCCESS) return;
  fprintf(stderr, "%s: %s: %s\n", what, hawser_status_text(status), hawser_last_error());
  if (hawser_last_error_rank() >= 0) fprintf(stderr, "because of rank %d\n", hawser_last_error_rank());
  exit(EXIT_FAILURE);
}

int main(void) {
  hawser_comm* comm = NULL;
  hawser_plan* plan = NULL;
  float* gradients;
  int rank, i;

  check(hawser_comm_create(NULL, &comm), "create");
  rank = hawser_comm_rank(comm);
  gradients = hawser_memory_allocate(count * sizeof *gradients);
  if (gradients == NULL) check(HAWSER_RESOURCE, "allocate");
  for (i = 0; i < count; ++i) gradients[i] = (float)(rank + 1);

  check(hawser_all_reduce(comm, gradients, gradients, count, HAWSER_FLOAT32, HAWSER_AVG, NULL), "all_reduce");

  check(hawser_all_reduce_plan(comm, gradients, gradients, count, HAWSER_FLOAT32, HAWSER_AVG, NULL, &plan), "plan");
  check(hawser_plan_start(plan), "start");
  check(hawser_plan_wait(plan), "wait"); /* after whatever else there is to compute */

  if (rank == 0)
    printf("%d ranks: the mean is %g (hawser %s)\n", hawser_comm_size(comm), gradients[count - 1],
           hawser_version_text());
  hawser_plan_free(plan);
  hawser_memory_free(gradients, count * sizeof *gradients);
  hawser_comm_free(comm);
  return EXIT_SUCCESS;
}
