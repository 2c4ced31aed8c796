// The links of a simulated machine and the way of each message: out-links of the sender's units below the level where
// the ways part, in-links of the receiver's; one of each per class of units, shared by as many flows as a unit carries.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <hawser/simulate/graph_links.hpp>
#include <hawser/simulate/max_min.hpp>
#include <hawser/simulate/partition.hpp>
#include <hawser/simulate/program.hpp>

namespace hawser::simulate {

/// How a two-tier fabric of leaf and spine switches between the units of the outermost level spreads flows. Every rank
/// has a NIC on its unit's leaf switch, which has as many uplinks as ranks: non-blocking.
struct fabric {
  /// Queue pairs per message, each hashed to one spine by itself; 0: adaptive routing over all spines.
  int queue_pairs = 0;
  std::uint64_t seed = 1;
};

/// What adaptive routing reaches of a fabric's bandwidth: "standard Ethernet 60 %, adaptive routing 95 %"
/// (docs/simulator.md).
inline constexpr double adaptive_share = 0.95;

/// Where the bytes of each class's messages go: up its units' links, across, and down again.
class network {
 public:
  /// A part of a message's bytes and the links that it uses.
  struct part {
    double share = 1;
    std::vector<use> uses;
  };

  network(const topology::hierarchy& tree, const conditions& set, const partition& parts,
          const std::optional<fabric>& between = {}, const graph_links* known = nullptr)
      : tree_(tree), parts_(parts), fabric_(between), known_(known) {
    if (known_ != nullptr)
      for (std::size_t link = 0; link < known_->size(); ++link) capacity_.push_back(known_->bytes_per_second(link));
    else
      for (const partition::unit_class& each : parts.classes) capacity_.insert(capacity_.end(), 2, rate_of(set, each));
    for (int d = tree.depth() - 1; d >= 0; --d) {
      latency_.insert(latency_.begin(), tree.at(d).up.latency);
      if (latency_.size() > 1) latency_.front() += latency_[1];
    }
    if (is_hashed()) add_fabric();
  }

  const std::vector<double>& capacities() const noexcept { return capacity_; }
  /// The first of them: two of each class of units, or none where a network is known beside the hierarchy.
  std::size_t unit_links() const noexcept { return known_ != nullptr ? 0 : 2 * parts_.classes.size(); }
  /// Of a message that climbs to this level's links.
  seconds latency(int level) const { return latency_[static_cast<std::size_t>(level)]; }
  bool is_hashed() const noexcept { return fabric_ && fabric_->queue_pairs > 0; }

  /// The way of `flows` messages together.
  std::vector<part> route(const message& m, double flows) const {
    std::vector<part> parts(1);
    std::vector<use>& uses = parts.front().uses;
    if (known_ != nullptr) {
      uses = known_->way(rank_of(m.from), rank_of(m.to), flows);
      return parts;
    }
    for (int direction = 0; direction < 2; ++direction) {
      const std::int32_t end = direction == 0 ? m.from : m.to;
      if (end >= parts_.rank_classes()) continue;  // a switch at the end of the links
      std::int32_t unit = parts_.first_rank_class + end;
      for (int d = tree_.depth() - 1; d >= m.level; --d) {
        const partition::unit_class& each = parts_.classes[static_cast<std::size_t>(unit)];
        uses.push_back({static_cast<std::uint32_t>(2 * unit + direction), flows / static_cast<double>(each.units)});
        unit = each.parent;
      }
    }
    const bool has_switch = std::max(m.from, m.to) >= parts_.rank_classes();
    if (is_hashed() && m.level == 0 && !has_switch) spread(m, parts);
    return parts;
  }

 private:
  /// The one rank of a class, which a known network needs.
  rank rank_of(std::int32_t end) const {
    if (end >= parts_.rank_classes())
      fail(errc::unsupported, "cannot simulate in-network reduction over the links of a file",
           "it does not say where its switches reduce", "simulate the hierarchy, or another algorithm");
    return tree_.rank_at(parts_.member(end, 0));
  }

  double rate_of(const conditions& set, const partition::unit_class& each) const {
    double rate = tree_.at(each.level).up.rate.bytes_per_second;
    for (const fault& f : set.faults)
      if (f.level == each.level && f.unit == each.representative) rate *= f.left;  // and so on all of its class
    if (!set.background.empty()) rate *= 1 - set.background[static_cast<std::size_t>(each.level)];
    if (each.level == 0 && fabric_ && fabric_->queue_pairs == 0) rate *= adaptive_share;
    return rate;
  }

  /// Ranks' NICs out and in, then each leaf's links to and from each spine.
  void add_fabric() {
    const std::int64_t leaves = tree_.at(0).units.total();
    for (std::int64_t leaf = 0; leaf < leaves; ++leaf) spines_ = std::max(spines_, ranks_of(leaf));
    first_nic_ = static_cast<std::uint32_t>(capacity_.size());
    for (std::int64_t p = 0; p < tree_.size(); ++p)
      for (int direction = 0; direction < 2; ++direction) capacity_.push_back(line_rate(tree_.unit_of(p, 0)));
    first_spine_link_ = static_cast<std::uint32_t>(capacity_.size());
    for (std::int64_t leaf = 0; leaf < leaves; ++leaf)
      for (std::int64_t i = 0; i < 2 * spines_; ++i) capacity_.push_back(line_rate(leaf));
  }
  std::int64_t ranks_of(std::int64_t leaf) const {
    const bool is_last = leaf + 1 == tree_.at(0).units.total();
    return (is_last ? tree_.size() : tree_.first_position(leaf + 1, 0)) - tree_.first_position(leaf, 0);
  }
  double line_rate(std::int64_t leaf) const {
    const auto out = static_cast<std::size_t>(parts_.of[0][static_cast<std::size_t>(leaf)]);
    return capacity_[2 * out] / static_cast<double>(spines_);
  }

  void spread(const message& m, std::vector<part>& parts) const {
    const auto representative = [this](int of_ranks) {
      return parts_.classes[static_cast<std::size_t>(parts_.first_rank_class) + static_cast<std::size_t>(of_ranks)]
          .representative;
    };
    const std::int64_t from = representative(m.from), to = representative(m.to);
    const part whole = parts.front();
    parts.clear();
    // A queue pair keeps its way: the hash is of the pair of ranks, the queue pair and the seed.
    const std::uint64_t hash = colouring::mixed(colouring::mixed(fabric_->seed, static_cast<std::uint64_t>(from)),
                                                static_cast<std::uint64_t>(to));
    for (int q = 0; q < fabric_->queue_pairs; ++q) {
      const auto spine = static_cast<std::int64_t>(colouring::mixed(hash, static_cast<std::uint64_t>(q)) %
                                                   static_cast<std::uint64_t>(spines_));
      part each = whole;
      each.share = 1.0 / fabric_->queue_pairs;
      const auto add = [&](std::uint32_t first, std::int64_t index) {
        each.uses.push_back({first + static_cast<std::uint32_t>(index), 1.0});
      };
      add(first_nic_, 2 * from);
      add(first_nic_, 2 * to + 1);
      add(first_spine_link_, 2 * (tree_.unit_of(from, 0) * spines_ + spine));
      add(first_spine_link_, 2 * (tree_.unit_of(to, 0) * spines_ + spine) + 1);
      parts.push_back(std::move(each));
    }
  }

  const topology::hierarchy& tree_;
  const partition& parts_;
  std::optional<fabric> fabric_;
  const graph_links* known_;
  std::vector<double> capacity_;
  std::vector<seconds> latency_;
  std::int64_t spines_ = 1;
  std::uint32_t first_nic_ = 0, first_spine_link_ = 0;
};

}  // namespace hawser::simulate
