// Times of MPI's collectives over sizes, as OSU's benchmarks take them: the slowest rank's time of each call, after a
// barrier; median, 10th and 90th percentile as CSV. Plain MPI, so that it runs bare and under LD_PRELOAD alike.
// usage: mpi_bench [--collective allreduce] [--least BYTES] [--most BYTES] [--iterations N]
#include <mpi.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

struct options {
  std::string collective;  ///< only this one; empty: all
  std::size_t least = 4;   ///< bytes of a rank's input; of a block where there are several
  std::size_t most = 1 << 20;
  int iterations = 0;  ///< 0: by size
};

options read(int argc, char** argv) {
  options told;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--collective") == 0)
      told.collective = argv[i + 1];
    else if (std::strcmp(argv[i], "--least") == 0)
      told.least = std::strtoull(argv[i + 1], nullptr, 10);
    else if (std::strcmp(argv[i], "--most") == 0)
      told.most = std::strtoull(argv[i + 1], nullptr, 10);
    else if (std::strcmp(argv[i], "--iterations") == 0)
      told.iterations = std::atoi(argv[i + 1]);
    else {
      std::fprintf(stderr, "mpi_bench: unknown option \"%s\"; --collective, --least, --most, --iterations\n", argv[i]);
      std::exit(2);
    }
  }
  return told;
}

/// The buffers of a call: `count` floats to or from each rank.
struct buffers {
  int rank = 0, size = 1, count = 0;
  std::vector<float> input, output;
  std::vector<int> counts, places;

  explicit buffers(int elements) : count(elements) {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    const auto all = static_cast<std::size_t>(count) * static_cast<std::size_t>(size);
    input.assign(all, static_cast<float>(rank + 1));
    output.assign(all, -1.0F);
    for (int r = 0; r < size; ++r) {
      counts.push_back(count);
      places.push_back(r * count);
    }
  }
};

struct benchmark {
  const char* name;
  void (*call)(buffers&);
  float (*expected)(const buffers&);  ///< of output[0]
};

float sum_of_ranks(const buffers& b) {
  return static_cast<float>(b.size * (b.size + 1) / 2);
}
float at_first_rank(const buffers& b) {
  return b.rank == 0 ? sum_of_ranks(b) : -1.0F;
}
float from_first(const buffers&) {
  return 1.0F;
}
float gathered_at_first(const buffers& b) {
  return b.rank == 0 ? 1.0F : -1.0F;
}
float untouched(const buffers&) {
  return -1.0F;
}

MPI_Comm world() {
  return MPI_COMM_WORLD;
}

const benchmark benchmarks[] = {
    {"barrier", [](buffers&) { MPI_Barrier(world()); }, untouched},
    {"bcast",
     [](buffers& b) { MPI_Bcast(b.rank == 0 ? b.input.data() : b.output.data(), b.count, MPI_FLOAT, 0, world()); },
     [](const buffers& b) { return b.rank == 0 ? -1.0F : 1.0F; }},
    {"allreduce",
     [](buffers& b) { MPI_Allreduce(b.input.data(), b.output.data(), b.count, MPI_FLOAT, MPI_SUM, world()); },
     sum_of_ranks},
    {"reduce", [](buffers& b) { MPI_Reduce(b.input.data(), b.output.data(), b.count, MPI_FLOAT, MPI_SUM, 0, world()); },
     at_first_rank},
    {"reduce_scatter_block",
     [](buffers& b) {
       MPI_Reduce_scatter_block(b.input.data(), b.output.data(), b.count, MPI_FLOAT, MPI_SUM, world());
     },
     sum_of_ranks},
    {"allgather",
     [](buffers& b) {
       MPI_Allgather(b.input.data(), b.count, MPI_FLOAT, b.output.data(), b.count, MPI_FLOAT, world());
     },
     from_first},
    {"gather",
     [](buffers& b) {
       MPI_Gather(b.input.data(), b.count, MPI_FLOAT, b.output.data(), b.count, MPI_FLOAT, 0, world());
     },
     gathered_at_first},
    {"scatter",
     [](buffers& b) {
       MPI_Scatter(b.input.data(), b.count, MPI_FLOAT, b.output.data(), b.count, MPI_FLOAT, 0, world());
     },
     from_first},
    {"alltoall",
     [](buffers& b) { MPI_Alltoall(b.input.data(), b.count, MPI_FLOAT, b.output.data(), b.count, MPI_FLOAT, world()); },
     from_first},
    {"alltoallv",
     [](buffers& b) {
       MPI_Alltoallv(b.input.data(), b.counts.data(), b.places.data(), MPI_FLOAT, b.output.data(), b.counts.data(),
                     b.places.data(), MPI_FLOAT, world());
     },
     from_first},
};

/// Seconds of the slowest rank for each iteration; the barrier before is not timed. PMPI keeps the measurement's own
/// calls out of what is measured.
std::vector<double> times_of(const benchmark& what, buffers& data, int iterations) {
  const int warm_up = iterations / 10 + 2;
  std::vector<double> times;
  for (int i = -warm_up; i < iterations; ++i) {
    PMPI_Barrier(world());
    const double begin = MPI_Wtime();
    what.call(data);
    if (i >= 0) times.push_back(MPI_Wtime() - begin);
  }
  PMPI_Allreduce(MPI_IN_PLACE, times.data(), iterations, MPI_DOUBLE, MPI_MAX, world());
  std::sort(times.begin(), times.end());
  return times;
}

double percentile(const std::vector<double>& sorted, double share) {
  return 1e6 * sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1) + 0.5)];
}

/// One line of the table; returns whether all ranks had the right result.
bool run(const benchmark& what, std::size_t bytes, const options& told) {
  buffers data(static_cast<int>(bytes / sizeof(float)));
  const int iterations = told.iterations > 0 ? told.iterations : bytes <= 16'384 ? 1000 : bytes <= 262'144 ? 200 : 50;
  const auto times = times_of(what, data, iterations);
  int wrong = data.count > 0 && data.output[0] != what.expected(data) ? 1 : 0;
  PMPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, world());
  if (data.rank == 0)
    std::printf("%s,%zu,%d,%d,%.3f,%.3f,%.3f,%d\n", what.name, bytes, data.size, iterations, percentile(times, 0.5),
                percentile(times, 0.1), percentile(times, 0.9), wrong);
  return wrong == 0;
}

}  // namespace

int main(int argc, char** argv) {
  const options told = read(argc, argv);
  MPI_Init(&argc, &argv);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank == 0) std::printf("collective,bytes,ranks,iterations,median_us,p10_us,p90_us,wrong\n");
  bool is_right = true;
  for (const benchmark& each : benchmarks) {
    if (!told.collective.empty() && told.collective != each.name) continue;
    const bool has_sizes = std::strcmp(each.name, "barrier") != 0;
    for (std::size_t bytes = told.least; bytes <= told.most; bytes *= 4) {
      is_right = run(each, has_sizes ? bytes : 0, told) && is_right;
      if (!has_sizes) break;
    }
  }
  MPI_Finalize();
  return is_right ? 0 : 1;
}
