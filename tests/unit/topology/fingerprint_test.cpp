// Tests the fingerprint: fixed values, equal for equal hierarchies, different after any single change.
#include <hawser/topology/fingerprint.hpp>

#include <set>

#include <hawser/topology/synthetic.hpp>

#include "topology/support.hpp"

namespace hawser::topology {
namespace {

// Values of an independent computation: FNV-1a over the documented words, then the mixer of splitmix64. They must
// never change within version 1 of the serialisation, on any platform.
TEST(fingerprint, fixed_values) {
  EXPECT_EQ(fingerprint_text(parse_synthetic("gpu:7")), "c8396d805be26618");
  EXPECT_EQ(fingerprint_text(parse_synthetic("rack:[8,8,5]@50GB/s,5us")), "1361448ce1d8ec84");
}

TEST(fingerprint, equal_hierarchies) {
  EXPECT_EQ(fingerprint(parse_synthetic("rack:[8,8,5]")), fingerprint(parse_synthetic("rack:3 gpu:[8,8,5]")));
  EXPECT_EQ(fingerprint(parse_synthetic("rack:[8,8]")), fingerprint(parse_synthetic("rack:2 gpu:8")));
  EXPECT_EQ(fingerprint(parse_synthetic("gpu:8")), fingerprint(parse_synthetic("gpu:8@450GB/s,1us")));  // provenance
}

TEST(fingerprint, any_change_changes_it) {
  const std::vector<level> levels = parse_synthetic("pod:2 rack:[2,3] gpu:4").levels();
  std::vector<rank> order;
  for (std::int32_t r = 0; r < 20; ++r) order.emplace_back(r);
  const auto changed = [&](auto change) {
    std::vector<level> other = levels;
    change(other);
    return fingerprint(hierarchy(other));
  };
  std::vector<std::uint64_t> all{fingerprint(hierarchy(levels))};
  for (std::size_t d = 0; d < levels.size(); ++d) {
    all.push_back(changed([&](auto& l) { l[d].name += "x"; }));
    all.push_back(changed([&](auto& l) { l[d].up.rate.bytes_per_second *= 1 + 1e-15; }));
    all.push_back(changed([&](auto& l) { l[d].up.latency *= 2; }));
    all.push_back(changed([&](auto& l) { l[d].reduces_in_network = true; }));
  }
  all.push_back(changed([](auto& l) { l[1].units = child_counts::listed({3, 2}); }));
  all.push_back(changed([](auto& l) { l[2].units = child_counts::uniform(5, 3); }));
  all.push_back(changed([](auto& l) { l[2].units = child_counts::listed({4, 4, 4, 5, 3}); }));
  for (std::size_t p = 0; p + 1 < order.size(); ++p) {
    std::vector<rank> swapped = order;
    std::swap(swapped[p], swapped[p + 1]);
    all.push_back(fingerprint(hierarchy(levels, swapped)));
  }
  EXPECT_EQ(std::set<std::uint64_t>(all.begin(), all.end()).size(), all.size());
}

TEST(fingerprint, many_small_hierarchies_do_not_collide) {
  std::set<std::uint64_t> seen;
  for (int racks = 1; racks <= 64; ++racks)
    for (int gpus = 1; gpus <= 72; ++gpus)
      seen.insert(fingerprint(parse_synthetic("rack:" + std::to_string(racks) + " gpu:" + std::to_string(gpus))));
  EXPECT_EQ(seen.size(), 64u * 72u);
}

}  // namespace
}  // namespace hawser::topology
