// all_to_all_v for skewed sizes: racks share out what leaves them among their members, then exchange it in one-to-one
// stages that all ranks derive from the agreed rack sums (algorithm/balanced_exchange.hpp).
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <hawser/algorithm/balanced_exchange.hpp>
#include <hawser/communicator/communicator.hpp>

namespace hawser {

/// Construction and calls are collective: all ranks make them in the same order. The communicator must outlive it.
class balanced_exchange {
 public:
  /// Throws as communicator::split.
  explicit balanced_exchange(communicator& members) : members_(members), racks_(members.hierarchy()) {
    const auto self = members.rank();
    inside_ = members.split(static_cast<int>(racks_.rack_of(self)), static_cast<int>(racks_.member_of(self)));
    across_ = members.split(0, self.value);  // the same ranks; keeps the stages apart from the caller's messages
  }

  /// `sent[r]` elements go to rank r, `received[r]` come from it, as communicator::all_to_all_v; not in place. Every
  /// rank holds one count per rank for each member of its rack, and one per pair of racks. Throws
  /// errc::invalid_argument where sizes do not fit; errc::mismatch where a block's two ends disagree, errc::aborted on
  /// the other ranks; else as the collectives.
  template <element_range In, element_range Out>
  void all_to_all_v(const In& input, counts sent, Out&& output, counts received) {
    using T = std::remove_cv_t<std::ranges::range_value_t<In>>;
    check(sent, std::ranges::size(input), "sent");
    check(received, std::ranges::size(output), "received");
    compare(sent, received);
    const algorithm::balanced_moves moves = agree(sent, received);
    std::vector<T> carried(static_cast<std::size_t>(moves.carried)), arrived(static_cast<std::size_t>(moves.arrived));
    const memory<T> all{std::ranges::data(input), carried.data(), arrived.data(), std::ranges::data(output)};
    pass(moves.rebalance, moves.rebalanced, all);
    for (const auto& each : moves.crossings) {
      pending coming, going;
      const auto part = [](std::vector<T>& from, const algorithm::element_range& which) {
        return std::span(from).subspan(static_cast<std::size_t>(which.begin), static_cast<std::size_t>(which.count));
      };
      if (each.from.value >= 0) coming = across_->receive_async(part(arrived, each.received), each.from);
      if (each.to.value >= 0) going = across_->send_async(part(carried, each.sent), each.to);
      if (each.from.value >= 0) coming.wait();
      if (each.to.value >= 0) going.wait();
    }
    pass(moves.hand_out, moves.handed_out, all);
  }

  /// The stages of the last call, the same on all ranks: how long each keeps which racks busy.
  const algorithm::balanced_stages& stages() const noexcept { return stages_; }

 private:
  template <class T>
  struct memory {
    const T* input;
    T* carried;
    T* arrived;
    T* output;

    const T* readable(const algorithm::element_range& which) const {
      using place = algorithm::element_range::place;
      return (which.where == place::input ? input : which.where == place::carried ? carried : arrived) + which.begin;
    }
    T* writable(const algorithm::element_range& which) const {
      return (which.where == algorithm::element_range::place::carried ? carried : output) + which.begin;
    }
  };

  void check(counts blocks, std::size_t elements, const char* which) const {
    const auto bad = [&](const std::string& reason) {
      fail(errc::invalid_argument,
           std::string("all_to_all_v in stages: the counts of what is ") + which + " do not fit", reason,
           "pass one count per rank, together as many as the buffer has");
    };
    if (blocks.size() != static_cast<std::size_t>(members_.size()))
      bad(std::to_string(blocks.size()) + " counts for " + std::to_string(members_.size()) + " ranks");
    auto left = static_cast<std::int64_t>(elements);
    for (std::int64_t each : blocks) {
      if (each < 0 || each > left)
        bad("a count of " + std::to_string(each) + " where " + std::to_string(left) + " are left");
      left -= each;
    }
  }

  /// Both ends of every block must say the same.
  void compare(counts sent, counts received) {
    std::vector<std::int64_t> told(sent.size());
    members_.all_to_all(std::vector(sent.begin(), sent.end()), told);
    for (std::size_t r = 0; r < told.size(); ++r) {
      if (told[r] == received[r]) continue;
      const std::string reason = "rank " + std::to_string(r) + " sends " + std::to_string(told[r]) +
                                 " elements, rank " + to_string(members_.rank()) + " expects " +
                                 std::to_string(received[r]);
      members_.abort(reason);
      fail(errc::mismatch, "all_to_all_v in stages: counts differ", reason,
           "pass to each rank the count that it receives");
    }
  }

  /// Exchanges the sums of racks and the counts inside this one, and derives this rank's moves.
  algorithm::balanced_moves agree(counts sent, counts received) {
    const auto racks = static_cast<std::size_t>(racks_.racks()), members = static_cast<std::size_t>(inside_->size());
    std::vector<std::int64_t> to_racks(racks, 0), inside(members * racks), sums(racks, 0);
    for (std::int32_t r = 0; r < members_.size(); ++r)
      to_racks[static_cast<std::size_t>(racks_.rack_of(r))] += sent[static_cast<std::size_t>(r)];
    inside_->all_gather(to_racks, inside);
    std::vector<std::int64_t> expected(members * received.size());
    inside_->all_gather(std::vector(received.begin(), received.end()), expected);
    for (std::size_t i = 0; i < inside.size(); ++i) sums[i % racks] += inside[i];
    stages_ = algorithm::balance(all_sums(sums), racks_.racks());
    return algorithm::balanced_moves_of(racks_, members_.rank(), {stages_, sent, inside, expected});
  }

  /// The first member of each rack tells all ranks its rack's sums.
  std::vector<std::int64_t> all_sums(std::vector<std::int64_t> own) {
    const auto racks = static_cast<std::size_t>(racks_.racks());
    std::vector<std::int64_t> blocks(static_cast<std::size_t>(members_.size()), 0), gathered(racks * racks);
    for (std::int64_t rack = 0; rack < racks_.racks(); ++rack)
      blocks[static_cast<std::size_t>(racks_.at(rack, 0).value)] = racks_.racks();
    if (racks_.member_of(members_.rank()) != 0) own.clear();
    members_.all_gather_v(own, gathered, blocks);
    std::vector<std::int64_t> sums(gathered.size());
    auto next = gathered.begin();
    for (std::int32_t r = 0; r < members_.size(); ++r) {
      if (blocks[static_cast<std::size_t>(r)] == 0) continue;
      std::copy_n(next, racks, sums.begin() + racks_.rack_of(r) * racks_.racks());
      next += racks_.racks();
    }
    return sums;
  }

  /// Messages inside the rack, gathered from ranges and scattered to ranges.
  template <class T>
  void pass(const std::vector<algorithm::element_ranges>& sent, const std::vector<algorithm::element_ranges>& received,
            const memory<T>& all) {
    std::vector<std::int64_t> out, in;
    std::vector<T> packed;
    for (const algorithm::element_ranges& message : sent) {
      const std::size_t before = packed.size();
      for (const auto& each : message) packed.insert(packed.end(), all.readable(each), all.readable(each) + each.count);
      out.push_back(static_cast<std::int64_t>(packed.size() - before));
    }
    std::int64_t total = 0;
    for (const algorithm::element_ranges& message : received) {
      in.push_back(0);
      for (const auto& each : message) in.back() += each.count;
      total += in.back();
    }
    std::vector<T> unpacked(static_cast<std::size_t>(total));
    inside_->all_to_all_v(packed, out, unpacked, in);
    const T* from = unpacked.data();
    for (const algorithm::element_ranges& message : received)
      for (const auto& each : message) {
        std::copy_n(from, each.count, all.writable(each));
        from += each.count;
      }
  }

  communicator& members_;
  algorithm::rack_view racks_;
  std::unique_ptr<communicator> inside_;  // this rack's ranks, by their place in it
  std::unique_ptr<communicator> across_;
  algorithm::balanced_stages stages_;
};

}  // namespace hawser
