// Orders of ranks as the command line writes them.
#include "place_order.hpp"

#include <charconv>
#include <optional>
#include <random>
#include <utility>

#include <hawser/core/error.hpp>
#include <hawser/topology/rank_order.hpp>

namespace hawser::cli {
namespace {

constexpr const char* example = "write block, cyclic, random:SEED or the rank of each position like 0-3,8,9,4-7";
constexpr std::string_view random_prefix = "random:";

[[noreturn]] void fail_order(std::string_view text, const std::string& reason) {
  const bool is_long = text.size() > 60;
  fail(errc::parse, "cannot read the order \"" + std::string(text.substr(0, 60)) + (is_long ? "..." : "") + "\"",
       reason, example);
}

template <typename Number>
std::optional<Number> number_in(std::string_view text) {
  Number value{};
  const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || status != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<rank> shuffled(std::int64_t size, std::uint64_t seed) {
  std::vector<rank> order;
  for (std::int64_t r = 0; r < size; ++r) order.emplace_back(static_cast<int>(r));
  std::mt19937_64 random(seed);  // by hand: std::shuffle differs between standard libraries
  for (std::size_t left = order.size(); left > 1; --left) std::swap(order[left - 1], order[random() % left]);
  return order;
}

std::vector<rank> parse_list(std::string_view text, std::int64_t size) {
  std::vector<rank> order;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    const std::size_t dash = item.find('-');
    const auto first = number_in<std::int32_t>(item.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : number_in<std::int32_t>(item.substr(dash + 1));
    if (!first || !last || *first < 0 || *last < *first)
      fail_order(text, "\"" + std::string(item.substr(0, 20)) + "\" is no rank and no range of ranks");
    if (*last >= size)
      fail_order(text, "the topology has ranks 0 to " + std::to_string(size - 1) + ", not " + std::to_string(*last));
    if (static_cast<std::int64_t>(order.size()) + *last - *first >= size)
      fail_order(text, "it names more than the " + std::to_string(size) + " ranks of the topology");
    for (std::int32_t each = *first; each <= *last; ++each) order.emplace_back(each);
  }
  if (static_cast<std::int64_t>(order.size()) != size)
    fail_order(text, "it names " + std::to_string(order.size()) + " of the " + std::to_string(size) + " ranks");
  return order;
}

std::vector<rank> order_of(const topology::hierarchy& tree, std::string_view text) {
  if (text == "cyclic") return topology::cyclic_order(tree);
  if (!text.starts_with(random_prefix)) return parse_list(text, tree.size());
  const auto seed = number_in<std::uint64_t>(text.substr(random_prefix.size()));
  if (!seed) fail_order(text, "the seed must be a whole number");
  return shuffled(tree.size(), *seed);
}

}  // namespace

topology::hierarchy ordered(const topology::hierarchy& tree, std::string_view text) {
  if (tree.size() > most_placed_ranks)
    fail(errc::invalid_argument, "there are " + std::to_string(tree.size()) + " ranks to place",
         "at most " + std::to_string(most_placed_ranks) + " can be", "place the ranks of a part of the machine");
  if (text.empty()) return tree;
  if (text == "block") return topology::hierarchy(tree.levels());
  return topology::hierarchy(tree.levels(), order_of(tree, text));
}

std::string listed(const std::vector<rank>& ranks, std::size_t most) {
  std::string text;
  for (std::size_t each = 0; each < std::min(most, ranks.size()); ++each)
    text.append(each == 0 ? "" : ",").append(to_string(ranks[each]));
  return ranks.size() > most ? text + ",... (" + std::to_string(ranks.size()) + " in all)" : text;
}

std::vector<std::string> hosts_of(const topology::hosted_hierarchy& hosted, const std::vector<rank>& ranks) {
  std::vector<std::string> hosts;
  if (hosted.hosts.empty()) return hosts;
  for (const rank each : ranks) {
    const std::int64_t unit = hosted.tree.unit_of(hosted.tree.position_of(each), hosted.host_level);
    hosts.push_back(hosted.hosts[static_cast<std::size_t>(unit)]);
  }
  return hosts;
}

}  // namespace hawser::cli
