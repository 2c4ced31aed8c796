/* Every type with every operator of hawser.h; see checks.h. */
#include "checks.h"

#include <stdio.h>
#include <string.h>

enum { count = 7 };

/* The bits of a small whole number in a floating-point format. */
static uint32_t small_float(unsigned whole, int mantissa_bits, int bias) {
  int exponent = 0;
  if (whole == 0) return 0;
  while (whole >> (exponent + 1) != 0) ++exponent;
  return ((uint32_t)(exponent + bias) << mantissa_bits) + ((whole - (1U << exponent)) << mantissa_bits >> exponent);
}

/* Writes `whole`, from 0 to 16, as element i of a buffer; the machine is little-endian where an element has 2 bytes. */
static void put(void* buffer, int i, hawser_type type, unsigned whole) {
  const size_t bytes = hawser_type_bytes(type);
  unsigned char* at = (unsigned char*)buffer + (size_t)i * bytes;
  const float single = (float)whole;
  const double twice = (double)whole;
  uint16_t half = 0;
  uint64_t integer = whole;
  switch (type) {
    case HAWSER_FLOAT16: half = (uint16_t)small_float(whole, 10, 15); break;
    case HAWSER_BFLOAT16: half = (uint16_t)small_float(whole, 7, 127); break;
    case HAWSER_FLOAT32: memcpy(at, &single, 4); return;
    case HAWSER_FLOAT64: memcpy(at, &twice, 8); return;
    case HAWSER_FLOAT8_E4M3: *at = (unsigned char)small_float(whole, 3, 7); return;
    case HAWSER_FLOAT8_E5M2: *at = (unsigned char)small_float(whole, 2, 15); return;
    default: memcpy(at, &integer, bytes); return;
  }
  memcpy(at, &half, 2);
}

/* What a rank contributes, and what all of them make of it. */
static unsigned contribution(hawser_op op, int rank) {
  switch (op) {
    case HAWSER_PROD: return rank == 0 ? 2 : 1;
    case HAWSER_MIN:
    case HAWSER_MAX: return (unsigned)rank + 1;
    case HAWSER_AVG: return 3;
    case HAWSER_BIT_AND: return rank == 0 ? 6 : 7;
    case HAWSER_BIT_OR: return rank == 0 ? 4 : 1;
    case HAWSER_LOGICAL_AND: return rank == 0 ? 1 : 5; /* one rank alone keeps its value as it is */
    case HAWSER_LOGICAL_OR: return rank == 0 ? 0 : 3;
    default: return 1;
  }
}

static unsigned result(hawser_op op, int size) {
  switch (op) {
    case HAWSER_SUM: return (unsigned)size;
    case HAWSER_PROD: return 2;
    case HAWSER_MIN: return 1;
    case HAWSER_MAX: return (unsigned)size;
    case HAWSER_AVG: return 3;
    case HAWSER_PREMUL_SUM: return 2 * (unsigned)size;
    case HAWSER_BIT_AND: return 6;
    case HAWSER_BIT_OR: return size > 1 ? 5 : 4;
    case HAWSER_LOGICAL_AND: return 1;
    case HAWSER_LOGICAL_OR: return size > 1 ? 1 : 0;
    default: return (unsigned)size % 2; /* the exclusive ones */
  }
}

static int is_floating(hawser_type type) {
  return type >= HAWSER_FLOAT16;
}

static int is_legal(hawser_type type, hawser_op op) {
  if (op >= HAWSER_BIT_AND) return !is_floating(type);
  return op != HAWSER_PREMUL_SUM || is_floating(type);
}

static int check_pair(hawser_comm* comm, hawser_type type, hawser_op op, const hawser_call_options* options) {
  unsigned char input[8 * count], output[8 * count], expected[8 * count];
  const int rank = hawser_comm_rank(comm), size = hawser_comm_size(comm);
  int failures = 0, i;
  hawser_status status;
  for (i = 0; i < count; ++i) {
    put(input, i, type, contribution(op, rank));
    put(expected, i, type, result(op, size));
  }
  status = hawser_all_reduce(comm, input, output, count, type, op, options);
  if (!is_legal(type, op)) {
    CHECK(status == HAWSER_UNSUPPORTED);
    CHECK(strstr(hawser_last_error(), "is not defined on") != NULL);
    return failures;
  }
  CHECK(status == HAWSER_SUCCESS);
  CHECK(memcmp(output, expected, count * hawser_type_bytes(type)) == 0);
  if (failures > 0) fprintf(stderr, "of type %d with operator %d\n", type, op);
  return failures;
}

/* Partial sums in another type, a mode, an algorithm by name. */
static int check_options(hawser_comm* comm) {
  hawser_call_options options = {.struct_size = sizeof options};
  const int size = hawser_comm_size(comm);
  float data[count];
  int failures = 0, i;
  hawser_mode mode;
  options.accumulation = HAWSER_FLOAT64;
  for (mode = HAWSER_FAST; mode <= HAWSER_CANONICAL; ++mode) {
    options.mode = mode;
    options.algorithm = mode == HAWSER_FAST ? "ring" : NULL;
    options.segments = mode == HAWSER_FAST ? 2 : 0;
    for (i = 0; i < count; ++i) data[i] = 1;
    CHECK_CALL(hawser_all_reduce(comm, data, data, count, HAWSER_FLOAT32, HAWSER_SUM, &options));
    for (i = 0; i < count; ++i) CHECK(data[i] == (float)size);
  }
  options.accumulation = HAWSER_DEFAULT_TYPE;
  options.mode = HAWSER_ORDER_INVARIANT;
  CHECK_CALL(hawser_all_reduce(comm, data, data, count, HAWSER_FLOAT32, HAWSER_MAX, &options));
  CHECK_CALL(hawser_all_reduce(comm, data, data, count, HAWSER_FLOAT32, HAWSER_AVG, &options));
  for (i = 0; i < count; ++i) CHECK(data[i] == (float)size);
  return failures;
}

int check_reductions(hawser_comm* comm) {
  const double factor = 2;
  hawser_call_options options = {.struct_size = sizeof options};
  int failures = 0;
  hawser_type type;
  hawser_op op;
  options.factor = &factor;
  for (type = HAWSER_INT8; type < HAWSER_USER_TYPE; ++type)
    for (op = HAWSER_SUM; op < HAWSER_USER_OP; ++op) failures += check_pair(comm, type, op, &options);
  return failures + check_options(comm);
}
