// The arguments of an MPI collective as a call of hawser's: everything that only moves data becomes bytes.
#include "served_call.hpp"

namespace hawser::mpi_profile {

namespace {

std::int64_t sum(const int* counts, int size) {
  std::int64_t total = 0;
  for (int r = 0; r < size; ++r) total += counts[r];
  return total;
}

}  // namespace

served_call::served_call(const arguments& asked, const known_communicator& known,
                         const std::optional<reduction>& reduced)
    : asked_(asked), rank_(known.rank), size_(known.size), members_(known.members) {
  made_.what = asked.what;
  made_.type = data_type::uint8;
  made_.element_bytes = 1;
  made_.root = hawser::rank(asked.root);
  made_.is_ragged = asked.is_ragged;
  if (schedule::reduces(asked.what))
    make_reduction(reduced.value());
  else if (asked.what == collective::all_gather)
    make_move();
  else if (asked.what == collective::all_to_all || asked.what == collective::all_to_all_v)
    make_exchange();
  else if (asked.what != collective::barrier)
    make_rooted();
}

/// Predefined types alone: no copies but for a reduce-scatter in place.
void served_call::make_reduction(const reduction& by) {
  made_.type = by.element;
  made_.element_bytes = by.element_bytes;
  made_.op = by.op;
  const bool is_scattered = asked_.what == collective::reduce_scatter;
  const bool is_in_place = asked_.send.is_in_place();
  std::int64_t own = asked_.receive.count;
  std::int64_t all = is_scattered ? own * size_ : own;
  if (made_.is_ragged) {
    own = asked_.receive.counts[rank_];
    all = sum(asked_.receive.counts, size_);
    made_.input_counts.assign(asked_.receive.counts, asked_.receive.counts + size_);
  }
  made_.input = is_in_place ? asked_.receive.address : asked_.send.address;
  made_.input_elements = all;
  made_.output = asked_.receive.writable();
  made_.output_elements = own;
  if (asked_.what == collective::reduce && rank_ != asked_.root) {
    made_.output = nullptr;
    made_.output_elements = 0;
  }
  if (is_scattered && is_in_place) {
    own_block_.resize(static_cast<std::size_t>(own) * by.element_bytes);
    made_.output = own_block_.data();
  }
}

void served_call::take_input(side& from, bool is_ragged) {
  made_.input = from.data();
  made_.input_elements = from.bytes();
  if (is_ragged) made_.input_counts = from.block_bytes();
}

void served_call::take_output(side& to, bool is_ragged) {
  made_.output = to.data();
  made_.output_elements = to.bytes();
  if (is_ragged) made_.output_counts = to.block_bytes();
}

void served_call::make_move() {
  output_ = side(asked_.receive, size_, asked_.is_ragged);
  stores_output_ = true;
  take_output(output_, asked_.is_ragged);
  if (asked_.send.is_in_place()) {
    loads_own_block_ = true;
    made_.input = output_.data() + output_.offset_of(rank_);
    made_.input_elements = output_.bytes_of(rank_);
    return;
  }
  input_ = side(asked_.send, 1, false);
  loads_input_ = true;
  take_input(input_, false);
}

void served_call::make_exchange() {
  const bool is_ragged = asked_.what == collective::all_to_all_v;
  made_.is_ragged = is_ragged;
  output_ = side(asked_.receive, size_, is_ragged);
  stores_output_ = true;
  take_output(output_, is_ragged);
  if (asked_.send.is_in_place()) {
    loads_output_ = true;
    return take_input(output_, is_ragged);
  }
  input_ = side(asked_.send, size_, is_ragged);
  loads_input_ = true;
  take_input(input_, is_ragged);
}

void served_call::make_rooted() {
  const bool is_root = rank_ == asked_.root;
  if (asked_.what == collective::broadcast) {
    output_ = side(asked_.receive, 1, false);
    loads_output_ = is_root;
    stores_output_ = !is_root;
    take_output(output_, false);
    return take_input(output_, false);
  }
  const bool gathers = asked_.what == collective::gather;
  if (!is_root) {
    if (gathers) {
      input_ = side(asked_.send, 1, false);
      loads_input_ = true;
      return take_input(input_, false);
    }
    output_ = side(asked_.receive, 1, false);
    stores_output_ = true;
    return take_output(output_, false);
  }
  if (gathers) return make_move();
  // The root of a scatter; in place its own block stays where it is.
  input_ = side(asked_.send, size_, asked_.is_ragged);
  loads_input_ = true;
  take_input(input_, asked_.is_ragged);
  if (asked_.receive.is_in_place()) {
    made_.output = input_.data() + input_.offset_of(rank_);
    made_.output_elements = input_.bytes_of(rank_);
    return;
  }
  output_ = side(asked_.receive, 1, false);
  stores_output_ = true;
  take_output(output_, false);
}

}  // namespace hawser::mpi_profile
