// The network that a planner knows beside its hierarchy: the load of its links, and what is prepared for it, each
// once.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/cost/network_load.hpp>
#include <hawser/cost/traffic.hpp>
#include <hawser/planner/prepared_network.hpp>
#include <hawser/schedule/plan.hpp>

namespace hawser::planner {

/// Links of a machine whose outline is a hierarchy, or, before any is known, those that the hierarchy says there are.
/// Thread-safe but for `know`.
class known_network {
 public:
  /// Node r is rank r. A network that does not join all ranks is forgotten again. Throws errc::mismatch where it is of
  /// others than the hierarchy's.
  void know(const topology::hierarchy& tree, std::shared_ptr<const cost::network> links) {
    forget();
    if (links->links.ranks() != tree.size())
      fail(errc::mismatch, "the network has " + std::to_string(links->links.ranks()) + " ranks",
           "the hierarchy has " + std::to_string(tree.size()));
    const auto load = std::make_shared<const cost::network_load>(*links);
    if (!load->is_whole()) return;
    links_ = std::move(links);
    if (tree.size() <= cost::exact_ranks) load_ = load;
  }

  /// Back to what the hierarchy says.
  void forget() {
    links_.reset();
    load_.reset();
    packed_[0].reset();
    packed_[1].reset();
  }

  /// What schedules put on its links; null where none is known, or of more than `cost::exact_ranks` ranks.
  const cost::network_load* load() const noexcept { return load_.get(); }

  /// The algorithms that are prepared for it: those that come unasked, and the one that is.
  std::vector<std::string> names_for(const topology::hierarchy& tree, const schedule::request& what) const {
    std::vector<std::string> names;
    const bool can_be_packed = tree.size() > 1 && algorithm::serves_packed(what.what);
    const bool can_have_rails = what.what == schedule::collective::all_reduce;
    if (can_have_rails && ((load_ && algorithm::has_rails(tree)) || what.algorithm == multi_rail_name))
      names.emplace_back(multi_rail_name);
    if (can_be_packed && (load_ || what.algorithm == packed_trees_name)) names.emplace_back(packed_trees_name);
    return names;
  }

  /// Packed once, and once more where it is asked for after it was too long to be packed unasked.
  const packed_network& packed(const topology::hierarchy& tree, bool is_asked) const {
    std::lock_guard lock(packing_);
    auto& known = packed_[is_asked ? 1 : 0];
    if (!known && packed_[0] && packed_[0]->refused.empty()) return *packed_[0];
    if (!known) known = pack(links_ ? *links_ : cost::network_of(tree), is_asked);
    return *known;
  }

  /// The shares of its rails; unasked, only where they differ.
  network_rails rails(const topology::hierarchy& tree, bool is_asked) const {
    return share(tree, links_ ? *links_ : cost::network_of(tree), is_asked);
  }

 private:
  std::shared_ptr<const cost::network> links_;
  std::shared_ptr<const cost::network_load> load_;
  mutable std::mutex packing_;
  mutable std::optional<packed_network> packed_[2];  // unasked, asked for
};

/// Whether an algorithm is prepared for a network, and not generated from the hierarchy alone.
constexpr bool is_prepared(std::string_view algorithm) {
  return algorithm == packed_trees_name || algorithm == multi_rail_name;
}

}  // namespace hawser::planner
