// The multicast variants of all-reduce and reduce-scatter, with a multicast that loads every rank's window.
#include <hawser/cuda/device/multimem.hpp>

#include "unit/cuda/numbers.hpp"

namespace device_testing {
namespace {

template <class T, reduce_kind Kind>
void check(int ranks, std::size_t count, std::size_t offset, bool scatters, std::mt19937_64& random) {
  using op = operator_of<Kind>;
  host_group group(ranks);
  const auto k = static_cast<std::size_t>(ranks);
  std::vector<std::vector<T>> inputs;
  std::vector<std::unique_ptr<device_buffer<T>>> in, out;
  for (std::size_t r = 0; r < k; ++r) {
    inputs.push_back(elements_for<T>(Kind, random, scatters ? count * k : count));
    in.push_back(std::make_unique<device_buffer<T>>(inputs.back(), offset));
    out.push_back(std::make_unique<device_buffer<T>>(count, offset));
  }
  group.launch([&](const host_block& block, int r) {
    const auto i = static_cast<std::size_t>(r);
    const reduce_call call{.view = group.view(r), .input = in[i]->data(), .output = out[i]->data(), .count = count};
    const emulated_multicast<host_block> memory{block, call.view};
    if (scatters)
      multimem_reduce_scatter<T>(block, call, memory, op{}, identity{});
    else
      multimem_all_reduce<T>(block, call, memory, op{}, identity{});
  });
  std::vector<T> values(k);
  for (std::size_t r = 0; r < k; ++r) {
    ASSERT_TRUE(out[r]->has_intact_guards());
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < k; ++j) values[j] = inputs[j][(scatters ? r * count : 0) + i];
      ASSERT_TRUE(is_reduction(Kind, values, (*out[r])[i]))
          << ranks << " ranks, rank " << r << ", " << i << " of " << count;
    }
  }
}

template <class T>
class multicast_types : public ::testing::Test {};
using types = ::testing::Types<float, hawser::float16, hawser::bfloat16>;  // what multimem.ld_reduce adds on sm_90
TYPED_TEST_SUITE(multicast_types, types);

TYPED_TEST(multicast_types, all_reduce_and_reduce_scatter) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("HAWSER_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (const bool scatters : {false, true})
    for (const int ranks : {1, 2, 4})
      for (const std::size_t count : {1, 8, 99, 1500})
        for (const std::size_t offset : {std::size_t{0}, sizeof(TypeParam)}) {
          ASSERT_NO_FATAL_FAILURE((check<TypeParam, reduce_kind::sum>(ranks, count, offset, scatters, random)));
          ASSERT_NO_FATAL_FAILURE((check<TypeParam, reduce_kind::max>(ranks, count, offset, scatters, random)));
        }
}

TEST(index_of_an_epilogue, is_the_output_s) {
  struct index_only {
    HAWSER_DEVICE float operator()(float, std::size_t i) const { return static_cast<float>(i); }
  };
  host_group group(3);
  std::vector<float> zeros(500), out(500, -1);
  group.launch([&](const host_block& block, int r) {
    std::vector<float> unused(500);
    const reduce_call call{.view = group.view(r),
                           .input = reinterpret_cast<const std::byte*>(zeros.data()),
                           .output = reinterpret_cast<std::byte*>(r == 2 ? out.data() : unused.data()),
                           .count = 500};
    multimem_all_reduce<float>(block, call, emulated_multicast<host_block>{block, call.view}, add{}, index_only{});
  });
  for (std::size_t i = 0; i < out.size(); ++i) ASSERT_EQ(out[i], static_cast<float>(i));
}

}  // namespace
}  // namespace device_testing
