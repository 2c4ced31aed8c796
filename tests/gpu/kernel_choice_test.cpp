// What a group launches: by size, by mode, and by what the switch can do.
#include "cuda/kernel_choice.hpp"

#include <gtest/gtest.h>

#include "table.hpp"

namespace {

using namespace hawser;
using namespace hawser::cuda;
using kernels::find_kernel, kernels::moving, kernels::multicasting, kernels::reducing;

constexpr std::uint64_t large = 64 << 20;

choice_facts facts(bool has_multicast, synchronisation mode = synchronisation::device_flags) {
  return {policy_for(90), mode, has_multicast};
}

TEST(kernel_choice, goes_by_size) {
  const auto kernel = [](std::uint64_t bytes, const choice_facts& from) {
    return choose_all_reduce(from, bytes, data_type::float32, reduce_kind::sum).kernel;
  };
  const auto of = [](reducing what) { return find_kernel(what, data_type::float32, reduce_kind::sum); };
  EXPECT_EQ(kernel(1024, facts(false)), of(reducing::low_latency));
  EXPECT_EQ(kernel(1024, facts(false, synchronisation::host_phased)), of(reducing::one_shot));
  EXPECT_EQ(kernel(128 << 10, facts(true)), of(reducing::one_shot));
  EXPECT_EQ(kernel(large, facts(false)), of(reducing::two_shot));
  EXPECT_EQ(kernel(large, facts(true)), find_kernel(multicasting::all_reduce, data_type::float32, reduce_kind::sum));
}

TEST(kernel_choice, without_a_kernel_of_the_switch_it_is_the_two_shot) {
  for (const reduce_kind kind : {reduce_kind::sum, reduce_kind::max})
    for (const data_type type : {data_type::float64, data_type::int32, data_type::float32, data_type::bfloat16}) {
      const void* const by_switch = find_kernel(multicasting::all_reduce, type, kind);
      const kernel_choice chosen = choose_all_reduce(facts(true), large, type, kind);
      EXPECT_NE(chosen.kernel, nullptr);
      EXPECT_EQ(chosen.phases, 3);
      EXPECT_EQ(chosen.kernel, by_switch != nullptr ? by_switch : find_kernel(reducing::two_shot, type, kind));
      EXPECT_EQ(choose_all_reduce(facts(false), large, type, kind).kernel, find_kernel(reducing::two_shot, type, kind));
    }
  EXPECT_EQ(choose_reduce_scatter(facts(true), data_type::float64, reduce_kind::sum).kernel,
            find_kernel(reducing::reduce_scatter, data_type::float64, reduce_kind::sum));
  EXPECT_EQ(choose_reduce_scatter(facts(true), data_type::float16, reduce_kind::min).kernel,
            find_kernel(multicasting::reduce_scatter, data_type::float16, reduce_kind::min));
  EXPECT_EQ(choose_all_reduce(facts(true), large, data_type::float32, reduce_kind::user).kernel, nullptr);
}

TEST(kernel_choice, bytes_move_by_the_switch_where_there_is_one) {
  const auto by_switch = [](multicasting what) { return find_kernel(what, data_type::uint8, reduce_kind::sum); };
  EXPECT_EQ(choose_all_gather(facts(true)).kernel, by_switch(multicasting::all_gather));
  EXPECT_EQ(choose_broadcast(facts(true)).kernel, by_switch(multicasting::broadcast));
  EXPECT_EQ(choose_all_gather(facts(false)).kernel, find_kernel(moving::all_gather));
  EXPECT_EQ(choose_broadcast(facts(false)).kernel, find_kernel(moving::broadcast));
}

}  // namespace
