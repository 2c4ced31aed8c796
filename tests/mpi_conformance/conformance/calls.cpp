// See calls.hpp.
#include "calls.hpp"

#include <algorithm>
#include <map>

#ifdef OPEN_MPI
#include <mpi-ext.h>
#endif

namespace conformance {

namespace {

// What the persistent forms are called: by MPI 4, or in Open MPI 4.1's extension.
#if defined(OPEN_MPI) && defined(OMPI_HAVE_MPI_EXT_PCOLLREQ)
#define INIT(prefix, Name) prefix##X_##Name##_init
#define HAS_INIT 1
#elif !defined(OPEN_MPI) && MPI_VERSION >= 4
#define INIT(prefix, Name) prefix##_##Name##_init
#define HAS_INIT 1
#endif

#define BLOCKING(prefix, Name, ...) [](const arguments& a) { return prefix##_##Name(__VA_ARGS__, a.comm); }
#define START(prefix, Name, ...) \
  [](const arguments& a, MPI_Request* r) { return prefix##_##Name(__VA_ARGS__, a.comm, r); }
#ifdef HAS_INIT
#define PREPARE(prefix, Name, ...) \
  [](const arguments& a, MPI_Request* r) { return INIT(prefix, Name)(__VA_ARGS__, a.comm, MPI_INFO_NULL, r); }
#else
#define PREPARE(prefix, Name, ...) nullptr
#endif

#define COLLECTIVE(Name, lower, ...)                                                  \
  collective {                                                                        \
#Name, {BLOCKING(PMPI, Name, __VA_ARGS__), BLOCKING(MPI, Name, __VA_ARGS__) },    \
            {START(PMPI, I##lower, __VA_ARGS__), START(MPI, I##lower, __VA_ARGS__) }, \
             {PREPARE(PMPI, Name, __VA_ARGS__), PREPARE(MPI, Name, __VA_ARGS__) },    \
  }

std::vector<collective> all_collectives() {
  return {
      COLLECTIVE(Allreduce, allreduce, a.send, a.receive, a.receive_count, a.receive_type, a.op),
      COLLECTIVE(Reduce, reduce, a.send, a.receive, a.receive_count, a.receive_type, a.op, a.root),
      COLLECTIVE(Reduce_scatter, reduce_scatter, a.send, a.receive, a.receive_counts, a.receive_type, a.op),
      COLLECTIVE(Reduce_scatter_block, reduce_scatter_block, a.send, a.receive, a.receive_count, a.receive_type, a.op),
      COLLECTIVE(Allgather, allgather, a.send, a.send_count, a.send_type, a.receive, a.receive_count, a.receive_type),
      COLLECTIVE(Allgatherv, allgatherv, a.send, a.send_count, a.send_type, a.receive, a.receive_counts,
                 a.receive_places, a.receive_type),
      COLLECTIVE(Alltoall, alltoall, a.send, a.send_count, a.send_type, a.receive, a.receive_count, a.receive_type),
      COLLECTIVE(Alltoallv, alltoallv, a.send, a.send_counts, a.send_places, a.send_type, a.receive, a.receive_counts,
                 a.receive_places, a.receive_type),
      COLLECTIVE(Bcast, bcast, a.receive, a.receive_count, a.receive_type, a.root),
      COLLECTIVE(Gather, gather, a.send, a.send_count, a.send_type, a.receive, a.receive_count, a.receive_type, a.root),
      COLLECTIVE(Gatherv, gatherv, a.send, a.send_count, a.send_type, a.receive, a.receive_counts, a.receive_places,
                 a.receive_type, a.root),
      COLLECTIVE(Scatter, scatter, a.send, a.send_count, a.send_type, a.receive, a.receive_count, a.receive_type,
                 a.root),
      COLLECTIVE(Scatterv, scatterv, a.send, a.send_counts, a.send_places, a.send_type, a.receive, a.receive_count,
                 a.receive_type, a.root),
  };
}

collective barrier() {
  collective made{
      "Barrier",
      {[](const arguments& a) { return PMPI_Barrier(a.comm); }, [](const arguments& a) { return MPI_Barrier(a.comm); }},
      {[](const arguments& a, MPI_Request* r) { return PMPI_Ibarrier(a.comm, r); },
       [](const arguments& a, MPI_Request* r) { return MPI_Ibarrier(a.comm, r); }},
      {nullptr, nullptr}};
#ifdef HAS_INIT
  made.prepare[0] = [](const arguments& a, MPI_Request* r) { return INIT(PMPI, Barrier)(a.comm, MPI_INFO_NULL, r); };
  made.prepare[1] = [](const arguments& a, MPI_Request* r) { return INIT(MPI, Barrier)(a.comm, MPI_INFO_NULL, r); };
#endif
  return made;
}

template <class Test>
int until_done(Test&& test) {
  int is_done = 0, code = MPI_SUCCESS;
  while (is_done == 0 && code == MPI_SUCCESS) code = test(is_done);
  return code;
}

/// The functions that complete requests, of a library.
struct completions {
  decltype(&MPI_Wait) wait;
  decltype(&MPI_Test) test;
  decltype(&MPI_Waitall) wait_all;
  decltype(&MPI_Waitany) wait_any;
  decltype(&MPI_Waitsome) wait_some;
  decltype(&MPI_Testall) test_all;
  decltype(&MPI_Testany) test_any;
  decltype(&MPI_Testsome) test_some;
  decltype(&MPI_Start) start;
  decltype(&MPI_Request_free) free;
};

const completions& completions_of(library by) {
  static const completions both[] = {{PMPI_Wait, PMPI_Test, PMPI_Waitall, PMPI_Waitany, PMPI_Waitsome, PMPI_Testall,
                                      PMPI_Testany, PMPI_Testsome, PMPI_Start, PMPI_Request_free},
                                     {MPI_Wait, MPI_Test, MPI_Waitall, MPI_Waitany, MPI_Waitsome, MPI_Testall,
                                      MPI_Testany, MPI_Testsome, MPI_Start, MPI_Request_free}};
  return both[static_cast<int>(by)];
}

}  // namespace

std::string name_of(form how) {
  static const char* const names[] = {"blocking", "nonblocking", "persistent"};
  return names[static_cast<int>(how)];
}

const collective& collective_of(const std::string& name) {
  static const std::vector<collective> all = [] {
    std::vector<collective> made = all_collectives();
    made.push_back(barrier());
    return made;
  }();
  return *std::find_if(all.begin(), all.end(), [&](const collective& each) { return each.name == name; });
}

int complete(library by, MPI_Request& request, std::mt19937_64& numbers, bool is_persistent) {
  const completions& with = completions_of(by);
  MPI_Status status;
  int index = 0, count = 0, choice = any_below(numbers, 8);
#ifdef MPICH_VERSION
  if (is_persistent && choice == 5) choice = 1;  // MPICH 4.0.2's own MPI_Testall fails on every persistent collective
#else
  (void)is_persistent;
#endif
  switch (choice) {
    case 0: return with.wait(&request, MPI_STATUS_IGNORE);
    case 1: return until_done([&](int& is_done) { return with.test(&request, &is_done, &status); });
    case 2: return with.wait_all(1, &request, MPI_STATUSES_IGNORE);
    case 3: return with.wait_any(1, &request, &index, &status);
    case 4: return with.wait_some(1, &request, &count, &index, &status);
    case 5: return until_done([&](int& is_done) { return with.test_all(1, &request, &is_done, &status); });
    case 6: return until_done([&](int& is_done) { return with.test_any(1, &request, &index, &is_done, &status); });
    default: return until_done([&](int& is_done) { return with.test_some(1, &request, &is_done, &index, &status); });
  }
}

int perform(const collective& what, library by, form how, const arguments& told, std::mt19937_64& numbers) {
  const int which = static_cast<int>(by);
  MPI_Request request = MPI_REQUEST_NULL;
  if (how == form::blocking) return what.blocking[which](told);
  if (how == form::persistent && what.prepare[which] != nullptr) {
    int code = what.prepare[which](told, &request);
    if (code != MPI_SUCCESS) return code;
    code = completions_of(by).start(&request);
    if (code == MPI_SUCCESS) code = complete(by, request, numbers, true);
    check(request != MPI_REQUEST_NULL, "a persistent request is kept when a run of it is complete");
    if (request != MPI_REQUEST_NULL) completions_of(by).free(&request);
    return code;
  }
  const int code = what.start[which](told, &request);
  if (code != MPI_SUCCESS) return code;
  const int ended = complete(by, request, numbers);
  check(request == MPI_REQUEST_NULL, "a complete request is MPI_REQUEST_NULL");
  return ended;
}

}  // namespace conformance
