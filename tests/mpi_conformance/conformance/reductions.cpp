// The reductions: every predefined operator on every type that it is defined on, and operators of the program's own.
#include <array>
#include <cstring>
#include <numeric>

#include "comparison.hpp"

namespace conformance {

namespace {

constexpr const char* names[] = {"Allreduce", "Reduce", "Reduce_scatter", "Reduce_scatter_block"};

/// A reduction of elements of `like`, no reduce-scatter in place.
void reduce(one_case made, const std::string& name, const shape& like, MPI_Op op, int most_items,
            const std::string& details) {
  const int n = made.on.size, self = made.on.rank;
  std::vector<int> blocks(static_cast<std::size_t>(n));
  for (int& each : blocks) each = std::max(0, any_below(made.numbers, most_items) - 1);
  if (name != "Reduce_scatter") std::fill(blocks.begin(), blocks.end(), blocks[0]);
  const bool scatters = name == "Reduce_scatter" || name == "Reduce_scatter_block";
  const int input = scatters ? std::accumulate(blocks.begin(), blocks.end(), 0) : blocks[0];
  const bool has_result = name != "Reduce" || made.is_root();
  const auto values = made.values(input * like.width());
  made.told.op = op;
  made.told.receive_counts = blocks.data();
  made.told.receive_count = blocks[0];
  made.told.receive_type = like.type();
  if (made.is_in_place && has_result) {
    made.receive.emplace(like, input);
    made.receive->write(values);
    made.told.send = MPI_IN_PLACE;
  } else {
    if (has_result) made.receive.emplace(like, scatters ? blocks[static_cast<std::size_t>(self)] : input);
    made.send.emplace(like, input);
    made.send->write(values);
  }
  made.compare(details + ", " + std::to_string(input) + " items");
}

/// In place, what lies behind a scattered result is undefined, and not compared.
void reduce_scatter_in_place(one_case made, const std::string& name, const shape& like, MPI_Op op, int most_items,
                             const std::string& details) {
  const int n = made.on.size;
  std::vector<int> blocks(static_cast<std::size_t>(n));
  for (int& each : blocks) each = std::max(0, any_below(made.numbers, most_items) - 1);
  if (name != "Reduce_scatter") std::fill(blocks.begin(), blocks.end(), blocks[0]);
  const int input = std::accumulate(blocks.begin(), blocks.end(), 0);
  const int own = blocks[static_cast<std::size_t>(made.on.rank)];
  region first(like, input);
  first.write(made.values(input * like.width()));
  region results[2] = {first, first};
  made.told.op = op;
  made.told.receive_counts = blocks.data();
  made.told.receive_count = blocks[0];
  made.told.receive_type = like.type();
  made.told.send = MPI_IN_PLACE;
  enter(name_of(made.how) + " MPI_" + name + " in place of " + made.of.name + " on " + made.on.name + details);
  int codes[2];
  for (int by = 0; by < 2; ++by) {
    made.told.receive = results[by].start();
    codes[by] = perform(made.what, static_cast<library>(by), made.how, made.told, made.own);
  }
  if (!check(class_of(codes[0]) == class_of(codes[1]), "the error classes differ") || codes[0] != MPI_SUCCESS) return;
  region parts[2] = {region(like, own), region(like, own)};
  for (int by = 0; by < 2; ++by) parts[by].write(results[by].read(0, own));
  std::string why = "the results differ:";
  check(are_same(parts[0], parts[1], made.of, made.use, n, why), why);
}

void run_one(members& on, const std::string& name, const base_type& of, purpose use, const shape& like, MPI_Op op,
             int most_items, form how, const std::string& details) {
  one_case made(on, name, of, use);
  made.how = how;
  if (made.is_in_place && name.starts_with("Reduce_scatter"))
    reduce_scatter_in_place(std::move(made), name, like, op, most_items, details);
  else
    reduce(std::move(made), name, like, op, most_items, details);
}

/// x -> factor x + shift modulo 2^32; to apply one after the other is associative and not commutative.
void compose(void* left, void* right, int* length, MPI_Datatype* type) {
  MPI_Aint lower = 0, extent = 0;
  MPI_Type_get_extent(*type, &lower, &extent);
  for (int i = 0; i < *length; ++i) {
    std::uint32_t first[2], second[2];
    std::memcpy(first, static_cast<char*>(left) + i * extent, sizeof first);
    auto* const at = static_cast<char*>(right) + i * extent;
    std::memcpy(second, at, sizeof second);
    const std::uint32_t both[2] = {first[0] * second[0], first[1] * second[0] + second[1]};
    std::memcpy(at, both, sizeof both);
  }
}

/// The bits of 32-bit integers, exclusively or'ed.
void exclusive(void* left, void* right, int* length, MPI_Datatype* type) {
  MPI_Aint lower = 0, extent = 0;
  int size = 0;
  MPI_Type_get_extent(*type, &lower, &extent);
  MPI_Type_size(*type, &size);
  for (int i = 0; i < *length; ++i)
    for (int b = 0; b < size; ++b)
      static_cast<char*>(right)[i * extent + b] =
          static_cast<char>(static_cast<char*>(right)[i * extent + b] ^ static_cast<char*>(left)[i * extent + b]);
}

/// MPICH 4.0's own reduce-scatters of types with gaps write beyond the memory that they work in (valgrind).
#ifdef MPICH_VERSION
constexpr bool has_gap_defect = true;
#else
constexpr bool has_gap_defect = false;
#endif

/// Two 32-bit integers, dense or with a gap behind them.
MPI_Datatype pair_type(bool has_gap) {
  MPI_Datatype dense = MPI_DATATYPE_NULL, made = MPI_DATATYPE_NULL;
  MPI_Type_contiguous(2, MPI_UINT32_T, &dense);
  if (!has_gap) {
    MPI_Type_commit(&dense);
    return dense;
  }
  MPI_Type_create_resized(dense, 0, 20, &made);
  MPI_Type_free(&dense);
  MPI_Type_commit(&made);
  return made;
}

base_type pair_base(MPI_Datatype type) {
  base_type made = base_type_of(MPI_UINT32_T);
  made.type = type;
  made.name = "two MPI_UINT32_T";
  made.size = 8;
  made.make = [](std::mt19937_64& numbers, purpose, std::byte* to) {
    const std::uint64_t value = numbers();
    std::memcpy(to, &value, sizeof value);
  };
  made.is_same = [](const std::byte* a, const std::byte* b, purpose, int) { return std::memcmp(a, b, 8) == 0; };
  return made;
}

}  // namespace

void run_reductions(members& on) {
  // Quick: of each type and operator one of the reductions, and on communicators other than the world one in eight.
  const int all_but_one_in = !chosen().is_quick ? 1 : on.name == "world" ? 4 : 32;
  auto agreed = random_numbers(on.stream, on.cases);
  for (const base_type& of : base_types()) {
    const shape like(of.type, layout::plain);
    for (const reduction& op : reductions()) {
      if (!is_defined(op, of.of)) continue;
      for (const char* name : names) {
        if (!is_wanted(chosen().collective, name)) continue;
        const bool is_left_out = any_below(agreed, all_but_one_in) != 0;
        const auto any_form = static_cast<form>(any_below(agreed, forms));
        if (chosen().is_quick && !is_left_out)
          run_one(on, name, of, op.use, like, op.op, 40, any_form, " by " + op.name);
        if (chosen().is_quick) continue;
        for (int how = 0; how < forms; ++how)
          run_one(on, name, of, op.use, like, op.op, how == 0 ? 2000 : 40, static_cast<form>(how), " by " + op.name);
      }
    }
  }
}

void run_user_operators(members& on) {
  MPI_Op ordered = MPI_OP_NULL, commuting = MPI_OP_NULL;
  MPI_Op_create(&compose, 0, &ordered);
  MPI_Op_create(&exclusive, 1, &commuting);
  for (const bool has_gap : {false, true}) {
    MPI_Datatype type = pair_type(has_gap);
    const base_type of = pair_base(type);
    const shape like(type, layout::plain);
    for (const char* name : names)
      for (int i = 0; i < (chosen().is_quick ? 2 : 3) * forms && is_wanted(chosen().collective, name); ++i) {
        if (has_gap && has_gap_defect && std::string(name).starts_with("Reduce_scatter")) continue;
        const auto how = static_cast<form>(i % forms);
        run_one(on, name, of, purpose::moved, like, ordered, 30, how, " by an ordered operator");
        run_one(on, name, of, purpose::moved, like, commuting, 30, how, " by a commutative operator");
        if (!has_gap)
          run_one(on, name, base_type_of(MPI_INT), purpose::bits, shape(MPI_INT, layout::plain), commuting, 30, how,
                  " by an operator of the program's");
      }
    MPI_Type_free(&type);
  }
  MPI_Op_free(&ordered);
  MPI_Op_free(&commuting);
}

}  // namespace conformance
