// hawser in C99 (and C++): opaque handles, status codes with texts, no exceptions. Part of hawser::runtime; docs/c.md.
#ifndef HAWSER_H
#define HAWSER_H

#include <stddef.h>
#include <stdint.h>

/// The version of this header; `hawser_version` is that of the library.
#define HAWSER_VERSION_MAJOR 0
#define HAWSER_VERSION_MINOR 1
#define HAWSER_VERSION_PATCH 0
#define HAWSER_VERSION (HAWSER_VERSION_MAJOR * 10000 + HAWSER_VERSION_MINOR * 100 + HAWSER_VERSION_PATCH)

#if defined(__GNUC__)
#define HAWSER_API __attribute__((visibility("default")))
#else
#define HAWSER_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

// Enumerations are ints with named values, so that a value from another language or a later version is never undefined.

/// How a function ended. All but HAWSER_SUCCESS leave a text in `hawser_last_error`.
typedef int hawser_status;
enum {
  HAWSER_SUCCESS = 0,
  HAWSER_INVALID_ARGUMENT = 1,  ///< can never work: a null handle, a negative count, a root out of range, ...
  HAWSER_PARSE_ERROR = 2,       ///< text or a file does not follow its grammar
  HAWSER_UNSUPPORTED = 3,       ///< valid, but no algorithm, type or transport serves it
  HAWSER_NOT_FOUND = 4,         ///< a name or a file that does not exist
  HAWSER_IO_ERROR = 5,          ///< the operating system refused or failed
  HAWSER_TIMEOUT = 6,           ///< a bounded wait ran out
  HAWSER_PEER_FAILED = 7,       ///< another rank is dead or unreachable: `hawser_last_error_rank`
  HAWSER_ABORTED = 8,           ///< the job was aborted, here or on another rank
  HAWSER_MISMATCH = 9,          ///< ranks disagree: hierarchy, sizes, calls, version
  HAWSER_AUTHENTICATION = 10,   ///< proof of the job's secret was missing or wrong
  HAWSER_RESOURCE = 11,         ///< memory, descriptors or shared memory are used up
  HAWSER_INTERNAL = 12          ///< a bug in hawser
};

/// Types of elements (docs/types.md).
typedef int hawser_type;
enum {
  HAWSER_DEFAULT_TYPE = 0,  ///< of `hawser_call_options.accumulation` alone
  HAWSER_INT8 = 1,
  HAWSER_UINT8 = 2,
  HAWSER_INT16 = 3,
  HAWSER_UINT16 = 4,
  HAWSER_INT32 = 5,
  HAWSER_UINT32 = 6,
  HAWSER_INT64 = 7,
  HAWSER_UINT64 = 8,
  HAWSER_FLOAT16 = 9,
  HAWSER_BFLOAT16 = 10,
  HAWSER_FLOAT32 = 11,
  HAWSER_FLOAT64 = 12,
  HAWSER_FLOAT8_E4M3 = 13,
  HAWSER_FLOAT8_E5M2 = 14,
  HAWSER_USER_TYPE = 15  ///< of `hawser_call_options.element_bytes`
};

/// Operators of reductions, and on which types they are legal: docs/types.md.
typedef int hawser_op;
enum {
  HAWSER_SUM = 1,
  HAWSER_PROD = 2,
  HAWSER_MIN = 3,
  HAWSER_MAX = 4,
  HAWSER_AVG = 5,
  HAWSER_PREMUL_SUM = 6,  ///< with `hawser_call_options.factor`
  HAWSER_BIT_AND = 7,
  HAWSER_BIT_OR = 8,
  HAWSER_BIT_XOR = 9,
  HAWSER_LOGICAL_AND = 10,
  HAWSER_LOGICAL_OR = 11,
  HAWSER_LOGICAL_XOR = 12,
  HAWSER_USER_OP = 13  ///< with `hawser_call_options.user_op`
};

/// How reproducible reductions are (docs/modes.md).
typedef int hawser_mode;
enum { HAWSER_FAST = 0, HAWSER_RUN_TO_RUN = 1, HAWSER_CANONICAL = 2, HAWSER_ORDER_INVARIANT = 3 };

/// The collectives, for `hawser_explain`.
typedef int hawser_collective;
enum {
  HAWSER_ALL_REDUCE = 1,
  HAWSER_REDUCE_SCATTER = 2,
  HAWSER_ALL_GATHER = 3,
  HAWSER_ALL_TO_ALL = 4,
  HAWSER_ALL_TO_ALL_V = 5,
  HAWSER_BROADCAST = 6,
  HAWSER_REDUCE = 7,
  HAWSER_GATHER = 8,
  HAWSER_SCATTER = 9,
  HAWSER_BARRIER = 10
};

/// Who drives asynchronous calls while their caller computes (docs/usage.md).
enum { HAWSER_PROGRESS_THREAD = 0, HAWSER_PROGRESS_CALLER = 1 };

typedef struct hawser_comm hawser_comm;            ///< ranks that run collectives together
typedef struct hawser_request hawser_request;      ///< a call under way
typedef struct hawser_plan hawser_plan;            ///< a call planned once and run many times
typedef struct hawser_user_op hawser_user_op;      ///< an operator of the caller's
typedef struct hawser_local_job hawser_local_job;  ///< threads of one process that are the ranks of a job

/// How a communicator is made; equal on all ranks but for `rank`. Zeros are the defaults:
/// `hawser_options o = {.struct_size = sizeof o};`, or `hawser_options_init`. A text that is null and a number that is
/// 0 are what the environment (docs/bootstrap.md) says, else what is built in.
typedef struct hawser_options {
  size_t struct_size;         ///< sizeof(hawser_options), by which later versions know this one
  int ignores_environment;    ///< not 0: no variable of the environment is read
  int size;                   ///< ranks of the job; 0: the launcher's, else one
  int rank;                   ///< this one, where `size` is set
  const char* store_address;  ///< host of rank 0, which runs the store
  int store_port;             ///< a free port there
  const char* secret;         ///< the job's
  const char* topology;       ///< communicator_options::topology, and so for the next ones
  const char* decisions;
  const char* tuning;
  const char* cache_directory;
  const char* network_interface;  ///< name or address
  int infers_racks;               ///< not 0: measure which hosts stand in one rack, where nobody tells
  int requires_auth;              ///< not 0: refuse transports that cannot prove the secret
  int progress;
  hawser_mode mode;  ///< of reductions, at least
  int64_t peer_timeout_ms;
  int64_t operation_timeout_ms;
  int64_t abort_timeout_ms;
  int64_t rendezvous_timeout_ms;
} hawser_options;

/// Wishes for one call; equal on all ranks but for `factor`. Zeros are the defaults; a null pointer means all of them.
typedef struct hawser_call_options {
  size_t struct_size;             ///< sizeof(hawser_call_options)
  const char* algorithm;          ///< forced (docs/algorithms.md); null: the planner chooses
  hawser_mode mode;               ///< the communicator's, where that asks for more
  hawser_type accumulation;       ///< type of partial sums (docs/types.md)
  int64_t segments;               ///< forced number; 0: the planner chooses
  int64_t typical_block_bytes;    ///< of all_to_all_v, for which the choice is made; 0: 16 KiB
  size_t element_bytes;           ///< of HAWSER_USER_TYPE, and of nothing else
  const hawser_user_op* user_op;  ///< of HAWSER_USER_OP
  const double* factor;           ///< of HAWSER_PREMUL_SUM: what this rank's elements are multiplied with
} hawser_call_options;

/// Makes a struct all defaults; `struct_size` is its sizeof. Null is nothing.
HAWSER_API void hawser_options_init(hawser_options* options, size_t struct_size);
HAWSER_API void hawser_call_options_init(hawser_call_options* options, size_t struct_size);

/// HAWSER_VERSION of the library.
HAWSER_API int hawser_version(void);
/// "0.1.0" and the like.
HAWSER_API const char* hawser_version_text(void);

/// Of the last function of this thread that failed: problem (reason); suggestion. Valid until the next one fails; ""
/// before.
HAWSER_API const char* hawser_last_error(void);
/// Of the same failure: the rank that failed, where it was another rank's, else -1; the code of the system underneath
/// (errno and the like), else 0.
HAWSER_API int hawser_last_error_rank(void);
HAWSER_API long hawser_last_error_native(void);
/// "invalid argument" and the like; "unknown status" for what is none.
HAWSER_API const char* hawser_status_text(hawser_status status);
/// Bytes of an element of a built-in type; 0 for HAWSER_USER_TYPE and what is none.
HAWSER_API size_t hawser_type_bytes(hawser_type type);

/// Collective: joins the job that the options (null: all defaults) or the launcher's variables describe, over the TCP
/// store; without either, a job of this process alone.
HAWSER_API hawser_status hawser_comm_create(const hawser_options* options, hawser_comm** comm);
/// A job of `size` threads of this process. It may be freed as soon as every rank has joined.
HAWSER_API hawser_status hawser_local_job_create(int size, hawser_local_job** job);
/// Collective: each thread joins as one rank. Of the options, what concerns launcher, store and transports has no use.
HAWSER_API hawser_status hawser_local_job_join(hawser_local_job* job, int rank, const hawser_options* options,
                                               hawser_comm** comm);
/// Frees the job; null is nothing.
HAWSER_API void hawser_local_job_free(hawser_local_job* job);
/// Collective: ranks of one color form a communicator, by key, then by rank. A negative color gets null.
/// (MPI_Comm_split)
HAWSER_API hawser_status hawser_comm_split(hawser_comm* comm, int color, int key, hawser_comm** part);
/// This rank's number, and how many there are; -1 for a null handle.
HAWSER_API int hawser_comm_rank(const hawser_comm* comm);
HAWSER_API int hawser_comm_size(const hawser_comm* comm);
/// Copies the name of the back end that carries messages to a rank, as `hawser_explain` does its text.
HAWSER_API hawser_status hawser_comm_transport(const hawser_comm* comm, int peer, char* text, size_t capacity,
                                               size_t* length);
/// From any thread: all pending and later calls of every rank of the job end with HAWSER_ABORTED and this reason.
HAWSER_API hawser_status hawser_comm_abort(hawser_comm* comm, const char* reason);
/// Leaves the communicator: waits at most `abort_timeout_ms` for the others; then no transport touches user memory.
/// Requests and plans are freed before. Null is nothing.
HAWSER_API void hawser_comm_free(hawser_comm* comm);

/// out[i] = left[i] op right[i], i in [0, count). `out` is `left`, `right` or apart. Elements need not be aligned. It
/// may run on another thread, and must neither throw nor leave by longjmp.
typedef void (*hawser_reduce_function)(const void* context, void* out, const void* left, const void* right,
                                       size_t count);
/// An associative operator on elements of a type. `element_bytes`: of HAWSER_USER_TYPE, else 0. One that is not
/// commutative always meets its operands in rank order. The operator, and its context, must outlive the calls and plans
/// with it; the name (null: "user") is copied.
HAWSER_API hawser_status hawser_user_op_create(hawser_reduce_function function, const void* context, hawser_type type,
                                               size_t element_bytes, int is_commutative, const char* name,
                                               hawser_user_op** op);
/// Frees an operator; null is nothing.
HAWSER_API void hawser_user_op_free(hawser_user_op* op);

/// Memory that ranks of this host read where it lies (docs/usage.md), aligned to 64 bytes. Null where there is none.
/// Any other memory may be used too.
HAWSER_API void* hawser_memory_allocate(size_t bytes);
/// Frees it, with the size that it was allocated with; null is nothing.
HAWSER_API void hawser_memory_free(void* memory, size_t bytes);

// Collectives. n is the number of ranks. Each rank makes the same calls in the same order with equal counts, types,
// operators, roots and options. Buffers are host memory, may not overlap but in place, and may not be touched before
// the call is complete. Counts are elements, and may be 0. Each has three forms: blocking; `_async`, which starts it
// and gives a request; `_plan`, which plans it for many runs.

/// output[i] = op over all ranks of input[i]; `count` elements. In place: the same memory. (MPI_Allreduce)
HAWSER_API hawser_status hawser_all_reduce(hawser_comm* comm, const void* input, void* output, int64_t count,
                                           hawser_type type, hawser_op op, const hawser_call_options* options);
HAWSER_API hawser_status hawser_all_reduce_async(hawser_comm* comm, const void* input, void* output, int64_t count,
                                                 hawser_type type, hawser_op op, const hawser_call_options* options,
                                                 hawser_request** request);
HAWSER_API hawser_status hawser_all_reduce_plan(hawser_comm* comm, const void* input, void* output, int64_t count,
                                                hawser_type type, hawser_op op, const hawser_call_options* options,
                                                hawser_plan** plan);

/// Input: n blocks of `count`; output: block `rank` of their reduction. In place: the output is that block of the
/// input. (MPI_Reduce_scatter_block)
HAWSER_API hawser_status hawser_reduce_scatter(hawser_comm* comm, const void* input, void* output, int64_t count,
                                               hawser_type type, hawser_op op, const hawser_call_options* options);
HAWSER_API hawser_status hawser_reduce_scatter_async(hawser_comm* comm, const void* input, void* output, int64_t count,
                                                     hawser_type type, hawser_op op, const hawser_call_options* options,
                                                     hawser_request** request);
HAWSER_API hawser_status hawser_reduce_scatter_plan(hawser_comm* comm, const void* input, void* output, int64_t count,
                                                    hawser_type type, hawser_op op, const hawser_call_options* options,
                                                    hawser_plan** plan);

/// The same with blocks of `counts[0 .. n - 1]`, equal on all ranks. (MPI_Reduce_scatter)
HAWSER_API hawser_status hawser_reduce_scatter_v(hawser_comm* comm, const void* input, void* output,
                                                 const int64_t* counts, hawser_type type, hawser_op op,
                                                 const hawser_call_options* options);
HAWSER_API hawser_status hawser_reduce_scatter_v_async(hawser_comm* comm, const void* input, void* output,
                                                       const int64_t* counts, hawser_type type, hawser_op op,
                                                       const hawser_call_options* options, hawser_request** request);
HAWSER_API hawser_status hawser_reduce_scatter_v_plan(hawser_comm* comm, const void* input, void* output,
                                                      const int64_t* counts, hawser_type type, hawser_op op,
                                                      const hawser_call_options* options, hawser_plan** plan);

/// Output: the inputs of all ranks, `count` each, in rank order. In place: the input is block `rank` of the output.
/// (MPI_Allgather)
HAWSER_API hawser_status hawser_all_gather(hawser_comm* comm, const void* input, void* output, int64_t count,
                                           hawser_type type, const hawser_call_options* options);
HAWSER_API hawser_status hawser_all_gather_async(hawser_comm* comm, const void* input, void* output, int64_t count,
                                                 hawser_type type, const hawser_call_options* options,
                                                 hawser_request** request);
HAWSER_API hawser_status hawser_all_gather_plan(hawser_comm* comm, const void* input, void* output, int64_t count,
                                                hawser_type type, const hawser_call_options* options,
                                                hawser_plan** plan);

/// Rank r contributes `counts[r]`; the counts are equal on all ranks. (MPI_Allgatherv)
HAWSER_API hawser_status hawser_all_gather_v(hawser_comm* comm, const void* input, void* output, const int64_t* counts,
                                             hawser_type type, const hawser_call_options* options);
HAWSER_API hawser_status hawser_all_gather_v_async(hawser_comm* comm, const void* input, void* output,
                                                   const int64_t* counts, hawser_type type,
                                                   const hawser_call_options* options, hawser_request** request);
HAWSER_API hawser_status hawser_all_gather_v_plan(hawser_comm* comm, const void* input, void* output,
                                                  const int64_t* counts, hawser_type type,
                                                  const hawser_call_options* options, hawser_plan** plan);

/// Input: a block of `count` for each rank; output: one from each. In place: the same memory. (MPI_Alltoall)
HAWSER_API hawser_status hawser_all_to_all(hawser_comm* comm, const void* input, void* output, int64_t count,
                                           hawser_type type, const hawser_call_options* options);
HAWSER_API hawser_status hawser_all_to_all_async(hawser_comm* comm, const void* input, void* output, int64_t count,
                                                 hawser_type type, const hawser_call_options* options,
                                                 hawser_request** request);
HAWSER_API hawser_status hawser_all_to_all_plan(hawser_comm* comm, const void* input, void* output, int64_t count,
                                                hawser_type type, const hawser_call_options* options,
                                                hawser_plan** plan);

/// `sent[r]` go to rank r, `received[r]` come from it; each rank knows its own alone. In place: the same memory, and
/// equal counts. (MPI_Alltoallv)
HAWSER_API hawser_status hawser_all_to_all_v(hawser_comm* comm, const void* input, const int64_t* sent, void* output,
                                             const int64_t* received, hawser_type type,
                                             const hawser_call_options* options);
HAWSER_API hawser_status hawser_all_to_all_v_async(hawser_comm* comm, const void* input, const int64_t* sent,
                                                   void* output, const int64_t* received, hawser_type type,
                                                   const hawser_call_options* options, hawser_request** request);
HAWSER_API hawser_status hawser_all_to_all_v_plan(hawser_comm* comm, const void* input, const int64_t* sent,
                                                  void* output, const int64_t* received, hawser_type type,
                                                  const hawser_call_options* options, hawser_plan** plan);

/// Every rank's data becomes the root's. (MPI_Bcast)
HAWSER_API hawser_status hawser_broadcast(hawser_comm* comm, void* data, int64_t count, hawser_type type, int root,
                                          const hawser_call_options* options);
HAWSER_API hawser_status hawser_broadcast_async(hawser_comm* comm, void* data, int64_t count, hawser_type type,
                                                int root, const hawser_call_options* options, hawser_request** request);
HAWSER_API hawser_status hawser_broadcast_plan(hawser_comm* comm, void* data, int64_t count, hawser_type type, int root,
                                               const hawser_call_options* options, hawser_plan** plan);

/// At the root: output[i] = op over all ranks of input[i]; elsewhere the output may be null. In place at the root: the
/// same memory. (MPI_Reduce)
HAWSER_API hawser_status hawser_reduce(hawser_comm* comm, const void* input, void* output, int64_t count,
                                       hawser_type type, hawser_op op, int root, const hawser_call_options* options);
HAWSER_API hawser_status hawser_reduce_async(hawser_comm* comm, const void* input, void* output, int64_t count,
                                             hawser_type type, hawser_op op, int root,
                                             const hawser_call_options* options, hawser_request** request);
HAWSER_API hawser_status hawser_reduce_plan(hawser_comm* comm, const void* input, void* output, int64_t count,
                                            hawser_type type, hawser_op op, int root,
                                            const hawser_call_options* options, hawser_plan** plan);

/// At the root: output = the inputs of all ranks, `count` each; elsewhere it may be null. In place at the root: the
/// input is block `root` of the output. (MPI_Gather)
HAWSER_API hawser_status hawser_gather(hawser_comm* comm, const void* input, void* output, int64_t count,
                                       hawser_type type, int root, const hawser_call_options* options);
HAWSER_API hawser_status hawser_gather_async(hawser_comm* comm, const void* input, void* output, int64_t count,
                                             hawser_type type, int root, const hawser_call_options* options,
                                             hawser_request** request);
HAWSER_API hawser_status hawser_gather_plan(hawser_comm* comm, const void* input, void* output, int64_t count,
                                            hawser_type type, int root, const hawser_call_options* options,
                                            hawser_plan** plan);

/// This rank contributes `count`; the root alone passes the `counts` of all. (MPI_Gatherv)
HAWSER_API hawser_status hawser_gather_v(hawser_comm* comm, const void* input, int64_t count, void* output,
                                         const int64_t* counts, hawser_type type, int root,
                                         const hawser_call_options* options);
HAWSER_API hawser_status hawser_gather_v_async(hawser_comm* comm, const void* input, int64_t count, void* output,
                                               const int64_t* counts, hawser_type type, int root,
                                               const hawser_call_options* options, hawser_request** request);
HAWSER_API hawser_status hawser_gather_v_plan(hawser_comm* comm, const void* input, int64_t count, void* output,
                                              const int64_t* counts, hawser_type type, int root,
                                              const hawser_call_options* options, hawser_plan** plan);

/// At the root: input = a block of `count` for each rank; elsewhere it may be null. In place at the root: the output is
/// block `root` of the input. (MPI_Scatter)
HAWSER_API hawser_status hawser_scatter(hawser_comm* comm, const void* input, void* output, int64_t count,
                                        hawser_type type, int root, const hawser_call_options* options);
HAWSER_API hawser_status hawser_scatter_async(hawser_comm* comm, const void* input, void* output, int64_t count,
                                              hawser_type type, int root, const hawser_call_options* options,
                                              hawser_request** request);
HAWSER_API hawser_status hawser_scatter_plan(hawser_comm* comm, const void* input, void* output, int64_t count,
                                             hawser_type type, int root, const hawser_call_options* options,
                                             hawser_plan** plan);

/// This rank receives `count`; the root alone passes the `counts` of all. (MPI_Scatterv)
HAWSER_API hawser_status hawser_scatter_v(hawser_comm* comm, const void* input, const int64_t* counts, void* output,
                                          int64_t count, hawser_type type, int root,
                                          const hawser_call_options* options);
HAWSER_API hawser_status hawser_scatter_v_async(hawser_comm* comm, const void* input, const int64_t* counts,
                                                void* output, int64_t count, hawser_type type, int root,
                                                const hawser_call_options* options, hawser_request** request);
HAWSER_API hawser_status hawser_scatter_v_plan(hawser_comm* comm, const void* input, const int64_t* counts,
                                               void* output, int64_t count, hawser_type type, int root,
                                               const hawser_call_options* options, hawser_plan** plan);

/// Completes on no rank before all have called it. (MPI_Barrier)
HAWSER_API hawser_status hawser_barrier(hawser_comm* comm, const hawser_call_options* options);
HAWSER_API hawser_status hawser_barrier_async(hawser_comm* comm, const hawser_call_options* options,
                                              hawser_request** request);
HAWSER_API hawser_status hawser_barrier_plan(hawser_comm* comm, const hawser_call_options* options, hawser_plan** plan);

/// Messages between two ranks, `bytes` long on both, with a label of 0 to 65535 arrive in order. The data may be
/// touched again once the call, or its request, is complete.
HAWSER_API hawser_status hawser_send(hawser_comm* comm, const void* data, size_t bytes, int to, int label);
HAWSER_API hawser_status hawser_send_async(hawser_comm* comm, const void* data, size_t bytes, int to, int label,
                                           hawser_request** request);
HAWSER_API hawser_status hawser_receive(hawser_comm* comm, void* data, size_t bytes, int from, int label);
HAWSER_API hawser_status hawser_receive_async(hawser_comm* comm, void* data, size_t bytes, int from, int label,
                                              hawser_request** request);

/// Moves what can be moved without waiting; `*is_done` is 1 once the result is there, else 0. Fails as the call would.
HAWSER_API hawser_status hawser_request_test(hawser_request* request, int* is_done);
/// Waits for the result; harmless again. Fails as the call would.
HAWSER_API hawser_status hawser_request_wait(hawser_request* request);
/// Waits for all, null ones left out, and returns the first failure once all have ended.
HAWSER_API hawser_status hawser_request_wait_all(size_t count, hawser_request* const* requests);
/// Frees a request, which is given `abort_timeout_ms` to complete, then fails the job. Null is nothing.
HAWSER_API void hawser_request_free(hawser_request* request);

/// Starts a run of a plan on its buffers; the one before must be complete. Runs start in the same order on all ranks.
HAWSER_API hawser_status hawser_plan_start(hawser_plan* plan);
/// As those of a request, of the run under way.
HAWSER_API hawser_status hawser_plan_test(hawser_plan* plan, int* is_done);
HAWSER_API hawser_status hawser_plan_wait(hawser_plan* plan);
/// What was decided for it, as `hawser_explain`.
HAWSER_API hawser_status hawser_plan_explain(const hawser_plan* plan, char* text, size_t capacity, size_t* length);
/// Frees a plan, a run under way as a request. Null is nothing.
HAWSER_API void hawser_plan_free(hawser_plan* plan);

/// From here to `hawser_group_end`, the blocking forms of this communicator, messages included, start and return at
/// once. One that fails to start is not part of the group. (ncclGroupStart)
HAWSER_API hawser_status hawser_group_begin(hawser_comm* comm);
/// Waits for all calls of the group. Fails as the first of them, after all have ended. (ncclGroupEnd)
HAWSER_API hawser_status hawser_group_end(hawser_comm* comm);

/// What would be decided for a call with `count` elements per block, and why, in words. Copies at most `capacity`
/// bytes, the final 0 included; `*length` (if not null) is the length of the whole text without it. `op` is looked at
/// where the collective reduces, `root` where it has one.
HAWSER_API hawser_status hawser_explain(const hawser_comm* comm, hawser_collective what, int64_t count,
                                        hawser_type type, hawser_op op, int root, const hawser_call_options* options,
                                        char* text, size_t capacity, size_t* length);

#ifdef __cplusplus
}
#endif

#endif
