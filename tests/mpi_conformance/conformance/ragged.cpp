// Collectives whose blocks differ in size and lie apart and out of order: Gatherv, Scatterv, Allgatherv, Alltoallv.
#include <algorithm>
#include <numeric>

#include "comparison.hpp"

namespace conformance {

namespace {

/// Open MPI 4.1's own MPI_Ialltoallv loses count of its tags where a rank has nothing to do: later calls hang.
#ifdef OPEN_MPI
constexpr bool has_empty_rank_defect = true;
#else
constexpr bool has_empty_rank_defect = false;
#endif

/// How one side's blocks lie: counts and places in items of its shape.
struct side {
  shape like;
  std::vector<int> counts, places;
  int items = 0;

  /// Blocks of `elements`, in an order of their own and with gaps.
  side(shape of, const std::vector<int>& elements, std::mt19937_64& own)
      : like(std::move(of)), counts(elements.size()), places(elements.size()) {
    std::vector<std::size_t> order(elements.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), own);
    for (const std::size_t each : order) {
      items += any_below(own, 3);
      counts[each] = elements[each] / like.width();
      places[each] = items;
      items += counts[each];
    }
  }
};

/// Sizes that all ranks know, a third of them 0.
std::vector<int> any_sizes(one_case& made, int width) {
  std::vector<int> elements(static_cast<std::size_t>(made.on.size));
  for (int& each : elements) each = std::max(0, any_below(made.numbers, 12) - 4) * width;
  return elements;
}

void write_blocks(one_case& made, region& into, const side& of, const std::vector<int>& elements) {
  for (std::size_t r = 0; r < elements.size(); ++r) into.write(made.values(elements[r]), of.places[r]);
}

void set_counts(arguments& told, const side& of, bool is_send) {
  (is_send ? told.send_counts : told.receive_counts) = of.counts.data();
  (is_send ? told.send_places : told.receive_places) = of.places.data();
  (is_send ? told.send_type : told.receive_type) = of.like.type();
}

/// Gatherv and Allgatherv.
void gather(one_case made, bool is_everywhere) {
#ifdef MPICH_VERSION
  if (is_everywhere && made.on.size == 1) return;  // MPICH 4.0's own Allgatherv of one rank forgets the displacement
#endif
  const int width = any_below(made.numbers, 2) == 0 ? 1 : elements_per_item;
  const auto elements = any_sizes(made, width);
  const auto self = static_cast<std::size_t>(made.on.rank);
  const shape from = made.any_shape(width);
  // The places of Allgatherv are agreed on by no rule, so that each rank has its own.
  const side to(made.any_shape(width), elements, made.own);
  const bool has_result = is_everywhere || made.is_root();
  const auto values = made.values(elements[self]);
  if (has_result) {
    made.receive.emplace(to.like, to.items);
    set_counts(made.told, to, false);
  }
  if (made.is_in_place && has_result) {
    made.receive->write(values, to.places[self]);
    make_insignificant(made.told.send, made.told.send_count, made.told.send_type);
    made.told.send = MPI_IN_PLACE;
  } else {
    made.send.emplace(from, elements[self] / from.width());
    made.send->write(values);
    made.told.send_count = elements[self] / from.width();
    made.told.send_type = from.type();
  }
  made.compare(", " + name_of(from.how()) + " to " + name_of(to.like.how()));
}

void scatter(one_case made) {
  const int width = any_below(made.numbers, 2) == 0 ? 1 : elements_per_item;
  const auto elements = any_sizes(made, width);
  const auto self = static_cast<std::size_t>(made.on.rank);
  const shape to = made.any_shape(width);
  const side from(made.any_shape(width), elements, made.own);
  if (made.is_root()) {
    made.send.emplace(from.like, from.items);
    write_blocks(made, *made.send, from, elements);
    set_counts(made.told, from, true);
  }
  if (made.is_root() && made.is_in_place) {
    make_insignificant(made.told.receive, made.told.receive_count, made.told.receive_type);
    made.told.receive = MPI_IN_PLACE;
  } else {
    made.receive.emplace(to, elements[self] / to.width());
    made.told.receive_count = elements[self] / to.width();
    made.told.receive_type = to.type();
  }
  made.compare(", " + name_of(from.like.how()) + " to " + name_of(to.how()));
}

void exchange(one_case made) {
  const int width = any_below(made.numbers, 2) == 0 ? 1 : elements_per_item, n = made.on.size, self = made.on.rank;
  const auto salt = made.numbers();
  const auto between = [&](int from, int to) {  // in place, as many there as back
    const int a = made.is_in_place ? std::min(from, to) : from, b = made.is_in_place ? std::max(from, to) : to;
    auto sizes = random_numbers(salt, static_cast<std::uint64_t>(a * n + b));
    const int items = std::max(0, any_below(sizes, 9) - 3);
    return (has_empty_rank_defect && made.how != form::blocking && items == 0 ? 1 : items) * width;
  };
  std::vector<int> sent, received;
  for (int r = 0; r < n; ++r) {
    sent.push_back(between(self, r));
    received.push_back(between(r, self));
  }
  const side from(made.any_shape(width), sent, made.own), to(made.any_shape(width), received, made.own);
  made.receive.emplace(to.like, to.items);
  set_counts(made.told, to, false);
  if (made.is_in_place) {
    write_blocks(made, *made.receive, to, received);
    made.told.send = MPI_IN_PLACE;
  } else {
    made.send.emplace(from.like, from.items);
    write_blocks(made, *made.send, from, sent);
    set_counts(made.told, from, true);
  }
  made.compare(", " + name_of(from.like.how()) + " to " + name_of(to.like.how()));
}

}  // namespace

void run_ragged(members& on) {
  const int repeats = chosen().is_quick ? 1 : 6;
  for (const base_type& of : base_types())
    for (const std::string name : {"Gatherv", "Scatterv", "Allgatherv", "Alltoallv"})
      for (int i = 0; i < repeats && is_wanted(chosen().collective, name); ++i) {
        one_case made(on, name, of, purpose::moved);
        if (name == "Scatterv")
          scatter(std::move(made));
        else if (name == "Alltoallv")
          exchange(std::move(made));
        else
          gather(std::move(made), name == "Allgatherv");
      }
}

}  // namespace conformance
