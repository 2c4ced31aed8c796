// Collectives that move blocks of equal size, of every type, with shapes that differ between ranks and sides.
#include <array>

#include "comparison.hpp"

namespace conformance {

namespace {

/// Elements of a block, the same on all ranks: often none, mostly few, such that three fit evenly or not at all.
struct block {
  int elements;
  int width;  ///< 1: plain shapes only

  explicit block(one_case& of) {
    static constexpr std::array<int, 6> sizes = {0, 1, 2, 5, 40, 700};
    width = any_below(of.numbers, 3) == 0 ? 1 : elements_per_item;
    elements = sizes[static_cast<std::size_t>(any_below(of.numbers, chosen().is_quick ? 5 : 6))] * width;
  }
};

std::string described(const block& size, const shape& from, const shape& to) {
  return ", " + std::to_string(size.elements) + " elements, " + name_of(from.how()) + " to " + name_of(to.how());
}

/// The side of a case with `blocks` blocks, in this rank's shape.
region blocks_of(const shape& like, const block& size, int blocks) {
  return region(like, blocks * size.elements / like.width());
}

void set_send(one_case& made, const shape& like, const block& size) {
  made.told.send_count = size.elements / like.width();
  made.told.send_type = like.type();
}
void set_receive(one_case& made, const shape& like, const block& size) {
  made.told.receive_count = size.elements / like.width();
  made.told.receive_type = like.type();
}

void broadcast(one_case made) {
  const block size(made);
  const shape like = made.any_shape(size.width);
  made.receive = blocks_of(like, size, 1);
  if (made.is_root()) made.receive->write(made.values(size.elements));
  set_receive(made, like, size);
  made.is_in_place = false;
  made.compare(described(size, like, like));
}

/// Gather and Allgather: `has_result` on this rank.
void gather(one_case made, bool has_result) {
  const block size(made);
  const shape from = made.any_shape(size.width), to = made.any_shape(size.width);
  const bool is_in_place = made.is_in_place && has_result;
  const auto values = made.values(size.elements);
  set_send(made, from, size);
  set_receive(made, to, size);
  if (has_result)
    made.receive = blocks_of(to, size, made.on.size);
  else
    make_insignificant(made.told.receive, made.told.receive_count, made.told.receive_type);
  if (is_in_place) {
    made.receive->write(values, made.on.rank * made.told.receive_count);
    make_insignificant(made.told.send, made.told.send_count, made.told.send_type);
    made.told.send = MPI_IN_PLACE;
  } else {
    made.send = blocks_of(from, size, 1);
    made.send->write(values);
  }
  made.compare(described(size, from, to));
}

void scatter(one_case made) {
  const block size(made);
  const shape from = made.any_shape(size.width), to = made.any_shape(size.width);
  set_send(made, from, size);
  set_receive(made, to, size);
  if (made.is_root()) {
    made.send = blocks_of(from, size, made.on.size);
    made.send->write(made.values(size.elements * made.on.size));
  } else {
    make_insignificant(made.told.send, made.told.send_count, made.told.send_type);
  }
  if (made.is_root() && made.is_in_place) {
    make_insignificant(made.told.receive, made.told.receive_count, made.told.receive_type);
    made.told.receive = MPI_IN_PLACE;
  } else {
    made.receive = blocks_of(to, size, 1);
  }
  made.compare(described(size, from, to));
}

void exchange(one_case made) {
  const block size(made);
  const shape from = made.any_shape(size.width), to = made.any_shape(size.width);
  const auto values = made.values(size.elements * made.on.size);
  set_send(made, from, size);
  set_receive(made, to, size);
  made.receive = blocks_of(to, size, made.on.size);
  if (made.is_in_place) {
    made.receive->write(values);
    make_insignificant(made.told.send, made.told.send_count, made.told.send_type);
    made.told.send = MPI_IN_PLACE;
  } else {
    made.send = blocks_of(from, size, made.on.size);
    made.send->write(values);
  }
  made.compare(described(size, from, to));
}

void run_one(members& on, const std::string& name, const base_type& of) {
  one_case made(on, name, of, purpose::moved);
  const bool has_result = name == "Allgather" || made.is_root();
  if (name == "Bcast") return broadcast(std::move(made));
  if (name == "Scatter") return scatter(std::move(made));
  if (name == "Alltoall") return exchange(std::move(made));
  gather(std::move(made), has_result);
}

}  // namespace

void run_moves(members& on) {
  const int repeats = chosen().is_quick ? 1 : 6;
  for (const base_type& of : base_types())
    for (const char* name : {"Bcast", "Gather", "Scatter", "Allgather", "Alltoall"})
      for (int i = 0; i < repeats && is_wanted(chosen().collective, name); ++i) run_one(on, name, of);
  // Every root, in each form.
  for (const char* name : {"Bcast", "Gather", "Scatter"})
    for (int i = 0; i < on.size * forms && is_wanted(chosen().collective, name); ++i) {
      one_case made(on, name, base_type_of(MPI_INT), purpose::moved);
      made.told.root = made.root = i % on.size;
      made.how = static_cast<form>(i / on.size);
      const bool is_root = made.is_root();
      if (std::string(name) == "Bcast")
        broadcast(std::move(made));
      else if (std::string(name) == "Scatter")
        scatter(std::move(made));
      else
        gather(std::move(made), is_root);
    }
  for (int i = 0; i < forms && is_wanted(chosen().collective, "Barrier"); ++i) {
    one_case made(on, "Barrier", base_type_of(MPI_INT), purpose::moved);
    made.how = static_cast<form>(i);
    made.compare("");
  }
}

}  // namespace conformance
