// Buffers given as MPI_BOTTOM and a type with absolute addresses.
#include "comparison.hpp"

namespace conformance {

namespace {

/// The elements of a region as a type at absolute addresses; freed with this object.
class absolute {
 public:
  explicit absolute(region& of, MPI_Datatype element) {
    MPI_Aint address = 0;
    MPI_Get_address(of.start(), &address);
    const int count = of.items();
    PMPI_Type_create_hindexed(1, &count, &address, element, &type_);
    PMPI_Type_commit(&type_);
  }
  absolute(const absolute&) = delete;
  absolute& operator=(const absolute&) = delete;
  ~absolute() { PMPI_Type_free(&type_); }

  MPI_Datatype type() const noexcept { return type_; }

 private:
  MPI_Datatype type_ = MPI_DATATYPE_NULL;
};

void run_one(members& on, const std::string& name) {
  constexpr int elements = 6;
#ifdef MPICH_VERSION
  if (name == "Allgather" && on.size == 1) return;  // MPICH 4.0 fails an assertion of its own
#endif
  one_case made(on, name, base_type_of(MPI_INT), purpose::moved);
  const shape like(MPI_INT, layout::plain);
  const bool is_bcast = name == "Bcast", is_scatter = name == "Scatter";
  const auto values = made.values(elements * (is_scatter ? on.size : 1));
  region results[2] = {region(like, is_bcast || is_scatter ? elements : elements * on.size),
                       region(like, is_bcast || is_scatter ? elements : elements * on.size)};
  region source(like, elements * (is_scatter ? on.size : 1));
  source.write(values);
  enter(name_of(made.how) + " MPI_" + name + " with MPI_BOTTOM on " + on.name);
  for (int by = 0; by < 2; ++by) {
    if (is_bcast && made.is_root()) results[by].write(values);
    const absolute into(results[by], MPI_INT), from(source, MPI_INT);
    arguments told = made.told;
    told.receive = is_bcast || is_scatter ? MPI_BOTTOM : results[by].start();
    told.receive_count = is_bcast || is_scatter ? 1 : elements;
    told.receive_type = is_bcast || is_scatter ? into.type() : MPI_INT;
    told.send = is_scatter ? source.start() : MPI_BOTTOM;
    told.send_count = is_scatter ? elements : 1;
    told.send_type = is_scatter ? MPI_INT : from.type();
    const int code = perform(made.what, static_cast<library>(by), made.how, told, made.own);
    check(code == MPI_SUCCESS, error_text(code));
  }
  std::string why = "the results differ:";
  check(are_same(results[0], results[1], made.of, made.use, 1, why), why);
}

}  // namespace

void run_bottom(members& on) {
  for (const std::string name : {"Bcast", "Scatter", "Gather", "Allgather"})
    for (int i = 0; i < forms && is_wanted(chosen().collective, name); ++i) run_one(on, name);
}

}  // namespace conformance
