// A hierarchical all-reduce with threads as ranks: two racks of four, planned, explained and run in one process.
#include <cstdio>
#include <numeric>
#include <vector>

#include <hawser/hawser.hpp>

int main() {
  hawser::communicator_options options;
  options.topology = "rack:2@10GB/s,15us gpu:4@8GB/s,1us";
  hawser::run_in_process(8, options, [](hawser::communicator& comm) {
    std::vector<float> gradients(1 << 20, static_cast<float>(comm.rank().value));
    comm.all_reduce(gradients, hawser::op::avg);
    if (comm.rank() != hawser::rank(0)) return;
    const auto plan = comm.plan_for({.what = hawser::schedule::collective::all_reduce, .count = 1 << 20});
    std::printf("%severy gradient is %g\n", hawser::planner::explain(plan, 5).c_str(), gradients.front());
  });
  return 0;
}
