// Drives every MPI collective through MPI_ and PMPI_ on the same data and compares. Without a profiling library both
// are the same function, which shows that the program is right; with one (LD_PRELOAD) it tests that. usage: conformance
// [--quick] [--seed N] [--collective Allreduce] [--type MPI_INT] [--section moves] [--timeout S]
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "comparison.hpp"

namespace conformance {

namespace {

[[noreturn]] void usage(const char* word) {
  std::fprintf(stderr,
               "conformance: cannot read \"%s\"; usage: conformance [--quick] [--seed N] [--collective NAME] "
               "[--type NAME] [--section NAME] [--timeout SECONDS]\n",
               word);
  std::exit(2);
}

options read(int argc, char** argv) {
  options told;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--quick") {
      told.is_quick = true;
      continue;
    }
    if (i + 1 == argc) usage(argv[i]);
    const char* const value = argv[++i];
    if (word == "--seed")
      told.seed = std::strtoull(value, nullptr, 10);
    else if (word == "--collective")
      told.collective = value;
    else if (word == "--type")
      told.type = value;
    else if (word == "--section")
      told.section = value;
    else if (word == "--timeout")
      told.timeout = std::atoi(value);
    else
      usage(argv[i - 1]);
  }
  return told;
}

/// A hang ends with what was under way.
void end_hang(int) {
  static const char text[] = "FAILED: still under way after the time-out: ";
  (void)!write(2, text, sizeof text - 1);
  (void)!write(2, current(), std::strlen(current()));
  (void)!write(2, "\n", 1);
  _exit(3);
}

void run_sections(int provided) {
  all_members all;
  static const struct {
    const char* name;
    void (*run)(members&);
  } on_each[] = {{"moves", run_moves},         {"ragged", run_ragged}, {"reductions", run_reductions},
                 {"user", run_user_operators}, {"bottom", run_bottom}, {"requests", run_requests},
                 {"errors", run_errors}};
  for (const auto& section : on_each)
    if (is_wanted(chosen().section, section.name))
      for (members& each : all.list()) section.run(each);
  const bool is_everything = chosen().collective.empty() && chosen().type.empty();
  if (is_everything && is_wanted(chosen().section, "flight")) run_in_flight(all);
  if (is_everything && is_wanted(chosen().section, "lifetimes")) run_lifetimes(all);
  if (is_everything && is_wanted(chosen().section, "between")) run_between(all);
  if (is_everything && is_wanted(chosen().section, "threads")) run_threads(all, provided);
  enter("the end");
}

/// What all ranks found, said by the first; the exit code.
int conclude() {
  long long mine[2] = {static_cast<long long>(checks()), static_cast<long long>(failures())}, all[2] = {0, 0};
  PMPI_Allreduce(mine, all, 2, MPI_LONG_LONG, MPI_SUM, MPI_COMM_WORLD);
  int rank = 0, size = 0;
  PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
  PMPI_Comm_size(MPI_COMM_WORLD, &size);
  if (rank == 0)
    std::printf("conformance: %lld checks, %lld failed, on %d ranks, %zu types, seed %llu\n", all[0], all[1], size,
                base_types().size(), static_cast<unsigned long long>(chosen().seed));
  std::fflush(stdout);
  return all[1] == 0 && all[0] > 0 ? 0 : 1;
}

}  // namespace

}  // namespace conformance

int main(int argc, char** argv) {
  const auto told = conformance::read(argc, argv);
  int provided = MPI_THREAD_SINGLE;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
  conformance::choose(told);
  std::signal(SIGALRM, &conformance::end_hang);
  if (told.timeout > 0) alarm(static_cast<unsigned>(told.timeout));
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
  conformance::run_sections(provided);
  const int code = conformance::conclude();
  MPI_Finalize();
  return code;
}
