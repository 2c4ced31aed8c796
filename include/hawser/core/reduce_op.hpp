// The operators of reductions as values, and which of them are legal on which element types (docs/types.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <hawser/core/data_type.hpp>
#include <hawser/core/error.hpp>
#include <hawser/core/reducer.hpp>

namespace hawser {

/// The operators; docs/types.md says which are defined on which types.
enum class reduce_kind : std::uint8_t {
  sum,
  prod,
  min,
  max,
  avg,         ///< sum, then divided by the number of ranks; integers truncate toward zero
  premul_sum,  ///< sum of each rank's elements times its own factor
  bit_and,
  bit_or,
  bit_xor,
  logical_and,
  logical_or,
  logical_xor,
  user,
};

namespace detail {

/// In the order of `reduce_kind`.
inline constexpr std::array<std::string_view, 13> reduce_kind_names{
    "sum",    "prod",    "min",         "max",        "avg",         "premul_sum", "bit_and",
    "bit_or", "bit_xor", "logical_and", "logical_or", "logical_xor", "user"};

}  // namespace detail

/// How many operators there are besides `user`; they are numbered 0 .. builtin_reduce_kinds - 1.
inline constexpr std::size_t builtin_reduce_kinds = static_cast<std::size_t>(reduce_kind::user);

/// "sum" and the like, as the command line and JSON have it.
constexpr std::string_view to_string(reduce_kind kind) noexcept {
  return detail::reduce_kind_names[static_cast<std::size_t>(kind)];
}

/// Reads a name as `to_string` writes it, `user` excepted. Throws errc::parse with the list of names.
inline reduce_kind parse_reduce_kind(std::string_view text) {
  std::string names;
  for (std::size_t i = 0; i < builtin_reduce_kinds; ++i) {
    const std::string_view name = detail::reduce_kind_names[i];
    if (name == text) return static_cast<reduce_kind>(i);
    names.append(names.empty() ? "" : ", ").append(name);
  }
  fail(errc::parse, "unknown operator \"" + std::string(text) + "\"", {}, "choose one of " + names);
}

/// An operator as the caller passes it to a collective. Make one with `op::`, `premultiplied_sum` or `user_op`.
struct reduce_op {
  reduce_kind kind = reduce_kind::sum;
  /// Of user operators: operands may be exchanged. All operators must be associative (up to rounding).
  bool is_commutative = true;
  /// Of premul_sum: what this rank's elements are multiplied with before they are added. Ranks may differ.
  double factor = 1;
  /// Of user operators: the operation, and the type of element it is for.
  reducer function{};
  data_type operand = data_type::user;
  /// Of user operators: what messages and plans call it. Must outlive the operator; a literal does.
  std::string_view name = "sum";
};

namespace op {

inline constexpr reduce_op sum{.kind = reduce_kind::sum, .name = "sum"};
inline constexpr reduce_op prod{.kind = reduce_kind::prod, .name = "prod"};
inline constexpr reduce_op min{.kind = reduce_kind::min, .name = "min"};
inline constexpr reduce_op max{.kind = reduce_kind::max, .name = "max"};
inline constexpr reduce_op avg{.kind = reduce_kind::avg, .name = "avg"};
inline constexpr reduce_op bit_and{.kind = reduce_kind::bit_and, .name = "bit_and"};
inline constexpr reduce_op bit_or{.kind = reduce_kind::bit_or, .name = "bit_or"};
inline constexpr reduce_op bit_xor{.kind = reduce_kind::bit_xor, .name = "bit_xor"};
inline constexpr reduce_op logical_and{.kind = reduce_kind::logical_and, .name = "logical_and"};
inline constexpr reduce_op logical_or{.kind = reduce_kind::logical_or, .name = "logical_or"};
inline constexpr reduce_op logical_xor{.kind = reduce_kind::logical_xor, .name = "logical_xor"};

}  // namespace op

/// The operator of a kind, `user` and `premul_sum` included without function and with factor 1.
constexpr reduce_op make_op(reduce_kind kind) noexcept {
  return {.kind = kind, .name = to_string(kind)};
}

/// The sum of every rank's elements, each rank's multiplied with the factor that this rank passes.
constexpr reduce_op premultiplied_sum(double factor) noexcept {
  return {.kind = reduce_kind::premul_sum, .factor = factor, .name = to_string(reduce_kind::premul_sum)};
}

/// Whether a user's operator may meet its operands in any order.
enum class commutativity : bool { ordered, commutative };

/// The user's operator on T: a function `T(const T&, const T&)` or a callable without state, which must be associative.
/// A `commutativity::ordered` one always meets its operands in rank order, lower ranks on the left.
template <element T, binary_operator_on<T> Op>
requires(std::is_convertible_v<const Op&, T (*)(const T&, const T&)> || detail::stateless<Op>) reduce_op
    user_op(const Op& callable, commutativity order, std::string_view name = "user") {
  return {.kind = reduce_kind::user,
          .is_commutative = order == commutativity::commutative,
          .function = make_reducer<T>(callable),
          .operand = data_type_of_v<T>,
          .name = name};
}

/// Why the operator is not defined on the type, or nothing where it is legal.
constexpr std::optional<std::string_view> legality(data_type type, reduce_kind kind) noexcept {
  if (kind == reduce_kind::user) return std::nullopt;
  if (type == data_type::user) return "a user-defined type has only user-defined operators";
  if (kind >= reduce_kind::bit_and && kind <= reduce_kind::bit_xor && !is_integer(type))
    return "bitwise operators are defined on integers only";
  if (kind >= reduce_kind::logical_and && kind <= reduce_kind::logical_xor && !is_integer(type))
    return "logical operators are defined on integers only";
  if (kind == reduce_kind::premul_sum && !is_floating(type))
    return "the factor of a premultiplied sum is not an integer";
  return std::nullopt;
}

/// The same for an operator as passed: a user's operator must also have a function, made for this type and size.
/// `element_bytes` is the size of one element in bytes.
constexpr std::optional<std::string_view> legality(data_type type, std::size_t element_bytes,
                                                   const reduce_op& operation) noexcept {
  if (operation.kind != reduce_kind::user) return legality(type, operation.kind);
  if (operation.function.function == nullptr) return "the user-defined operator has no function";
  if (operation.operand != type || operation.function.element_bytes != element_bytes)
    return "the user-defined operator was made for another type";
  return std::nullopt;
}

/// The type in which partial results of a reduction are kept by default: float32 for the 8-bit floats, which never
/// accumulate in themselves, otherwise the type itself.
constexpr data_type accumulation_type(data_type type) noexcept {
  return is_float8(type) ? data_type::float32 : type;
}

/// Whether partial results of `data` may be kept in `accumulation`: the type itself, the 8-bit floats excepted; float32
/// for the floats of 8 and 16 bits; float64 for float32.
constexpr bool is_legal_accumulation(data_type data, data_type accumulation) noexcept {
  if (data == accumulation) return !is_float8(data);
  if (accumulation == data_type::float32) return is_floating(data) && size_of(data) < size_of(data_type::float32);
  return accumulation == data_type::float64 && data == data_type::float32;
}

}  // namespace hawser
