// Uses hawser::runtime: threads as ranks add up their numbers.
#include <hawser/hawser.hpp>

#include <atomic>
#include <iostream>
#include <vector>

int main() {
  constexpr int ranks = 4;
  std::atomic<int> right = 0;
  hawser::run_in_process(ranks, [&](hawser::communicator& comm) {
    std::vector<std::int64_t> data(1000, comm.rank().value + 1);
    comm.all_reduce(data);
    if (data == std::vector<std::int64_t>(1000, ranks * (ranks + 1) / 2)) ++right;
  });
  std::cout << "consumed hawser::runtime: " << right << " of " << ranks << " ranks have the sum\n";
  return right == ranks ? 0 : 1;
}
