// A training loop that goes on after a loss: four processes, of which one is killed; the others shrink and carry on.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <vector>

#include <hawser/hawser.hpp>

namespace {

constexpr int ranks = 4, steps = 20, victim = 2, killed_at = 8;

/// One step of a training that any number of ranks can share: the mean of all ranks' gradients.
void train(hawser::communicator& members, std::vector<float>& weights) {
  std::vector<float> gradient(weights.size(), 1.0F);
  members.all_reduce(gradient, hawser::op::avg);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] += gradient[i];
}

int run(hawser::bootstrap::launch from) {
  auto members = std::make_unique<hawser::communicator>(hawser::bootstrap::join_store(from));
  const int started_as = *from.rank;
  std::vector<float> weights(1000, 0.0F);
  for (int step = 0; step < steps; ++step) {
    const std::vector<float> checkpoint = weights;
    try {
      if (started_as == victim && step == killed_at) raise(SIGKILL);
      train(*members, weights);
    } catch (const hawser::error& failed) {
      std::printf("rank %d, step %d: %s\n", started_as, step, failed.what());
      hawser::shrunk_communicator left = members->shrink();
      members = std::move(left.members);
      weights = checkpoint;
      // Some ranks may have finished the step that others could not: go on from the earliest.
      std::vector<int> earliest{step};
      members->all_reduce(earliest, hawser::op::min);
      for (; step > earliest[0]; --step)
        for (float& each : weights) each -= 1.0F;
      step = earliest[0] - 1;
      std::printf("rank %d goes on as rank %d of %d\n", started_as, members->rank().value, members->size());
    }
  }
  return weights[0] == static_cast<float>(steps) && members->size() == ranks - 1 ? 0 : 1;
}

}  // namespace

int main() {
  hawser::bootstrap::launch from;
  from.size = ranks;
  from.secret = hawser::bootstrap::make_secret();
  from.master_address = "127.0.0.1";
  from.is_store_external = true;  // as torchrun would: here the parent process runs the store
  int port[2];
  if (pipe(port) != 0) return 1;
  std::vector<pid_t> children;
  for (int self = 0; self < ranks; ++self) {
    const pid_t child = fork();
    if (child == 0) {
      from.rank = self;
      if (read(port[0], &from.master_port, sizeof from.master_port) != sizeof from.master_port) _exit(2);
      const int code = run(from);
      std::fflush(nullptr);
      _exit(code);
    }
    children.push_back(child);
  }
  hawser::bootstrap::store_server store({.size = ranks, .secret = from.secret});
  from.master_port = store.port();
  for (int self = 0; self < ranks; ++self)
    if (write(port[1], &from.master_port, sizeof from.master_port) != sizeof from.master_port) return 1;
  int wrong = 0;
  for (int self = 0; self < ranks; ++self) {
    int status = 0;
    waitpid(children[static_cast<std::size_t>(self)], &status, 0);
    const bool as_expected = self == victim ? WIFSIGNALED(status) : WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!as_expected) ++wrong;
  }
  store.close(hawser::bootstrap::milliseconds(1000));
  std::printf(wrong == 0 ? "all survivors finished\n" : "%d ranks went wrong\n", wrong);
  return wrong;
}
