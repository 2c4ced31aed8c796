// See operators.hpp.
#include "operators.hpp"

#include <complex>
#include <functional>

#include <hawser/core/reducer.hpp>

namespace hawser::mpi_profile {

namespace {

template <class Value, class Index>
struct located {
  Value value;
  Index index;
};

/// MINLOC and MAXLOC: of equal values the lower index.
template <class Pair, class Before>
struct first_located {
  Pair operator()(const Pair& a, const Pair& b) const {
    if (Before{}(a.value, b.value)) return a;
    if (Before{}(b.value, a.value)) return b;
    return a.index <= b.index ? a : b;
  }
};

template <class T>
struct lesser {
  T operator()(const T& a, const T& b) const { return b < a ? b : a; }
};
template <class T>
struct greater {
  T operator()(const T& a, const T& b) const { return a < b ? b : a; }
};

template <class T, class Op>
std::optional<reduction> own(const char* name) {
  reduction made{data_type::user, sizeof(T), {}, false};
  made.op.kind = reduce_kind::user;
  made.op.function = make_reducer<T>(Op{});
  made.op.operand = data_type::user;
  made.op.name = name;
  return made;
}

template <class T>
std::optional<reduction> arithmetic(MPI_Op op) {
  if (op == MPI_SUM) return own<T, std::plus<T>>("sum");
  if (op == MPI_PROD) return own<T, std::multiplies<T>>("prod");
  return std::nullopt;
}

template <class T>
std::optional<reduction> ordered_arithmetic(MPI_Op op) {
  if (op == MPI_MIN) return own<T, lesser<T>>("min");
  if (op == MPI_MAX) return own<T, greater<T>>("max");
  return arithmetic<T>(op);
}

template <class Value, class Index>
std::optional<reduction> location(MPI_Op op) {
  using pair = located<Value, Index>;
  if (op == MPI_MINLOC) return own<pair, first_located<pair, std::less<Value>>>("minloc");
  if (op == MPI_MAXLOC) return own<pair, first_located<pair, std::greater<Value>>>("maxloc");
  return std::nullopt;
}

std::optional<reduction> shaped(MPI_Op op, std::uint8_t shape) {
  switch (shape) {
    case float_int: return location<float, int>(op);
    case double_int: return location<double, int>(op);
    case long_int: return location<long, int>(op);
    case short_int: return location<short, int>(op);
    case int_int: return location<int, int>(op);
    case long_double_int: return location<long double, int>(op);
    case float_float: return location<float, float>(op);
    case double_double: return location<double, double>(op);
    case complex_float: return arithmetic<std::complex<float>>(op);
    case complex_double: return arithmetic<std::complex<double>>(op);
    case complex_long_double: return arithmetic<std::complex<long double>>(op);
    default: return std::nullopt;
  }
}

/// The operators of hawser, each with the groups of types that MPI defines it on.
struct native_operator {
  MPI_Op handle;
  reduce_kind kind;
  unsigned groups;
};

constexpr unsigned in(type_group group) {
  return 1U << static_cast<unsigned>(group);
}

std::optional<reduce_kind> native_kind(MPI_Op op, type_group group) {
  constexpr unsigned integers = in(type_group::c_integer) | in(type_group::fortran_integer);
  constexpr unsigned numbers = integers | in(type_group::floating);
  constexpr unsigned truths = in(type_group::c_integer) | in(type_group::logical);
  constexpr unsigned bits = integers | in(type_group::byte);
  const native_operator known[] = {
      {MPI_SUM, reduce_kind::sum, numbers},         {MPI_MAX, reduce_kind::max, numbers},
      {MPI_MIN, reduce_kind::min, numbers},         {MPI_PROD, reduce_kind::prod, numbers},
      {MPI_LAND, reduce_kind::logical_and, truths}, {MPI_LOR, reduce_kind::logical_or, truths},
      {MPI_LXOR, reduce_kind::logical_xor, truths}, {MPI_BAND, reduce_kind::bit_and, bits},
      {MPI_BOR, reduce_kind::bit_or, bits},         {MPI_BXOR, reduce_kind::bit_xor, bits},
  };
  for (const native_operator& each : known)
    if (each.handle == op) return (each.groups & in(group)) != 0 ? std::optional(each.kind) : std::nullopt;
  return std::nullopt;
}

}  // namespace

std::optional<reduction> reduction_of(MPI_Op op, MPI_Datatype type) noexcept {
  const named_type* const known = find_named(type);
  if (known == nullptr || known->group == type_group::none) return std::nullopt;
  if (known->group == type_group::long_double) return ordered_arithmetic<long double>(op);
  if (known->layout != no_layout) {
    auto made = shaped(op, known->layout);
    // A library may lay out a pair otherwise than C does.
    if (made && static_cast<std::int64_t>(made->element_bytes) != known->extent) return std::nullopt;
    return made;
  }
  const auto kind = native_kind(op, known->group);
  if (!kind) return std::nullopt;
  return reduction{known->element, static_cast<std::size_t>(known->size), make_op(*kind), true};
}

}  // namespace hawser::mpi_profile
