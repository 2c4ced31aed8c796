// Names, sizes and classes of the data types, and the mapping of C++ types.
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include <gtest/gtest.h>

#include <hawser/core/data_type.hpp>

struct point {
  double x, y, z;
};
struct unknown {
  int value;
};
struct owner {
  std::string value;
};

template <>
struct hawser::data_type_of<point> : hawser::user_element {};
template <>
struct hawser::data_type_of<owner> : hawser::user_element {};

namespace {

using hawser::data_type;
using hawser::data_type_of_v;
using hawser::element;

static_assert(data_type_of_v<std::int8_t> == data_type::int8 && data_type_of_v<std::uint8_t> == data_type::uint8);
static_assert(data_type_of_v<std::int16_t> == data_type::int16 && data_type_of_v<std::uint16_t> == data_type::uint16);
static_assert(data_type_of_v<std::int32_t> == data_type::int32 && data_type_of_v<std::uint32_t> == data_type::uint32);
static_assert(data_type_of_v<std::int64_t> == data_type::int64 && data_type_of_v<std::uint64_t> == data_type::uint64);
static_assert(data_type_of_v<long long> == data_type::int64 && data_type_of_v<unsigned long long> == data_type::uint64);
static_assert(data_type_of_v<long> == (sizeof(long) == 8 ? data_type::int64 : data_type::int32));
static_assert(data_type_of_v<char> == (std::is_signed_v<char> ? data_type::int8 : data_type::uint8));
static_assert(data_type_of_v<char8_t> == data_type::uint8 && data_type_of_v<char32_t> == data_type::uint32);
static_assert(data_type_of_v<std::byte> == data_type::uint8);
static_assert(data_type_of_v<float> == data_type::float32 && data_type_of_v<double> == data_type::float64);
static_assert(data_type_of_v<hawser::float16> == data_type::float16);
static_assert(data_type_of_v<hawser::bfloat16> == data_type::bfloat16);
static_assert(data_type_of_v<hawser::float8_e4m3> == data_type::float8_e4m3);
static_assert(data_type_of_v<hawser::float8_e5m2> == data_type::float8_e5m2);
static_assert(data_type_of_v<point> == data_type::user);

static_assert(!element<bool> && !element<long double> && !element<unknown> && !element<int*> && !element<const int>);
static_assert(!element<owner>, "a type that is not trivially copyable is no element, whatever its trait says");

data_type type_at(std::size_t i) {
  return static_cast<data_type>(i);
}

TEST(data_type, sizes_are_those_of_the_cpp_types) {
  EXPECT_EQ(size_of(data_type_of_v<char>), sizeof(char));
  EXPECT_EQ(size_of(data_type::int16), sizeof(std::int16_t));
  EXPECT_EQ(size_of(data_type::uint32), sizeof(std::uint32_t));
  EXPECT_EQ(size_of(data_type::int64), sizeof(std::int64_t));
  EXPECT_EQ(size_of(data_type::float16), sizeof(hawser::float16));
  EXPECT_EQ(size_of(data_type::bfloat16), sizeof(hawser::bfloat16));
  EXPECT_EQ(size_of(data_type::float32), sizeof(float));
  EXPECT_EQ(size_of(data_type::float64), sizeof(double));
  EXPECT_EQ(size_of(data_type::float8_e4m3), sizeof(hawser::float8_e4m3));
  EXPECT_EQ(size_of(data_type::float8_e5m2), sizeof(hawser::float8_e5m2));
  EXPECT_EQ(size_of(data_type::user), 0u);
}

TEST(data_type, every_builtin_type_is_an_integer_or_a_float) {
  for (std::size_t i = 0; i < hawser::builtin_data_types; ++i) {
    const bool has_integer_name = to_string(type_at(i)).find("int") != std::string_view::npos;
    EXPECT_EQ(is_integer(type_at(i)), has_integer_name) << to_string(type_at(i));
    EXPECT_EQ(is_floating(type_at(i)), !has_integer_name) << to_string(type_at(i));
  }
  EXPECT_FALSE(is_integer(data_type::user) || is_floating(data_type::user));
}

TEST(data_type, names_are_read_back) {
  for (std::size_t i = 0; i < hawser::builtin_data_types; ++i)
    EXPECT_EQ(hawser::parse_data_type(to_string(type_at(i))), type_at(i));
  EXPECT_EQ(to_string(data_type::bfloat16), "bfloat16");
  EXPECT_EQ(to_string(data_type::user), "user");
}

TEST(data_type, an_unknown_name_is_refused_with_the_list_of_names) {
  for (const std::string text : {"floot32", "", "user", "float", "float32 ", "FLOAT32"}) {
    try {
      hawser::parse_data_type(text);
      ADD_FAILURE() << "accepted \"" << text << "\"";
    } catch (const hawser::error& e) {
      EXPECT_EQ(e.code(), hawser::errc::parse);
      const std::string message = e.what();
      EXPECT_NE(message.find("\"" + text + "\""), std::string::npos) << message;
      for (std::size_t i = 0; i < hawser::builtin_data_types; ++i)
        EXPECT_NE(message.find(to_string(type_at(i))), std::string::npos) << message;
      EXPECT_EQ(message.find("user,"), std::string::npos) << message;
    }
  }
}

}  // namespace
