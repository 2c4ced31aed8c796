// Max-min fair rates by progressive filling: all rates grow together until a link is full; its flows stop there.
// Bertsekas, Gallager: Data Networks, 6.5.2. As in SimGrid's solver, a change is solved only where it can be felt.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace hawser::simulate {

/// A flow's use of a link: `weight` bytes pass it for each byte of the flow (a class of flows counts as many times as
/// it has members on that link).
struct use {
  std::uint32_t link = 0;
  double weight = 1;
};

/// A changing set of flows on one set of links, each flow with a number of the caller's.
class max_min {
 public:
  explicit max_min(std::vector<double> capacities)
      : capacity_(std::move(capacities)), link_(capacity_.size()), is_dirty_(capacity_.size(), false) {}

  /// Bytes per second. A flow without links is not limited.
  double rate(std::uint32_t flow) const { return flow_[flow].rate; }

  /// What a flow would get if all flows on its links shared them evenly: a first guess, never above a link's capacity.
  double even_share(std::uint32_t flow) const {
    double share = std::numeric_limits<double>::infinity();
    for (const placed_use& each : uses_of(flow))
      share = std::min(share, capacity_[each.link] / link_[each.link].weight);
    return share;
  }

  /// A new flow, whose number is not in use; its rate is there after the next `solve`.
  void add(std::uint32_t flow, std::span<const use> uses) {
    make_room(flow, uses.size());
    state& added = flow_[flow];
    added.uses = static_cast<std::uint32_t>(uses.size());
    added.rate = std::numeric_limits<double>::infinity();
    std::uint32_t number = 0;
    for (const use& each : uses) {
      link_state& link = link_[each.link];
      uses_[flow * stride_ + number] = {each.weight, each.link, static_cast<std::uint32_t>(link.flows.size())};
      link.flows.push_back({flow, number++});
      link.weight += each.weight;
      mark(each.link);
    }
    if (uses.empty()) unlimited_.push_back(flow);
  }
  /// Takes a flow out; its number is free again.
  void remove(std::uint32_t flow) {
    for (const placed_use& each : uses_of(flow)) {
      link_state& link = link_[each.link];
      const user last = link.flows.back();
      link.flows[each.place] = last;
      uses_[last.flow * stride_ + last.use].place = each.place;
      link.flows.pop_back();
      link.weight = link.flows.empty() ? 0 : link.weight - each.weight;
      mark(each.link);
    }
  }
  bool is_changed() const noexcept { return !dirty_.empty() || !unlimited_.empty(); }

  /// Solves what is connected, through shared links, with flows that came or went since the last call; calls
  /// `changed(flow)` for each flow whose rate is another now. O(uses) per different share.
  template <class Changed>
  void solve(Changed&& changed) {
    collect();
    for (std::uint32_t f : affected_) flow_[f].rate = open_rate;
    while (!open_.empty()) {
      // Links that fill up at this share up to rounding: equal classes must stop together.
      const double share = smallest_share(), limit = share * (1 + tolerance);
      full_.clear();
      for (std::uint32_t link : open_)
        if (link_[link].left <= limit * link_[link].demand) full_.push_back(link);
      for (std::uint32_t link : full_)
        for (const user& each : link_[link].flows) freeze(each.flow, share);
      std::erase_if(open_, [this](std::uint32_t link) { return link_[link].unfrozen == 0; });
    }
    for (std::uint32_t f : affected_) {
      flow_[f].is_seen = false;
      if (flow_[f].rate != flow_[f].before) changed(f);
    }
    for (std::uint32_t f : unlimited_) changed(f);
    unlimited_.clear();
  }

 private:
  static constexpr double tolerance = 1e-12;
  static constexpr double open_rate = -1;  // not yet frozen

  struct user {
    std::uint32_t flow, use;
  };
  struct link_state {
    std::vector<user> flows;
    double weight = 0;            // of all its flows
    double left = 0, demand = 0;  // while rates are solved: capacity not given away, weight of flows without a rate
    std::uint32_t unfrozen = 0;
  };
  struct state {
    double rate = 0, before = 0;
    std::uint32_t uses = 0;
    bool is_seen = false;
  };
  struct placed_use {
    double weight;
    std::uint32_t link;
    std::uint32_t place;  // in the link's list
  };

  std::span<const placed_use> uses_of(std::uint32_t flow) const {
    return {uses_.data() + flow * stride_, flow_[flow].uses};
  }

  /// All flows' uses lie in one array, as many places for each as the longest way has: solving walks over all of them.
  void make_room(std::uint32_t flow, std::size_t uses) {
    if (uses > stride_) {
      std::vector<placed_use> wider(flow_.size() * uses);
      for (std::size_t f = 0; f < flow_.size(); ++f)
        std::copy_n(uses_.begin() + static_cast<std::ptrdiff_t>(f * stride_), stride_,
                    wider.begin() + static_cast<std::ptrdiff_t>(f * uses));
      uses_ = std::move(wider);
      stride_ = uses;
    }
    if (flow_.size() <= flow) flow_.resize(flow + std::size_t{1});
    if (uses_.size() < flow_.size() * stride_) uses_.resize(flow_.size() * stride_);
  }

  void mark(std::uint32_t link) {
    if (!is_dirty_[link]) dirty_.push_back(link);
    is_dirty_[link] = true;
  }

  /// Follows flows and links from the changed links on.
  void collect() {
    affected_.clear();
    open_.clear();
    for (std::size_t i = 0; i < dirty_.size(); ++i) {
      link_state& link = link_[dirty_[i]];
      link.left = capacity_[dirty_[i]];
      link.demand = 0;
      link.unfrozen = static_cast<std::uint32_t>(link.flows.size());
      if (link.unfrozen > 0) open_.push_back(dirty_[i]);
      for (const user& each : link.flows) {
        state& f = flow_[each.flow];
        link.demand += uses_[each.flow * stride_ + each.use].weight;
        if (f.is_seen) continue;
        f.is_seen = true;
        f.before = f.rate;
        affected_.push_back(each.flow);
        for (const placed_use& next : uses_of(each.flow)) mark(next.link);
      }
    }
    for (std::uint32_t link : dirty_) is_dirty_[link] = false;
    dirty_.clear();
  }

  double smallest_share() const {
    double share = std::numeric_limits<double>::infinity();
    for (std::uint32_t link : open_) share = std::min(share, link_[link].left / link_[link].demand);
    return std::max(share, 0.0);
  }

  void freeze(std::uint32_t flow, double share) {
    state& stopped = flow_[flow];
    if (stopped.rate != open_rate) return;
    stopped.rate = share;
    for (const placed_use& each : uses_of(flow)) {
      link_state& link = link_[each.link];
      link.left -= share * each.weight;
      link.demand -= each.weight;
      --link.unfrozen;
    }
  }

  std::vector<double> capacity_;
  std::vector<link_state> link_;
  std::vector<state> flow_;
  std::vector<placed_use> uses_;
  std::size_t stride_ = 0;
  std::vector<bool> is_dirty_;
  std::vector<std::uint32_t> dirty_, affected_, open_, full_, unlimited_;
};

}  // namespace hawser::simulate
