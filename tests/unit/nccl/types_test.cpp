// Every type and operator of hawser is in NCCL's table or has a reason why not.
#include <gtest/gtest.h>

#include <hawser/nccl/types.hpp>

#include "nccl/native_types.hpp"
#include "support/fake_nccl_collectives.hpp"

namespace hawser::test {
namespace {

nccl::capabilities of_version(int version) {
  nccl::capabilities can;
  can.version = version;
  can.has_float8 = version >= 22400;
  return can;
}

TEST(nccl_types, every_pair_is_there_or_has_a_reason) {
  int native = 0, refused = 0;
  for (std::size_t t = 0; t <= builtin_data_types; ++t)
    for (std::size_t k = 0; k <= builtin_reduce_kinds; ++k) {
      const auto type = static_cast<data_type>(t);
      const auto kind = static_cast<reduce_kind>(k);
      SCOPED_TRACE(std::string(to_string(type)) + " " + std::string(to_string(kind)));
      const auto why = nccl::why_not_native(of_version(22809), type, kind);
      // Written down from nccl.h: 12 types; sum, prod, max, min, avg, and a premultiplied sum of floats.
      const bool is_there = type != data_type::user && type != data_type::int16 && type != data_type::uint16 &&
                            (kind <= reduce_kind::avg || (kind == reduce_kind::premul_sum && is_floating(type)));
      EXPECT_EQ(!why.has_value(), is_there);
      if (why) {
        EXPECT_FALSE(why->empty());
      }
      if (is_there) {
        const auto number = nccl::native_type(type);
        ASSERT_TRUE(number.has_value());
        EXPECT_EQ(type_of(*number), type);  // the fake's own table
        EXPECT_EQ(nccl::native_operator(kind).has_value(), kind != reduce_kind::premul_sum);
      }
      ++(is_there ? native : refused);
    }
  EXPECT_EQ(native, 12 * 5 + 6);
  EXPECT_EQ(refused, 15 * 13 - native);
}

TEST(nccl_types, eight_bit_floats_are_there_from_2_24_on) {
  for (const data_type type : {data_type::float8_e4m3, data_type::float8_e5m2}) {
    EXPECT_EQ(nccl::why_not_native(of_version(22304), type, reduce_kind::sum), "NCCL has 8-bit floats from 2.24 on");
    EXPECT_FALSE(nccl::why_not_native(of_version(22400), type, reduce_kind::sum));
  }
}

TEST(nccl_types, tell_where_results_differ) {
  for (const reduce_kind kind :
       {reduce_kind::sum, reduce_kind::prod, reduce_kind::min, reduce_kind::max, reduce_kind::avg})
    EXPECT_FALSE(nccl::how_native_differs(data_type::int32, kind));
  EXPECT_FALSE(nccl::how_native_differs(data_type::float32, reduce_kind::sum));
  EXPECT_FALSE(nccl::how_native_differs(data_type::float16, reduce_kind::prod));
  EXPECT_TRUE(nccl::how_native_differs(data_type::float32, reduce_kind::max));
  EXPECT_TRUE(nccl::how_native_differs(data_type::float64, reduce_kind::avg));
  EXPECT_TRUE(nccl::how_native_differs(data_type::bfloat16, reduce_kind::premul_sum));
  EXPECT_FALSE(nccl::how_native_differs(data_type::float32, reduce_kind::premul_sum));
  EXPECT_TRUE(nccl::how_native_differs(data_type::float8_e4m3, reduce_kind::sum));
}

TEST(nccl_types, factors_become_elements) {
  for (const data_type type : {data_type::float16, data_type::bfloat16, data_type::float32, data_type::float64,
                               data_type::float8_e4m3, data_type::float8_e5m2})
    EXPECT_EQ(factor_of(nccl::as_element(0.375, type).data(), type), 0.375) << to_string(type);
}

}  // namespace
}  // namespace hawser::test
