/* A type and an operator of the caller's, messages, split, explain, memory of hawser.h; see checks.h. */
#include "checks.h"

#include <stdlib.h>
#include <string.h>

/* x -> factor x + shift, modulo 2^32. To apply one after the other is associative, and not commutative. */
struct affine {
  uint32_t factor, shift;
};

static struct affine then(struct affine first, struct affine second) {
  const struct affine both = {first.factor * second.factor, first.shift * second.factor + second.shift};
  return both;
}

static void compose(const void* context, void* out, const void* left, const void* right, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) {
    struct affine a, b;
    memcpy(&a, (const char*)left + i * sizeof a, sizeof a);
    memcpy(&b, (const char*)right + i * sizeof b, sizeof b);
    a = then(a, b);
    a.shift += *(const uint32_t*)context; /* 0, unless the context is lost */
    memcpy((char*)out + i * sizeof a, &a, sizeof a);
  }
}

static struct affine map_of(int rank, int i) {
  const struct affine made = {(uint32_t)(2 * rank + 3), (uint32_t)(rank + i)};
  return made;
}

static int check_user_op(hawser_comm* comm) {
  enum { count = 3 };
  static const uint32_t nothing = 0;
  const int rank = hawser_comm_rank(comm), size = hawser_comm_size(comm);
  hawser_call_options options = {.struct_size = sizeof options};
  hawser_user_op* op = NULL;
  struct affine data[count], expected;
  int failures = 0, i, r;
  CHECK_CALL(hawser_user_op_create(compose, &nothing, HAWSER_USER_TYPE, sizeof(struct affine), 0, "affine", &op));
  options.element_bytes = sizeof(struct affine);
  options.user_op = op;
  for (i = 0; i < count; ++i) data[i] = map_of(rank, i);
  CHECK_CALL(hawser_all_reduce(comm, data, data, count, HAWSER_USER_TYPE, HAWSER_USER_OP, &options));
  for (i = 0; i < count; ++i) {
    expected = map_of(0, i);
    for (r = 1; r < size; ++r) expected = then(expected, map_of(r, i));
    CHECK(data[i].factor == expected.factor && data[i].shift == expected.shift);
  }
  CHECK(hawser_all_reduce(comm, data, data, count, HAWSER_USER_TYPE, HAWSER_SUM, &options) == HAWSER_UNSUPPORTED);
  options.element_bytes = 4;
  CHECK(hawser_all_reduce(comm, data, data, 1, HAWSER_USER_TYPE, HAWSER_USER_OP, &options) == HAWSER_UNSUPPORTED);
  hawser_user_op_free(op);
  return failures;
}

/* A ring, asynchronous and grouped. */
static int check_messages(hawser_comm* comm) {
  const int rank = hawser_comm_rank(comm), size = hawser_comm_size(comm);
  const int next = (rank + 1) % size, previous = (rank + size - 1) % size;
  hawser_request* requests[3] = {NULL, NULL, NULL};
  int32_t sent = rank, received = -1;
  int failures = 0;
  if (size == 1) return 0;
  CHECK_CALL(hawser_receive_async(comm, &received, sizeof received, previous, 7, &requests[0]));
  CHECK_CALL(hawser_send_async(comm, &sent, sizeof sent, next, 7, &requests[2]));
  CHECK_CALL(hawser_request_wait_all(3, requests));
  CHECK(received == previous);
  hawser_request_free(requests[0]);
  hawser_request_free(requests[2]);
  sent = 10 + rank;
  CHECK_CALL(hawser_group_begin(comm));
  CHECK_CALL(hawser_receive(comm, &received, sizeof received, previous, 0));
  CHECK_CALL(hawser_send(comm, &sent, sizeof sent, next, 0));
  CHECK_CALL(hawser_group_end(comm));
  CHECK(received == 10 + previous);
  if (rank == 0) CHECK_CALL(hawser_send(comm, &sent, sizeof sent, 1, 3));
  if (rank == 1) CHECK_CALL(hawser_receive(comm, &received, sizeof received, 0, 3));
  if (rank == 1) CHECK(received == 10);
  return failures;
}

static int check_split(hawser_comm* comm) {
  const int rank = hawser_comm_rank(comm), size = hawser_comm_size(comm);
  hawser_comm* part = NULL;
  int64_t one = 1;
  int failures = 0;
  CHECK_CALL(hawser_comm_split(comm, rank % 2, -rank, &part));
  CHECK(hawser_comm_size(part) == (size + 1 - rank % 2) / 2);
  CHECK(hawser_comm_rank(part) == (size - 1 - rank) / 2);
  CHECK_CALL(hawser_all_reduce(part, &one, &one, 1, HAWSER_INT64, HAWSER_SUM, NULL));
  CHECK(one == hawser_comm_size(part));
  hawser_comm_free(part);
  CHECK_CALL(hawser_comm_split(comm, rank == 0 ? 0 : -1, 0, &part));
  CHECK((part != NULL) == (rank == 0));
  hawser_comm_free(part);
  return failures;
}

static int check_texts(hawser_comm* comm) {
  char text[8192], cut[4];
  size_t length = 0, again = 0;
  int failures = 0, what;
  for (what = HAWSER_ALL_REDUCE; what <= HAWSER_BARRIER; ++what) {
    CHECK_CALL(hawser_explain(comm, what, 1000, HAWSER_FLOAT16, HAWSER_SUM, 0, NULL, text, sizeof text, &length));
    CHECK(length > 0);
    CHECK_CALL(hawser_explain(comm, what, 1000, HAWSER_FLOAT16, HAWSER_SUM, 0, NULL, cut, sizeof cut, &again));
    CHECK(again == length && strlen(cut) == sizeof cut - 1 && strncmp(cut, text, sizeof cut - 1) == 0);
  }
  CHECK_CALL(hawser_comm_transport(comm, 0, text, sizeof text, NULL));
  CHECK(strlen(text) > 0);
  return failures;
}

static int check_memory(hawser_comm* comm) {
  const size_t count = 10000, bytes = count * sizeof(double);
  double* data = hawser_memory_allocate(bytes);
  int failures = 0;
  size_t i;
  CHECK(data != NULL);
  if (data == NULL) return failures;
  for (i = 0; i < count; ++i) data[i] = (double)i;
  CHECK_CALL(hawser_all_reduce(comm, data, data, (int64_t)count, HAWSER_FLOAT64, HAWSER_SUM, NULL));
  for (i = 0; i < count; ++i) CHECK(data[i] == (double)i * hawser_comm_size(comm));
  hawser_memory_free(data, bytes);
  return failures;
}

int check_the_rest(hawser_comm* comm) {
  return check_user_op(comm) + check_messages(comm) + check_split(comm) + check_texts(comm) + check_memory(comm);
}
