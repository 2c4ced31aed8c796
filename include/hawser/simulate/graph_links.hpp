// The links of a network that is known beside the hierarchy, for the simulator: each direction is one, and messages go
// the way on which the cost model counts them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <hawser/cost/network_load.hpp>
#include <hawser/simulate/max_min.hpp>

namespace hawser::simulate {

/// The network's links, one for each direction.
class graph_links {
 public:
  explicit graph_links(std::shared_ptr<const cost::network> known) : known_(std::move(known)), ways_(*known_) {
    const algorithm::capacity_graph& links = known_->links;
    for (int a = 0; a < links.nodes(); ++a)
      for (int b = 0; b < links.nodes(); ++b)
        if (links.at(a, b) > 0) {
          number_.emplace(std::pair(a, b), static_cast<std::uint32_t>(ends_.size()));
          ends_.emplace_back(a, b);
        }
  }

  std::size_t size() const noexcept { return ends_.size(); }
  /// What it carries.
  double bytes_per_second(std::size_t link) const {
    return static_cast<double>(known_->links.at(ends_[link].first, ends_[link].second)) * known_->unit_bytes_per_second;
  }
  /// "rank 3 > switch 1"
  std::string name(std::size_t link) const { return name_of(ends_[link].first) + " > " + name_of(ends_[link].second); }

  /// The links of `flows` messages together. Throws errc::unsupported where the ranks are parted.
  std::vector<use> way(rank from, rank to, double flows) const {
    const std::vector<int> nodes = ways_.way(from.value, to.value);
    std::vector<use> uses;
    uses.reserve(nodes.size());
    for (std::size_t i = 1; i < nodes.size(); ++i) uses.push_back({number_.at({nodes[i - 1], nodes[i]}), flows});
    return uses;
  }

 private:
  std::string name_of(int node) const {
    const int ranks = known_->links.ranks();
    return node < ranks ? "rank " + std::to_string(node) : "switch " + std::to_string(node - ranks);
  }

  std::shared_ptr<const cost::network> known_;
  cost::network_load ways_;
  std::vector<std::pair<int, int>> ends_;
  std::map<std::pair<int, int>, std::uint32_t> number_;
};

}  // namespace hawser::simulate
