// Modes canonical and order_invariant through the public interface, over every transport between threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <mutex>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include <support/threads_over.hpp>

namespace hawser {
namespace {

using schedule::collective;
using schedule::mode;

/// Values whose sum rounds differently in most orders: magnitudes over 24 binary orders, both signs.
template <class T>
std::vector<T> contribution(std::uint64_t seed, int number, std::size_t count) {
  std::mt19937_64 random(seed * 1000 + static_cast<std::uint64_t>(number));
  std::vector<T> values(count);
  for (T& each : values)
    each = static_cast<T>(std::ldexp(std::uniform_real_distribution<float>(-1, 1)(random), random() % 12));
  return values;
}

template <class T>
std::string bits_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

/// Results by what they must agree for, and by how each was found.
struct results {
  std::mutex mutex;
  std::map<std::string, std::map<std::string, std::string>> seen;

  void add(const std::string& key, const std::string& how, std::string bits) {
    const std::lock_guard lock(mutex);
    seen[key][how] = std::move(bits);
  }
  void expect_equal() const {
    for (const auto& [key, found] : seen)
      for (const auto& [how, bits] : found)
        EXPECT_EQ(bits == found.begin()->second, true) << key << ": " << how << " and " << found.begin()->first;
  }
  std::size_t different(const std::string& key) const {
    std::set<std::string> distinct;
    for (const auto& [how, bits] : seen.at(key)) distinct.insert(bits);
    return distinct.size();
  }
};

struct machine {
  const char* topology;
  int ranks;
};

constexpr std::size_t prefix = 7;  // elements that calls of all sizes have

/// Every algorithm that a mode admits on a machine; results are kept by number of ranks, since the same ranks with the
/// same data must get the same bits whatever the machine, the size, the segments and the transport.
template <class T>
void run_all(results& found, const std::string& transport, const machine& on, mode how, std::uint64_t seed) {
  communicator_options options;
  options.topology = on.topology;
  test::run_threads_over(transport, on.ranks, options, [&](communicator& members) {
    const int self = members.rank().value, n = members.size();
    for (const std::size_t count : {prefix, std::size_t{257}})
      for (const collective what : {collective::all_reduce, collective::reduce_scatter, collective::reduce}) {
        schedule::request asked{.what = what, .count = static_cast<std::int64_t>(count), .type = data_type_of_v<T>};
        asked.element_bytes = sizeof(T);
        asked.root = n / 2;
        asked.reproducibility = how;
        const std::vector<T> whole = contribution<T>(seed, self, count * static_cast<std::size_t>(n));
        for (const schedule::candidate& each : members.plan_for(asked).candidates) {
          if (!each.is_possible()) continue;
          for (const std::int64_t segments : {1, 3}) {
            call_options wishes;
            wishes.algorithm = each.algorithm;
            wishes.reproducibility = how;
            wishes.segments = segments;
            const std::string by = std::string(to_string(what)) + " " + each.algorithm + " on " + on.topology +
                                   " over " + transport + ", " + std::to_string(count) + " elements in " +
                                   std::to_string(segments);
            std::vector<T> input(whole), output(count);
            if (what != collective::reduce_scatter) input.resize(count);
            if (what == collective::all_reduce) members.all_reduce(input, output, op::sum, wishes);
            if (what == collective::reduce) members.reduce(input, output, asked.root, op::sum, wishes);
            if (what == collective::reduce_scatter) members.reduce_scatter(input, output, op::sum, wishes);
            if (what == collective::reduce && self != asked.root.value) continue;
            // An all-reduce and a reduce of the same data agree; a reduce-scatter only with itself and by block.
            const bool is_scatter = what == collective::reduce_scatter;
            const std::string key =
                std::to_string(n) + " ranks" +
                (is_scatter ? ", block " + std::to_string(self) + " of " + std::to_string(count) : std::string());
            output.resize(is_scatter ? count : prefix);
            found.add(key, by + ", rank " + std::to_string(self), bits_of(output));
          }
        }
      }
  });
}

template <class T>
class modes : public testing::Test {};
using float_types = testing::Types<float, bfloat16>;
TYPED_TEST_SUITE(modes, float_types);

constexpr machine machines[] = {{"gpu:8", 8},        {"rack:2 gpu:4", 8}, {"rack:4 gpu:2", 8},
                                {"rack:[5,3]", 8},   {"gpu:6", 6},        {"rack:2 gpu:3", 6},
                                {"rack:3 gpu:2", 6}, {"rack:[4,2]", 6},   {"rack:[2,2,1]", 5}};

TYPED_TEST(modes, canonical_sums_have_the_same_bits_by_every_plan) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  results found;
  for (const std::string& transport : test::thread_transports())
    for (const machine& each : machines)
      if (transport == "in_process" || each.ranks != 8)  // over all transports for the smaller ones
        run_all<TypeParam>(found, transport, each, mode::canonical, seed);
  found.expect_equal();
  EXPECT_GT(found.seen.at("8 ranks").size(), 100u) << "algorithms, machines, sizes and segments were tried";
}

TYPED_TEST(modes, the_data_can_tell_associations_apart) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  results found;
  run_all<TypeParam>(found, "in_process", {"rack:2 gpu:3", 6}, mode::fast, seed);
  EXPECT_GT(found.different("6 ranks"), 2u) << "the test of canonical sums would see nothing";
}

TEST(canonical, refuses_what_associates_otherwise_and_admits_all_where_nothing_rounds) {
  run_in_process(6, {}, [](communicator& members) {
    call_options wishes;
    wishes.algorithm = "ring";
    wishes.reproducibility = mode::canonical;
    std::vector<float> data(12, 1);
    try {
      members.all_reduce(data, op::sum, wishes);
      ADD_FAILURE() << "ring was admitted";
    } catch (const error& refused) {
      EXPECT_EQ(refused.code(), errc::unsupported);
      EXPECT_NE(std::string(refused.what()).find("does not preserve the canonical order"), std::string::npos)
          << refused.what();
    }
    std::vector<int> integers(12, members.rank().value);
    members.all_reduce(integers, op::sum, wishes);
    EXPECT_EQ(integers, std::vector<int>(12, 15));
    members.all_reduce(data, op::max, wishes);
    EXPECT_EQ(data, std::vector<float>(12, 1));
  });
}

TEST(canonical, an_option_of_the_communicator_holds_for_its_calls_and_its_parts) {
  communicator_options options;
  options.reproducibility = mode::canonical;
  run_in_process(6, options, [](communicator& members) {
    call_options wishes;
    wishes.algorithm = "ring";
    std::vector<float> data(12, 1);
    EXPECT_THROW(members.all_reduce(data, op::sum, wishes), error);
    const auto half = members.split(members.rank().value % 2, 0);
    EXPECT_THROW(half->all_reduce(data, op::sum, wishes), error);
    half->all_reduce(data);
    EXPECT_EQ(data, std::vector<float>(12, 3));
  });
}

}  // namespace
}  // namespace hawser
