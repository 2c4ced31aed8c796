/* Every collective of hawser.h in its forms; see checks.h. */
#include "checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { most_ranks = 16, block = 5, most_elements = most_ranks * most_ranks * block };
enum form { blocking, asynchronous, planned };

/* The buffers of one rank; v forms have blocks of r + 1 elements for rank r, or between two ranks of their sum's
 * parity. */
struct buffers {
  hawser_comm* comm;
  int rank, size;
  int32_t input[most_elements], output[most_elements];
  int64_t counts[most_ranks], sent[most_ranks], received[most_ranks];
};

struct handles {
  hawser_request* request;
  hawser_plan* plan;
};

int failed_check(const hawser_comm* comm, const char* file, int line, const char* text) {
  fprintf(stderr, "%s:%d: rank %d of %d: failed: %s; last error: %s\n", file, line, hawser_comm_rank(comm),
          hawser_comm_size(comm), text, hawser_last_error());
  return 1;
}

static int32_t value(int rank, int64_t i) {
  return (int32_t)(rank * 1000 + i);
}

static int64_t before(const int64_t* counts, int rank) {
  int64_t sum = 0;
  int r;
  for (r = 0; r < rank; ++r) sum += counts[r];
  return sum;
}

static int32_t sum_at(const struct buffers* b, int64_t i) {
  int32_t sum = 0;
  int r;
  for (r = 0; r < b->size; ++r) sum += value(r, i);
  return sum;
}

/* The collectives: one starts it in a form, one says what output[i] must be. */
#define FORMS(name, ...)                                                                   \
  switch (form) {                                                                          \
    case blocking: return hawser_##name(b->comm, __VA_ARGS__);                             \
    case asynchronous: return hawser_##name##_async(b->comm, __VA_ARGS__, &made->request); \
    default: return hawser_##name##_plan(b->comm, __VA_ARGS__, &made->plan);               \
  }

static hawser_status all_reduce(struct buffers* b, enum form form, struct handles* made) {
  FORMS(all_reduce, b->input, b->output, block, HAWSER_INT32, HAWSER_SUM, NULL)
}
static int32_t all_reduced(const struct buffers* b, int64_t i) {
  return sum_at(b, i);
}

static hawser_status reduce_scatter(struct buffers* b, enum form form, struct handles* made) {
  FORMS(reduce_scatter, b->input, b->output, block, HAWSER_INT32, HAWSER_SUM, NULL)
}
static int32_t reduce_scattered(const struct buffers* b, int64_t i) {
  return sum_at(b, b->rank * block + i);
}

static hawser_status reduce_scatter_v(struct buffers* b, enum form form, struct handles* made) {
  FORMS(reduce_scatter_v, b->input, b->output, b->counts, HAWSER_INT32, HAWSER_SUM, NULL)
}
static int32_t reduce_scattered_v(const struct buffers* b, int64_t i) {
  return sum_at(b, before(b->counts, b->rank) + i);
}

static hawser_status all_gather(struct buffers* b, enum form form, struct handles* made) {
  FORMS(all_gather, b->input, b->output, block, HAWSER_INT32, NULL)
}
static int32_t all_gathered(const struct buffers* b, int64_t i) {
  (void)b;
  return value((int)(i / block), i % block);
}

/* In the concatenation of blocks, what block i is in came from its rank. */
static int32_t gathered_by(const struct buffers* b, const int64_t* counts, int64_t offset, int64_t i) {
  int r = 0;
  (void)b;
  while (i >= counts[r]) i -= counts[r++];
  return value(r, offset + i);
}

static hawser_status all_gather_v(struct buffers* b, enum form form, struct handles* made) {
  FORMS(all_gather_v, b->input, b->output, b->counts, HAWSER_INT32, NULL)
}
static int32_t all_gathered_v(const struct buffers* b, int64_t i) {
  return gathered_by(b, b->counts, 0, i);
}

static hawser_status all_to_all(struct buffers* b, enum form form, struct handles* made) {
  FORMS(all_to_all, b->input, b->output, block, HAWSER_INT32, NULL)
}
static int32_t exchanged(const struct buffers* b, int64_t i) {
  return value((int)(i / block), b->rank * block + i % block);
}

/* From rank a to rank b go a + 2 b elements. */
static hawser_status all_to_all_v(struct buffers* b, enum form form, struct handles* made) {
  FORMS(all_to_all_v, b->input, b->sent, b->output, b->received, HAWSER_INT32, NULL)
}
static int32_t exchanged_v(const struct buffers* b, int64_t i) {
  int from = 0, to;
  int64_t offset = 0;
  while (i >= b->received[from]) i -= b->received[from++];
  for (to = 0; to < b->rank; ++to) offset += from + 2 * to;
  return value(from, offset + i);
}

static int root_of(const struct buffers* b) {
  return b->size - 1;
}

static hawser_status broadcast(struct buffers* b, enum form form, struct handles* made) {
  FORMS(broadcast, b->output, block, HAWSER_INT32, root_of(b), NULL)
}
static int32_t broadcasted(const struct buffers* b, int64_t i) {
  return value(root_of(b), i);
}

static hawser_status reduce(struct buffers* b, enum form form, struct handles* made) {
  FORMS(reduce, b->input, b->rank == root_of(b) ? b->output : NULL, block, HAWSER_INT32, HAWSER_SUM, root_of(b), NULL)
}

static hawser_status gather(struct buffers* b, enum form form, struct handles* made) {
  FORMS(gather, b->input, b->rank == root_of(b) ? b->output : NULL, block, HAWSER_INT32, root_of(b), NULL)
}

static hawser_status gather_v(struct buffers* b, enum form form, struct handles* made) {
  FORMS(gather_v, b->input, b->counts[b->rank], b->output, b->rank == root_of(b) ? b->counts : NULL, HAWSER_INT32,
        root_of(b), NULL)
}

static hawser_status scatter(struct buffers* b, enum form form, struct handles* made) {
  FORMS(scatter, b->rank == root_of(b) ? b->input : NULL, b->output, block, HAWSER_INT32, root_of(b), NULL)
}
static int32_t scattered(const struct buffers* b, int64_t i) {
  return value(root_of(b), b->rank * block + i);
}

static hawser_status scatter_v(struct buffers* b, enum form form, struct handles* made) {
  FORMS(scatter_v, b->input, b->rank == root_of(b) ? b->counts : NULL, b->output, b->counts[b->rank], HAWSER_INT32,
        root_of(b), NULL)
}
static int32_t scattered_v(const struct buffers* b, int64_t i) {
  return value(root_of(b), before(b->counts, b->rank) + i);
}

static hawser_status barrier(struct buffers* b, enum form form, struct handles* made) {
  FORMS(barrier, NULL)
}

/* How many elements of the output have a value: of a block, of all blocks, of own or all counts; at the root alone. */
enum extent { nothing, one_block, all_blocks, own_count, all_counts, all_received };

static const struct {
  const char* name;
  hawser_status (*start)(struct buffers*, enum form, struct handles*);
  int32_t (*expected)(const struct buffers*, int64_t);
  enum extent extent;
  int is_for_root;
} collectives[] = {{"all_reduce", all_reduce, all_reduced, one_block, 0},
                   {"reduce_scatter", reduce_scatter, reduce_scattered, one_block, 0},
                   {"reduce_scatter_v", reduce_scatter_v, reduce_scattered_v, own_count, 0},
                   {"all_gather", all_gather, all_gathered, all_blocks, 0},
                   {"all_gather_v", all_gather_v, all_gathered_v, all_counts, 0},
                   {"all_to_all", all_to_all, exchanged, all_blocks, 0},
                   {"all_to_all_v", all_to_all_v, exchanged_v, all_received, 0},
                   {"broadcast", broadcast, broadcasted, one_block, 0},
                   {"reduce", reduce, all_reduced, one_block, 1},
                   {"gather", gather, all_gathered, all_blocks, 1},
                   {"gather_v", gather_v, all_gathered_v, all_counts, 1},
                   {"scatter", scatter, scattered, one_block, 0},
                   {"scatter_v", scatter_v, scattered_v, own_count, 0},
                   {"barrier", barrier, all_reduced, nothing, 0}};

static const size_t collective_count = sizeof collectives / sizeof collectives[0];

static void fill(struct buffers* b) {
  int64_t i;
  for (i = 0; i < most_elements; ++i) {
    b->input[i] = value(b->rank, i);
    b->output[i] = i < block ? value(b->rank, i) : -1; /* what broadcast sends */
  }
}

static int64_t length(const struct buffers* b, size_t which) {
  if (collectives[which].is_for_root && b->rank != root_of(b)) return 0;
  switch (collectives[which].extent) {
    case one_block: return block;
    case all_blocks: return (int64_t)block * b->size;
    case own_count: return b->counts[b->rank];
    case all_counts: return before(b->counts, b->size);
    case all_received: return before(b->received, b->size);
    default: return 0;
  }
}

static int is_right(const struct buffers* b, size_t which) {
  const int64_t end = length(b, which);
  int64_t i;
  for (i = 0; i < end; ++i)
    if (b->output[i] != collectives[which].expected(b, i)) {
      fprintf(stderr, "%s: element %ld is %ld, should be %ld\n", collectives[which].name, (long)i, (long)b->output[i],
              (long)collectives[which].expected(b, i));
      return 0;
    }
  return 1;
}

static int check_requests(struct buffers* b, size_t which) {
  hawser_comm* comm = b->comm;
  struct handles made = {NULL, NULL};
  int failures = 0, is_done = 0;
  fill(b);
  CHECK_CALL(collectives[which].start(b, asynchronous, &made));
  while (!is_done && failures == 0) CHECK_CALL(hawser_request_test(made.request, &is_done));
  CHECK_CALL(hawser_request_wait(made.request));
  hawser_request_free(made.request);
  CHECK(is_right(b, which));
  return failures;
}

static int check_plan(struct buffers* b, size_t which) {
  hawser_comm* comm = b->comm;
  struct handles made = {NULL, NULL};
  int failures = 0, is_done = 0, run;
  size_t length = 0;
  CHECK_CALL(collectives[which].start(b, planned, &made));
  for (run = 0; run < 3; ++run) {
    fill(b);
    CHECK_CALL(hawser_plan_start(made.plan));
    CHECK_CALL(hawser_plan_test(made.plan, &is_done));
    CHECK_CALL(hawser_plan_wait(made.plan));
    CHECK(is_right(b, which));
  }
  CHECK_CALL(hawser_plan_explain(made.plan, NULL, 0, &length));
  CHECK(length > 0);
  hawser_plan_free(made.plan);
  return failures;
}

/* Every collective at once, each on buffers of its own. */
static int check_group(hawser_comm* comm, const struct buffers* like) {
  struct buffers* all = malloc(collective_count * sizeof *all);
  struct handles none = {NULL, NULL};
  int failures = 0;
  size_t which;
  if (all == NULL) return 1;
  CHECK_CALL(hawser_group_begin(comm));
  CHECK(hawser_group_begin(comm) == HAWSER_INVALID_ARGUMENT);
  for (which = 0; which < collective_count; ++which) {
    all[which] = *like;
    fill(&all[which]);
    CHECK_CALL(collectives[which].start(&all[which], blocking, &none));
  }
  CHECK_CALL(hawser_group_end(comm));
  CHECK(hawser_group_end(comm) == HAWSER_INVALID_ARGUMENT);
  for (which = 0; which < collective_count; ++which) CHECK(is_right(&all[which], which));
  free(all);
  return failures;
}

int check_collectives(hawser_comm* comm) {
  struct buffers* b = calloc(1, sizeof *b);
  struct handles none = {NULL, NULL};
  int failures = 0, r;
  size_t which;
  if (b == NULL) return 1;
  b->comm = comm;
  b->rank = hawser_comm_rank(comm);
  b->size = hawser_comm_size(comm);
  CHECK(b->size >= 1 && b->size <= most_ranks);
  for (r = 0; r < b->size; ++r) {
    b->counts[r] = r + 1;
    b->sent[r] = b->rank + 2 * r;
    b->received[r] = r + 2 * b->rank;
  }
  for (which = 0; which < collective_count; ++which) {
    fill(b);
    CHECK_CALL(collectives[which].start(b, blocking, &none));
    CHECK(is_right(b, which));
    failures += check_requests(b, which);
    failures += check_plan(b, which);
  }
  failures += check_group(comm, b);
  free(b);
  return failures;
}
