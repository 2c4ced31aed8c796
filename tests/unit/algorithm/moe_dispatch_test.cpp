// The routes of mixture-of-experts tokens, for all ranks of a machine at once: every rank with an expert of a token
// gets it once, every other rack is entered once, and relays share the load.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include <hawser/algorithm/moe_dispatch.hpp>
#include <hawser/topology/synthetic.hpp>

namespace hawser::algorithm {
namespace {

using token = std::pair<std::int32_t, std::int64_t>;  // source rank and its row

/// `top_k` experts per row, some of them none, an expert possibly twice.
std::vector<std::int32_t> random_experts(std::int64_t rows, std::int64_t top_k, std::int64_t experts,
                                         std::mt19937& random) {
  std::vector<std::int32_t> list(static_cast<std::size_t>(rows * top_k));
  for (std::int32_t& each : list)
    each = std::uniform_int_distribution<std::int32_t>(-1, static_cast<std::int32_t>(experts) - 1)(random);
  return list;
}

std::vector<std::int32_t> row_of(const std::vector<std::int32_t>& experts, std::int64_t top_k, std::int64_t row) {
  const auto first = experts.begin() + row * top_k;
  return {first, first + top_k};
}

struct journey {
  std::map<std::pair<token, std::int64_t>, int> entered;    // rack: times that a token came in from another
  std::map<std::pair<token, std::int32_t>, int> delivered;  // rank: times
};

template <class F>
void each_routed(const row_routes& routes, F&& f) {
  std::size_t next = 0;
  for (std::size_t target = 0; target < routes.counts.size(); ++target)
    for (std::int64_t i = 0; i < routes.counts[target]; ++i) f(static_cast<std::int64_t>(target), routes.rows[next++]);
  EXPECT_EQ(next, routes.rows.size());
}

journey travel(const topology::hierarchy& tree, const moe_dispatch& routes,
               const std::vector<std::vector<std::int32_t>>& experts, std::int64_t top_k) {
  journey seen;
  std::vector<std::vector<token>> held(experts.size());
  for (std::int32_t source = 0; source < tree.size(); ++source)
    each_routed(routes.to_relays(source, experts[static_cast<std::size_t>(source)], top_k), [&](auto to, auto row) {
      held[static_cast<std::size_t>(to)].push_back({source, row});
      const std::int64_t rack = routes.racks().rack_of(static_cast<std::int32_t>(to));
      if (rack != routes.racks().rack_of(source)) ++seen.entered[{{source, row}, rack}];
    });
  for (std::int32_t at = 0; at < tree.size(); ++at) {
    const auto& rows = held[static_cast<std::size_t>(at)];
    std::vector<std::int32_t> known;
    for (const auto& [source, row] : rows)
      for (std::int32_t each : row_of(experts[static_cast<std::size_t>(source)], top_k, row)) known.push_back(each);
    const std::int64_t first = tree.position_of(at) - routes.racks().member_of(at);
    each_routed(routes.to_members(routes.racks().rack_of(at), known, top_k), [&](auto member, auto row) {
      ++seen.delivered[{rows[static_cast<std::size_t>(row)], tree.rank_at(first + member).value}];
    });
  }
  return seen;
}

void check(const topology::hierarchy& tree, std::int64_t experts_per_rank, std::int64_t top_k, std::mt19937& random) {
  const moe_dispatch routes(tree, experts_per_rank);
  std::vector<std::vector<std::int32_t>> experts;
  journey wanted;
  for (std::int32_t source = 0; source < tree.size(); ++source) {
    experts.push_back(random_experts(source % 4 * 3, top_k, routes.experts(), random));
    for (std::int64_t row = 0; row < source % 4 * 3; ++row)
      for (std::int32_t expert : row_of(experts.back(), top_k, row)) {
        if (expert < 0) continue;
        const auto owner = static_cast<std::int32_t>(expert / experts_per_rank);
        wanted.delivered[{{source, row}, owner}] = 1;
        if (routes.racks().rack_of(owner) != routes.racks().rack_of(source))
          wanted.entered[{{source, row}, routes.racks().rack_of(owner)}] = 1;
      }
  }
  const journey seen = travel(tree, routes, experts, top_k);
  EXPECT_EQ(seen.delivered, wanted.delivered) << "a token misses a rank, or reaches one twice";
  EXPECT_EQ(seen.entered, wanted.entered) << "a token enters a rack more than once";
}

TEST(moe_dispatch, every_token_enters_a_rack_once_and_reaches_its_experts) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (const char* text :
       {"gpu:1", "gpu:6", "rack:4 gpu:4", "rack:[1,2,3]", "rack:[8,3]", "pod:2 rack:[2,1] gpu:[3,4,5]"})
    for (std::int64_t top_k = 1; top_k <= 8; ++top_k) {
      SCOPED_TRACE(std::string(text) + ", top " + std::to_string(top_k));
      const auto tree = topology::parse_synthetic(text);
      check(tree, 1 + top_k % 3, top_k, random);
      std::vector<rank> backwards;
      for (std::int64_t r = tree.size(); r-- > 0;) backwards.emplace_back(static_cast<std::int32_t>(r));
      check(topology::hierarchy(tree.levels(), backwards), 2, top_k, random);
    }
}

TEST(moe_dispatch, relays_share_the_load) {
  for (const auto& [text, most] :
       {std::pair{"rack:3 gpu:5", 1}, std::pair{"rack:[8,3]", 3}, std::pair{"rack:[3,8]", 3}}) {
    const auto tree = topology::parse_synthetic(text);
    const moe_dispatch routes(tree, 1);
    std::map<std::pair<std::int64_t, std::int32_t>, int> sources;  // by home rack and relay
    for (std::int32_t r = 0; r < tree.size(); ++r)
      for (std::int64_t rack = 0; rack < tree.at(0).units.total(); ++rack) {
        const rank relay = routes.relay(r, rack);
        EXPECT_EQ(routes.racks().rack_of(relay), rack);
        if (rack != routes.racks().rack_of(r)) {
          EXPECT_LE(++sources[std::pair(routes.racks().rack_of(r), relay.value)], most) << text;
        } else {
          EXPECT_EQ(relay, rank(r));
        }
      }
  }
}

TEST(moe_dispatch, refuses_ranks_without_experts) {
  const auto tree = topology::parse_synthetic("gpu:2");
  EXPECT_THROW(moe_dispatch(tree, 0), error);
}

}  // namespace
}  // namespace hawser::algorithm
