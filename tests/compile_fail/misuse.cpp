// Misuse that must not compile, one per HAWSER_MISUSE; with 0 everything here is right and compiles.
#include <list>
#include <string>
#include <vector>

#include <hawser/communicator/communicator.hpp>
#include <hawser/transport/transport.hpp>

namespace {

struct without_trait {
  int field;
};

/// Lacks `shutdown`.
struct half_a_transport {
  std::string_view name() const noexcept { return "half"; }
  void send(hawser::rank, hawser::transport::tag, std::span<const std::byte>, hawser::transport::completion&) {}
  void receive(hawser::rank, hawser::transport::tag, hawser::transport::sink, hawser::transport::completion&) {}
  bool progress() { return false; }
};

}  // namespace

void use(hawser::communicator& members) {
  std::vector<float> data(8);
  [[maybe_unused]] std::vector<double> other(8);
  members.all_reduce(data);
  members.all_gather(std::vector<float>(1), data);
#if HAWSER_MISUSE == 1  // not contiguous
  std::list<float> list;
  members.all_reduce(list);
#elif HAWSER_MISUSE == 2  // input and output of different types
  members.all_reduce(data, other);
#elif HAWSER_MISUSE == 3  // an element type that the library does not know
  std::vector<without_trait> elements;
  members.all_reduce(elements);
#elif HAWSER_MISUSE == 4  // a result that would be written to constant memory
  const std::vector<float> constant(8);
  members.all_gather(data, constant);
#elif HAWSER_MISUSE == 5  // a transport that lacks a part of the concept
  hawser::transport::any_transport endpoint(std::make_unique<half_a_transport>());
#endif
}
