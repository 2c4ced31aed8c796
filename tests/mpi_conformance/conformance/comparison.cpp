// See comparison.hpp.
#include "comparison.hpp"

namespace conformance {

one_case::one_case(members& on_these, const std::string& name, const base_type& type, purpose purpose_of_values)
    : on(on_these),
      what(collective_of(name)),
      of(type),
      use(purpose_of_values),
      numbers(random_numbers(on.stream, ++on.cases)),
      own(random_numbers(on.stream + (static_cast<std::uint64_t>(on.rank + 1) << 32), on.cases)),
      how(static_cast<form>(any_below(numbers, forms))),
      root(any_below(numbers, on.size)),
      is_in_place(any_below(numbers, 3) == 0) {
  told.root = root;
  told.comm = on.comm;
}

shape one_case::any_shape(int width) {
  return shape(of.type, width == 1 ? layout::plain : static_cast<layout>(any_below(own, layouts)));
}

void one_case::compare(const std::string& details) {
  enter(name_of(how) + " MPI_" + what.name + " of " + of.name + " on " + on.name + " (rank " + std::to_string(on.rank) +
        " of " + std::to_string(on.size) + ", case " + std::to_string(on.cases) + "), root " + std::to_string(root) +
        (is_in_place ? ", in place" : "") + details);
  std::optional<region> results[2] = {receive, receive}, sources[2] = {send, send};
  int codes[2];
  for (int by = 0; by < 2; ++by) {
    if (results[by]) told.receive = results[by]->start();
    if (sources[by]) told.send = sources[by]->start();
    codes[by] = perform(what, static_cast<library>(by), how, told, own);
  }
  if (!check(class_of(codes[0]) == class_of(codes[1]),
             "the error classes differ: \"" + error_text(codes[0]) + "\" and \"" + error_text(codes[1]) + "\"") ||
      codes[0] != MPI_SUCCESS)
    return;
  std::string why = "the results differ:";
  if (receive) check(are_same(*results[0], *results[1], of, use, on.size, why), why);
  if (send) check(sources[1]->bytes() == send->bytes(), "the send buffer was changed");
}

void make_insignificant(void*& buffer, int& count, MPI_Datatype& type) {
  buffer = nullptr;
  count = -7;
  type = MPI_DATATYPE_NULL;
}

void make_insignificant(const void*& buffer, int& count, MPI_Datatype& type) {
  buffer = nullptr;
  count = -7;
  type = MPI_DATATYPE_NULL;
}

}  // namespace conformance
