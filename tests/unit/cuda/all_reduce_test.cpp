// All-reduce and reduce-scatter of the device core on host threads: one-shot, two-shot, low latency; flags and host
// phases.
#include <hawser/cuda/device/all_reduce.hpp>
#include <hawser/cuda/device/low_latency.hpp>

#include "unit/cuda/numbers.hpp"

namespace device_testing {
namespace {

enum class algorithm { one_shot, two_shot, low_latency, reduce_scatter };
enum class memory { staged, mapped };

constexpr algorithm algorithms[] = {algorithm::one_shot, algorithm::two_shot, algorithm::low_latency,
                                    algorithm::reduce_scatter};

template <class T, class Op, class Epilogue>
void run(algorithm which, const host_block& block, const reduce_call& call, const Op& op, const Epilogue& finish) {
  switch (which) {
    case algorithm::one_shot: return one_shot_all_reduce<T>(block, call, op, finish);
    case algorithm::two_shot: return two_shot_all_reduce<T>(block, call, op, finish);
    case algorithm::low_latency: return low_latency_all_reduce<T>(block, call, op, finish);
    case algorithm::reduce_scatter: return push_reduce_scatter<T>(block, call, op, finish);
  }
}

/// Inputs, outputs and calls of all ranks.
template <class T, reduce_kind Kind>
class job {
 public:
  job(host_group& group, algorithm which, std::size_t count, std::size_t offset, std::mt19937_64& random)
      : group_(group), which_(which), count_(count) {
    const auto k = static_cast<std::size_t>(group.size());
    for (int r = 0; r < group.size(); ++r) {
      inputs_.push_back(elements_for<T>(Kind, random, which == algorithm::reduce_scatter ? count * k : count));
      in_.push_back(std::make_unique<device_buffer<T>>(inputs_.back(), offset));
      out_.push_back(std::make_unique<device_buffer<T>>(count, offset));
      calls_.push_back({.input = in_.back()->data(), .output = out_.back()->data(), .count = count});
    }
  }

  /// Inputs and outputs that the peers have mapped.
  void map() {
    for (reduce_call& each : calls_) {
      each.inputs.is_mapped = each.outputs.is_mapped = true;
      for (std::size_t r = 0; r < in_.size(); ++r) {
        each.inputs.of[r] = in_[r]->data();
        each.outputs.of[r] = out_[r]->data();
      }
    }
  }
  void into_input() {
    for (std::size_t r = 0; r < in_.size(); ++r) calls_[r].output = in_[r]->data();
    in_.swap(out_);  // what is checked
    for (std::size_t r = 0; r < in_.size(); ++r)
      for (std::size_t p = 0; p < in_.size(); ++p) calls_[r].outputs.of[p] = out_[p]->data();
  }
  std::vector<reduce_call>& calls() { return calls_; }

  template <class Epilogue = identity>
  void launch(const Epilogue& finish = {}) {
    for (int r = 0; r < group_.size(); ++r) calls_[static_cast<std::size_t>(r)].view = group_.view(r);
    group_.launch([&](const host_block& block, int r) {
      run<T>(which_, block, calls_[static_cast<std::size_t>(r)], operator_of<Kind>{}, finish);
    });
  }
  /// Phase by phase, as the host keeps them apart: all threads end between two.
  void launch_phased(std::uint32_t sequence) {
    for (std::int32_t phase = 0; phase < 3; ++phase) {
      for (reduce_call& each : calls_) each.phases = {phase, sequence};
      launch();
    }
  }

  void check(double scale = 1) const {
    std::vector<T> values(inputs_.size());
    for (std::size_t r = 0; r < inputs_.size(); ++r) {
      ASSERT_TRUE(out_[r]->has_intact_guards());
      const std::size_t first = which_ == algorithm::reduce_scatter ? r * count_ : 0;
      for (std::size_t i = 0; i < count_; ++i) {
        for (std::size_t j = 0; j < values.size(); ++j) values[j] = inputs_[j][first + i];
        ASSERT_TRUE(is_reduction(Kind, values, (*out_[r])[i], scale))
            << to_string(hawser::data_type_of_v<T>) << " " << to_string(Kind) << " by algorithm "
            << static_cast<int>(which_) << ", rank " << r << " of " << values.size() << ", element " << i << " of "
            << count_;
      }
    }
  }
  /// All ranks have the same bits.
  void check_equal() const {
    for (std::size_t r = 1; r < out_.size(); ++r)
      ASSERT_EQ(std::memcmp(out_[0]->data(), out_[r]->data(), count_ * sizeof(T)), 0) << "rank " << r;
  }
  T result(std::size_t rank, std::size_t i) const { return (*out_[rank])[i]; }

 private:
  host_group& group_;
  algorithm which_;
  std::size_t count_;
  std::vector<std::vector<T>> inputs_;
  std::vector<std::unique_ptr<device_buffer<T>>> in_, out_;
  std::vector<reduce_call> calls_;
};

template <class T, reduce_kind Kind>
void check_staged_and_phased(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (const int ranks : {1, 2, 3, 5}) {
    host_group group(ranks);
    std::uint32_t sequence = 1000;
    for (const algorithm which : algorithms) {
      for (const std::size_t count : {std::size_t{1}, std::size_t{37}, std::size_t{509}}) {
        job<T, Kind> flags(group, which, count, count % 2 == 0 ? 0 : sizeof(T), random);
        flags.launch();
        ASSERT_NO_FATAL_FAILURE(flags.check());
        if (which != algorithm::reduce_scatter) {
          ASSERT_NO_FATAL_FAILURE(flags.check_equal());
        }
        if (which == algorithm::low_latency) continue;
        job<T, Kind> phased(group, which, count, 0, random);
        phased.launch_phased(++sequence);
        ASSERT_NO_FATAL_FAILURE(phased.check());
      }
    }
  }
}

template <class T>
class every_type : public ::testing::Test {};
using types = ::testing::Types<std::int8_t, std::uint16_t, std::int32_t, std::uint64_t, hawser::float16,
                               hawser::bfloat16, float, double, hawser::float8_e4m3, hawser::float8_e5m2>;
TYPED_TEST_SUITE(every_type, types);

TYPED_TEST(every_type, sums_through_staging_by_flags_and_by_host_phases) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("HAWSER_TEST_SEED=" + std::to_string(seed));
  check_staged_and_phased<TypeParam, reduce_kind::sum>(seed);
}

TEST(operators, maximum_and_exclusive_or) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("HAWSER_TEST_SEED=" + std::to_string(seed));
  check_staged_and_phased<hawser::bfloat16, reduce_kind::max>(seed);
  check_staged_and_phased<std::uint8_t, reduce_kind::bit_xor>(seed);
}

TEST(mapped_buffers, are_read_and_written_in_place) {
  std::mt19937_64 random(7);
  for (const int ranks : {1, 2, 4}) {
    host_group group(ranks);
    for (const algorithm which : {algorithm::one_shot, algorithm::two_shot}) {
      for (const std::size_t count : {std::size_t{5}, std::size_t{1031}}) {
        job<float, reduce_kind::sum> mapped(group, which, count, 0, random);
        mapped.map();
        mapped.launch();
        ASSERT_NO_FATAL_FAILURE(mapped.check());
      }
    }
    job<float, reduce_kind::sum> in_place(group, algorithm::two_shot, 777, 4, random);
    in_place.map();
    in_place.into_input();
    in_place.launch();
    ASSERT_NO_FATAL_FAILURE(in_place.check());
  }
}

TEST(in_place, through_staging) {
  std::mt19937_64 random(8);
  host_group group(3);
  for (const algorithm which : {algorithm::one_shot, algorithm::two_shot, algorithm::low_latency}) {
    job<std::int32_t, reduce_kind::sum> call(group, which, 333, 0, random);
    call.into_input();
    call.launch();
    ASSERT_NO_FATAL_FAILURE(call.check());
  }
}

TEST(whole_tiles, more_elements_than_the_grid_takes_in_one_step) {
  std::mt19937_64 random(9);
  host_group group(2, {2, 2}, {.low_latency_bytes = 64 << 10, .staging_bytes = 1 << 18});
  for (const algorithm which : algorithms) {
    job<float, reduce_kind::sum> aligned(group, which, 4099, 0, random), skewed(group, which, 4099, 1, random);
    aligned.launch();
    ASSERT_NO_FATAL_FAILURE(aligned.check());
    skewed.launch();  // a byte off: not even elements are aligned
    ASSERT_NO_FATAL_FAILURE(skewed.check());
  }
}

TEST(ragged_alignment, of_one_rank_only) {
  std::mt19937_64 random(10);
  host_group group(3);
  for (const algorithm which : algorithms) {
    job<hawser::float16, reduce_kind::sum> call(group, which, 1501, 0, random);
    device_buffer<hawser::float16> odd(std::vector<hawser::float16>(4600), 2);
    std::memcpy(odd.data(), call.calls()[1].input, (which == algorithm::reduce_scatter ? 4503U : 1501U) * 2);
    call.calls()[1].input = odd.data();
    call.launch();
    ASSERT_NO_FATAL_FAILURE(call.check());
  }
}

TEST(scaling, of_averages_and_premultiplied_sums) {
  std::mt19937_64 random(11);
  host_group group(4);
  for (const algorithm which : algorithms) {
    job<float, reduce_kind::sum> average(group, which, 401, 0, random);
    average.launch(scaled<float>{scaling::divide, 4});
    ASSERT_NO_FATAL_FAILURE(average.check(0.25));
    job<hawser::bfloat16, reduce_kind::sum> multiplied(group, which, 401, 0, random);
    for (reduce_call& each : multiplied.calls()) each.factor = 0.5;  // exact, so that only the sum rounds
    multiplied.launch();
    ASSERT_NO_FATAL_FAILURE(multiplied.check(0.5));
  }
}

TEST(scaling, of_integers_truncates_toward_zero_after_the_sum_has_wrapped) {
  EXPECT_EQ((scaled<std::uint8_t>{scaling::divide, 2}(300, 0)), 22U);  // 300 wraps to 44
  EXPECT_EQ(static_cast<std::int8_t>(scaled<std::int8_t>{scaling::divide_signed, 2}(-3, 0)), -1);
  EXPECT_EQ(static_cast<std::int8_t>(scaled<std::uint8_t>{scaling::divide_signed, 2}(0xfd, 0)), -1);
  EXPECT_EQ(static_cast<std::int64_t>(scaled<std::uint64_t>{scaling::divide_signed, 3}(std::uint64_t(-7), 0)), -2);
  EXPECT_EQ((scaled<std::uint32_t>{scaling::divide, 3}(0xffffffffU, 0)), 0x55555555U);
}

/// A bias per element, as a user's functor.
struct add_bias {
  const float* bias;
  HAWSER_DEVICE float operator()(float value, std::size_t i) const { return value + bias[i]; }
};
static_assert(epilogue<add_bias, float> && epilogue<add_bias, hawser::bfloat16> && !epilogue<int, float>);

TEST(user_epilogue, adds_a_bias) {
  std::mt19937_64 random(12);
  host_group group(2);
  std::vector<float> bias(97);
  for (std::size_t i = 0; i < bias.size(); ++i) bias[i] = static_cast<float>(i) * 1000;
  for (const algorithm which : algorithms) {
    job<float, reduce_kind::sum> plain(group, which, bias.size(), 0, random);
    plain.launch();
    std::vector<float> sums(bias.size());
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = plain.result(1, i);
    plain.launch(add_bias{bias.data()});
    for (std::size_t i = 0; i < sums.size(); ++i) ASSERT_EQ(plain.result(1, i), sums[i] + bias[i]) << i;
  }
}

}  // namespace
}  // namespace device_testing
