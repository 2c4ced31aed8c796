// Many calls under way at once: several communicators, blocking among nonblocking ones, messages pending across them.
#include <algorithm>
#include <numeric>
#include <vector>

#include "comparison.hpp"

namespace conformance {

namespace {

constexpr int most_count = 600;

/// A nonblocking call and what it must give.
struct flight {
  std::vector<int> sent, expected, received;
  arguments told;
  const collective* what;
};

flight make_flight(members& on) {
  static const char* const names[] = {"Allreduce", "Bcast", "Allgather", "Alltoall", "Reduce"};
  auto numbers = random_numbers(on.stream, ++on.cases);
  auto own = random_numbers(on.stream + (static_cast<std::uint64_t>(on.rank + 1) << 32), on.cases);
  flight made;
  const std::string name = names[any_below(numbers, 5)];
  const int count = any_below(numbers, most_count);
  made.what = &collective_of(name);
  const auto size = static_cast<std::size_t>(count * on.size);
  made.sent.resize(size);
  for (int& each : made.sent) each = static_cast<int>(own());
  made.received.assign(size, -1);
  if (name == "Bcast") made.received = made.sent;
  made.expected = made.received;
  made.told = {made.sent.data(), count, MPI_INT, nullptr, count, MPI_INT};
  made.told.op = MPI_BXOR;
  made.told.root = any_below(numbers, on.size);
  made.told.comm = on.comm;
  made.told.receive = made.expected.data();
  check(made.what->blocking[static_cast<int>(library::pmpi)](made.told) == MPI_SUCCESS, "the library's call");
  return made;
}

/// Starts calls on all communicators in turn, each rank in an order of its own, with messages and blocking calls
/// between.
void run_mixed(all_members& all, int round) {
  enter("calls in flight, round " + std::to_string(round));
  members& world = all.world();
  auto own = random_numbers(77 + static_cast<std::uint64_t>(world.rank), static_cast<std::uint64_t>(round));
  std::vector<std::vector<flight>> calls(all.list().size());
  for (std::size_t c = 0; c < calls.size(); ++c)
    for (int i = 0; i < 3; ++i) calls[c].push_back(make_flight(all.list()[c]));
  const int next = (world.rank + 1) % world.size, previous = (world.rank + world.size - 1) % world.size;
  std::vector<int> letter(20'000, world.rank), mail(letter.size(), -1);
  std::vector<MPI_Request> requests(2);
  MPI_Irecv(mail.data(), static_cast<int>(mail.size()), MPI_INT, previous, round, MPI_COMM_WORLD, &requests[0]);
  MPI_Isend(letter.data(), static_cast<int>(letter.size()), MPI_INT, next, round, MPI_COMM_WORLD, &requests[1]);
  std::vector<std::size_t> turns;  // of each communicator three times
  for (std::size_t c = 0; c < calls.size(); ++c) turns.insert(turns.end(), 3, c);
  std::shuffle(turns.begin(), turns.end(), own);
  std::vector<std::size_t> begun(calls.size());
  for (const std::size_t c : turns) {
    flight& one = calls[c][begun[c]++];
    one.told.receive = one.received.data();
    requests.push_back(MPI_REQUEST_NULL);
    check(one.what->start[static_cast<int>(library::mpi)](one.told, &requests.back()) == MPI_SUCCESS, "a call starts");
  }
  int one = 1, sum = 0;
  MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, world.comm);  // blocking, on a communicator that has calls under way
  check(sum == world.size, "the blocking sum");
  std::shuffle(requests.begin(), requests.end(), own);
  const std::size_t half = requests.size() / 2;
  for (std::size_t i = 0; i < half; ++i) complete(library::mpi, requests[i], own);
  MPI_Waitall(static_cast<int>(requests.size() - half), requests.data() + half, MPI_STATUSES_IGNORE);
  for (const auto& list : calls)
    for (const flight& each : list) check(each.received == each.expected, "the result of MPI_I" + each.what->name);
  check(mail == std::vector<int>(mail.size(), previous), "the message");
}

/// A large message is pending while its sender waits in a collective: the receiver takes it before it calls that.
void run_pending_send(all_members& all, form how) {
  members& world = all.world();
  if (world.size < 2) return;
  enter(name_of(how) + " MPI_Allreduce with an MPI_Isend pending");
  const bool sends = world.rank == 0, receives = world.rank == world.size - 1;
  std::vector<int> letter(1 << 20, sends ? 42 : -1);  // far beyond what any transport sends eagerly
  MPI_Request request = MPI_REQUEST_NULL;
  if (sends)
    MPI_Isend(letter.data(), static_cast<int>(letter.size()), MPI_INT, world.size - 1, 3, MPI_COMM_WORLD, &request);
  if (receives)
    MPI_Recv(letter.data(), static_cast<int>(letter.size()), MPI_INT, 0, 3, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  int one = 1, sum = 0;
  arguments told{&one, 1, MPI_INT, &sum, 1, MPI_INT};
  told.op = MPI_SUM;
  told.comm = MPI_COMM_WORLD;
  auto numbers = random_numbers(5, static_cast<std::uint64_t>(world.rank));
  check(perform(collective_of("Allreduce"), library::mpi, how, told, numbers) == MPI_SUCCESS, "the sum");
  check(sum == world.size, "the sum's value");
  MPI_Wait(&request, MPI_STATUS_IGNORE);
  if (receives) check(letter == std::vector<int>(letter.size(), 42), "the message");
}

}  // namespace

void run_in_flight(all_members& all) {
  const int rounds = chosen().is_quick ? 3 : 20;
  for (int round = 0; round < rounds; ++round) run_mixed(all, round);
  for (int how = 0; how < forms; ++how) run_pending_send(all, static_cast<form>(how));
}

}  // namespace conformance
