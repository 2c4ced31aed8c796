// A type and an operator of one's own: the best loss over all ranks, and the rank that has it.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <hawser/hawser.hpp>

struct candidate {
  float loss;
  int rank;
};

template <>
struct hawser::data_type_of<candidate> : hawser::user_element {};

namespace {

candidate better(const candidate& a, const candidate& b) {
  return b.loss < a.loss ? b : a;
}

}  // namespace

int main() {
  bool is_right = true;
  hawser::run_in_process(5, [&](hawser::communicator& comm) {
    const int me = comm.rank().value;
    std::vector<candidate> best{{static_cast<float>((me * 3 + 1) % 5), me}};
    comm.all_reduce(best, hawser::user_op<candidate>(&better, hawser::commutativity::commutative, "best loss"));
    if (me != 0) return;
    std::printf("rank %d has the best loss, %g\n", best[0].rank, best[0].loss);
    is_right = best[0].rank == 3 && best[0].loss == 0;
  });
  return is_right ? EXIT_SUCCESS : EXIT_FAILURE;
}
