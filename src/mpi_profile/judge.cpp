// See judge.hpp. Nothing here looks at displacements, layouts or addresses in order to choose who serves.
#include "judge.hpp"

namespace hawser::mpi_profile {

namespace {

std::int64_t sum(const int* counts, int size) noexcept {
  if (counts == nullptr) return no_call;
  std::int64_t total = 0;
  for (int r = 0; r < size; ++r) {
    if (counts[r] < 0) return no_call;
    total += counts[r];
  }
  return total;
}

bool uses_root(collective what) noexcept {
  return schedule::has_root(what);
}

/// Elements at an address that a program cannot mean; MPI_BOTTOM goes with derived types alone.
bool lacks_memory(const buffer_arguments& buffer, bool is_ragged) noexcept {
  return buffer.address == nullptr && !is_ragged && buffer.count > 0 && find_named(buffer.type) != nullptr;
}

bool has_bad_counts(const buffer_arguments& buffer, int size, bool is_ragged) noexcept {
  if (buffer.type == MPI_DATATYPE_NULL) return true;
  if (!is_ragged) return buffer.count < 0;
  return sum(buffer.counts, size) == no_call;
}

struct used_sides {
  bool send = true, receive = true;
  bool send_in_place = true, receive_in_place = false;  // where MPI allows it
};

used_sides sides_of(const arguments& c, bool is_root) noexcept {
  switch (c.what) {
    case collective::broadcast: return {false, true, false, false};
    case collective::reduce:
    case collective::gather: return {true, is_root, is_root, false};
    case collective::scatter: return {is_root, true, false, is_root};
    default: return {};
  }
}

}  // namespace

std::int64_t agreed_bytes(const arguments& c, const known_communicator& known) noexcept {
  const buffer_arguments &s = c.send, &r = c.receive;
  const std::int64_t n = known.size;
  const auto bytes = [](std::int64_t count, MPI_Datatype type) {
    return count < 0 || type == MPI_DATATYPE_NULL ? no_call : count * size_of(type);
  };
  const auto of_all = [n](std::int64_t of_one) { return of_one < 0 ? of_one : of_one * n; };
  if (uses_root(c.what) && (c.root < 0 || c.root >= known.size)) return no_call;
  const bool is_root = uses_root(c.what) && c.root == known.rank;
  switch (c.what) {
    case collective::barrier: return 0;
    case collective::all_reduce:
    case collective::broadcast:
    case collective::reduce: return bytes(r.count, r.type);
    case collective::all_to_all_v: return no_size;
    case collective::reduce_scatter:
    case collective::all_gather:
      return c.is_ragged ? bytes(sum(r.counts, known.size), r.type) : of_all(bytes(r.count, r.type));
    case collective::all_to_all: return of_all(bytes(r.count, r.type));
    case collective::gather:
      if (c.is_ragged) return no_size;
      return of_all(is_root ? bytes(r.count, r.type) : bytes(s.count, s.type));
    case collective::scatter:
      if (c.is_ragged) return no_size;
      return of_all(is_root ? bytes(s.count, s.type) : bytes(r.count, r.type));
  }
  return no_call;
}

bool must_be_refused(const arguments& c, const known_communicator& known) noexcept {
  if (c.what == collective::barrier) return false;
  const bool is_root = c.root == known.rank;
  const used_sides used = sides_of(c, is_root);
  const bool is_send_in_place = used.send && c.send.is_in_place();
  const bool is_receive_in_place = used.receive && c.receive.is_in_place();
  if ((is_send_in_place && !used.send_in_place) || (is_receive_in_place && !used.receive_in_place)) return true;
  const bool are_sends_ragged = c.what == collective::all_to_all_v || (c.what == collective::scatter && c.is_ragged);
  const bool are_receives_ragged = c.is_ragged && c.what != collective::scatter;
  // The type and counts of a reduction are those of the receive side.
  const bool has_send_type = used.send && !schedule::reduces(c.what) && !is_send_in_place;
  if (has_send_type && (has_bad_counts(c.send, known.size, are_sends_ragged) || lacks_memory(c.send, are_sends_ragged)))
    return true;
  if (used.receive && !is_receive_in_place &&
      (has_bad_counts(c.receive, known.size, are_receives_ragged) || lacks_memory(c.receive, are_receives_ragged)))
    return true;
  // MPICH refuses equal addresses before it sends anything; Open MPI takes them as MPI_IN_PLACE, as hawser does.
  return !is_open_mpi && used.send && used.receive && c.send.address == c.receive.address && c.send.address != nullptr;
}

}  // namespace hawser::mpi_profile
