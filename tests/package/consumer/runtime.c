/* Uses hawser::runtime from C: a job of one rank. */
#include <hawser.h>

#include <stdio.h>

int main(void) {
  hawser_options options = {.struct_size = sizeof options, .ignores_environment = 1};
  hawser_comm* comm = NULL;
  int data[2] = {3, 4};
  if (hawser_version() != HAWSER_VERSION || hawser_comm_create(&options, &comm) != HAWSER_SUCCESS ||
      hawser_all_reduce(comm, data, data, 2, HAWSER_INT32, HAWSER_SUM, NULL) != HAWSER_SUCCESS) {
    printf("%s\n", hawser_last_error());
    return 1;
  }
  hawser_comm_free(comm);
  printf("consumed hawser::runtime in C: %d\n", data[1]);
  return data[1] == 4 ? 0 : 1;
}
