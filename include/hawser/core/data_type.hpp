// The element types of the library: their names, sizes, and how a C++ type maps to them.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include <hawser/core/bfloat16.hpp>
#include <hawser/core/error.hpp>
#include <hawser/core/float16.hpp>
#include <hawser/core/float8.hpp>

namespace hawser {

/// Types of elements. `user`: the caller's own, of any size.
enum class data_type : std::uint8_t {
  int8,
  uint8,
  int16,
  uint16,
  int32,
  uint32,
  int64,
  uint64,
  float16,
  bfloat16,
  float32,
  float64,
  float8_e4m3,
  float8_e5m2,
  user,  ///< a trivially copyable type of the caller; its size comes from the C++ type
};

namespace detail {

struct data_type_facts {
  std::string_view name;
  std::uint8_t bytes;
};

/// In the order of `data_type`.
inline constexpr std::array<data_type_facts, 15> data_types{{
    {"int8", 1},
    {"uint8", 1},
    {"int16", 2},
    {"uint16", 2},
    {"int32", 4},
    {"uint32", 4},
    {"int64", 8},
    {"uint64", 8},
    {"float16", 2},
    {"bfloat16", 2},
    {"float32", 4},
    {"float64", 8},
    {"float8_e4m3", 1},
    {"float8_e5m2", 1},
    {"user", 0},
}};

}  // namespace detail

/// How many data types there are besides `user`; they are numbered 0 .. builtin_data_types - 1.
inline constexpr std::size_t builtin_data_types = static_cast<std::size_t>(data_type::user);

/// Size of one element in bytes; 0 for `user`, whose size only its C++ type knows.
constexpr std::size_t size_of(data_type type) noexcept {
  return detail::data_types[static_cast<std::size_t>(type)].bytes;
}

/// "float32" and the like, as the command line and JSON have it.
constexpr std::string_view to_string(data_type type) noexcept {
  return detail::data_types[static_cast<std::size_t>(type)].name;
}

/// Signed or unsigned, of any width.
constexpr bool is_integer(data_type type) noexcept {
  return type <= data_type::uint64;
}
/// Of any width, fp8 included.
constexpr bool is_floating(data_type type) noexcept {
  return type >= data_type::float16 && type < data_type::user;
}
/// The types that never accumulate in themselves (docs/types.md).
constexpr bool is_float8(data_type type) noexcept {
  return type == data_type::float8_e4m3 || type == data_type::float8_e5m2;
}

/// Reads a name as `to_string` writes it, `user` excepted. Throws errc::parse with the list of names.
inline data_type parse_data_type(std::string_view text) {
  std::string names;
  for (std::size_t i = 0; i < builtin_data_types; ++i) {
    const std::string_view name = detail::data_types[i].name;
    if (name == text) return static_cast<data_type>(i);
    names.append(names.empty() ? "" : ", ").append(name);
  }
  fail(errc::parse, "unknown data type \"" + std::string(text) + "\"", {}, "choose one of " + names);
}

/// Maps a C++ type to its data type. To use a type of your own, trivially copyable, with user-defined operators:
/// `template <> struct hawser::data_type_of<my_type> : hawser::user_element {};`
template <class T>
struct data_type_of {};

/// The base of `data_type_of` for the user's own types.
struct user_element {
  static constexpr data_type value = data_type::user;
};

namespace detail {

/// bool is left out: a sum of truth values is not a truth value.
template <class T>
concept mapped_integer = std::integral<T> && !std::same_as<T, bool> && sizeof(T) <= 8;

template <mapped_integer T>
constexpr data_type integer_type() {
  constexpr auto signed_type = sizeof(T) == 1   ? data_type::int8
                               : sizeof(T) == 2 ? data_type::int16
                               : sizeof(T) == 4 ? data_type::int32
                                                : data_type::int64;
  return static_cast<data_type>(static_cast<int>(signed_type) + (std::is_unsigned_v<T> ? 1 : 0));
}

template <data_type Value>
struct data_type_constant {
  static constexpr data_type value = Value;
};

}  // namespace detail

/// Every integer type by its size and sign: `long`, `long long`, `char` and the other character types too.
template <detail::mapped_integer T>
struct data_type_of<T> : detail::data_type_constant<detail::integer_type<T>()> {};
template <>
struct data_type_of<std::byte> : detail::data_type_constant<data_type::uint8> {};
template <>
struct data_type_of<float16> : detail::data_type_constant<data_type::float16> {};
template <>
struct data_type_of<bfloat16> : detail::data_type_constant<data_type::bfloat16> {};
template <>
struct data_type_of<float> : detail::data_type_constant<data_type::float32> {};
template <>
struct data_type_of<double> : detail::data_type_constant<data_type::float64> {};
template <>
struct data_type_of<float8_e4m3> : detail::data_type_constant<data_type::float8_e4m3> {};
template <>
struct data_type_of<float8_e5m2> : detail::data_type_constant<data_type::float8_e5m2> {};

/// A type that collectives can move and reduce: trivially copyable, and `data_type_of` knows it. Not cv-qualified.
template <class T>
concept element = std::is_trivially_copyable_v<T> && std::same_as<T, std::remove_cv_t<T>> && requires {
  { data_type_of<T>::value } -> std::convertible_to<data_type>;
};

template <element T>
inline constexpr data_type data_type_of_v = data_type_of<T>::value;

}  // namespace hawser
