// One rank's part of an all-to-all-v in balanced stages: inside the rack, what leaves it is shared out evenly among its
// members; then one-to-one stages between racks; then each block goes to its rank. FAST (Lei et al., arXiv:2505.09764).
#pragma once

#include <numeric>
#include <utility>

#include <hawser/algorithm/balanced_stages.hpp>
#include <hawser/algorithm/rack_view.hpp>

namespace hawser::algorithm {

/// Elements [begin, begin + count) of a buffer.
struct element_range {
  /// The caller's buffers, and the two between: what crosses, and what has crossed.
  enum class place : std::uint8_t { input, carried, arrived, output } where = place::input;
  std::int64_t begin = 0, count = 0;
  friend bool operator==(const element_range&, const element_range&) = default;
};

/// A message made of ranges, or one that is taken apart into them.
using element_ranges = std::vector<element_range>;

/// What one rank does. Both ends of a message list its elements in the same order.
struct balanced_moves {
  /// This rank's one message each way in a stage.
  struct crossing {
    std::size_t stage = 0;
    rank to = -1, from = -1;  ///< -1: nobody
    element_range sent{}, received{};
  };
  std::int64_t carried = 0, arrived = 0;              ///< elements of the two buffers between
  std::vector<element_ranges> rebalance, rebalanced;  ///< to and from each member of the rack
  std::vector<crossing> crossings;                    ///< in this order: at most one message each way at a time
  std::vector<element_ranges> hand_out, handed_out;   ///< to and from each member of the rack
};

/// What a rank knows when it derives its moves.
struct balanced_knowledge {
  const balanced_stages& stages;           ///< agreed by all ranks
  std::span<const std::int64_t> sent;      ///< this rank's own: elements for each rank
  std::span<const std::int64_t> to_racks;  ///< of all members of this rack: [member * racks + rack], elements
  std::span<const std::int64_t> received;  ///< of all members of this rack: [member * ranks + rank], elements
};

namespace detail {

/// Everything that rack `from` has for rack `to` is one stream: by sending member, then by receiving member. A stage
/// carries a piece of it, which min(g, G) lanes share evenly: lane l joins members floor(l g / lanes) and
/// floor(l G / lanes), so that a member has one peer in a stage.
class balanced_planner {
 public:
  balanced_planner(const rack_view& racks, rank self, const balanced_knowledge& known)
      : racks_(racks), known_(known), home_(racks.rack_of(self)), me_(racks.member_of(self)), g_(racks.size(home_)) {}

  balanced_moves run() {
    const auto members = static_cast<std::size_t>(g_);
    moves_.rebalance.resize(members), moves_.rebalanced.resize(members);
    moves_.hand_out.resize(members), moves_.handed_out.resize(members);
    index();
    keep_inside();
    each_piece([&](const piece& p) {
      if (p.from == home_) rebalance(p);
      if (p.to == home_) hand_out(p);
      if ((p.from == home_ && p.sender == me_) || (p.to == home_ && p.receiver == me_)) cross(p);
    });
    return std::move(moves_);
  }

 private:
  using place = element_range::place;

  /// What one lane carries in one stage: [begin, end) of the stream between two racks.
  struct piece {
    std::size_t stage;
    std::int64_t from, to;          // racks
    std::int64_t sender, receiver;  // members
    std::int64_t begin, end;
  };

  static std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }
  static std::int64_t share(std::int64_t amount, std::int64_t l, std::int64_t lanes) {
    return amount / lanes * l + amount % lanes * l / lanes;
  }

  /// Calls f with the pieces that leave or enter this rack, stage by stage.
  template <class F>
  void each_piece(F&& f) const {
    std::vector<std::int64_t> out(at(racks_.racks()), 0), in(out);  // of each stream, what earlier stages carried
    for (std::size_t s = 0; s < known_.stages.stages.size(); ++s) {
      const balanced_stage& stage = known_.stages.stages[s];
      for (std::int64_t from = 0; from < racks_.racks(); ++from) {
        const std::int64_t to = stage.to[at(from)], amount = stage.carried[at(from)];
        if (to < 0 || (from != home_ && to != home_)) continue;
        std::int64_t& done = from == home_ ? out[at(to)] : in[at(from)];
        const std::int64_t g = racks_.size(from), G = racks_.size(to), lanes = std::min(g, G);
        for (std::int64_t l = 0; l < lanes; ++l)
          f(piece{s, from, to, l * g / lanes, l * G / lanes, done + share(amount, l, lanes),
                  done + share(amount, l + 1, lanes)});
        done += amount;
      }
    }
  }

  /// Where things lie: the members' segments of each stream out, the blocks of each stream in, the caller's blocks.
  void index() {
    input_.resize(known_.sent.size());
    std::exclusive_scan(known_.sent.begin(), known_.sent.end(), input_.begin(), std::int64_t{0});
    const auto own = known_.received.subspan(at(me_ * racks_.ranks()), at(racks_.ranks()));
    output_.resize(own.size());
    std::exclusive_scan(own.begin(), own.end(), output_.begin(), std::int64_t{0});
    const std::int64_t count = racks_.racks();
    segments_.resize(at(count));
    blocks_.resize(at(count));
    for (std::int64_t rack = 0; rack < count; ++rack) {
      if (rack == home_) continue;
      segments_[at(rack)].assign(1, 0);
      for (std::int64_t s = 0; s < g_; ++s)
        segments_[at(rack)].push_back(segments_[at(rack)].back() + known_.to_racks[at(s * count + rack)]);
      blocks_[at(rack)].assign(1, 0);
      for (std::int64_t s = 0; s < racks_.size(rack); ++s)
        for (std::int64_t d = 0; d < g_; ++d)
          blocks_[at(rack)].push_back(blocks_[at(rack)].back() + received(d, racks_.at(rack, s)));
      check(rack);
    }
  }
  std::int64_t received(std::int64_t member, rank from) const {
    return known_.received[at(member * racks_.ranks() + from.value)];
  }
  void check(std::int64_t rack) const {
    const std::int64_t out = known_.stages.between(home_, rack), in = known_.stages.between(rack, home_);
    if (segments_[at(rack)].back() != out || blocks_[at(rack)].back() != in)
      fail(errc::mismatch, "all_to_all_v in stages: counts differ",
           "rack " + std::to_string(rack) + " sends " + std::to_string(in) + " elements, this rack expects " +
               std::to_string(blocks_[at(rack)].back()),
           "pass to each rank the count that it receives");
  }

  static void add(element_ranges& list, place where, std::int64_t begin, std::int64_t count) {
    if (count <= 0) return;
    if (!list.empty() && list.back().where == where && list.back().begin + list.back().count == begin)
      list.back().count += count;
    else
      list.push_back({where, begin, count});
  }

  /// Blocks between members of one rack go straight.
  void keep_inside() {
    for (std::int64_t m = 0; m < g_; ++m) {
      const rank peer = racks_.at(home_, m);
      add(moves_.rebalance[at(m)], place::input, input_[at(peer.value)], known_.sent[at(peer.value)]);
      add(moves_.rebalanced[at(m)], place::output, output_[at(peer.value)], received(me_, peer));
    }
  }

  /// The senders of lanes collect their pieces from the members whose segments they cut.
  void rebalance(const piece& p) {
    const std::vector<std::int64_t>& segments = segments_[at(p.to)];
    add_input(moves_.rebalance[at(p.sender)], p, segments[at(me_)], segments[at(me_ + 1)]);
    if (p.sender != me_) return;
    for (std::int64_t s = 0; s < g_; ++s) {
      const std::int64_t low = std::max(p.begin, segments[at(s)]), high = std::min(p.end, segments[at(s + 1)]);
      add(moves_.rebalanced[at(s)], place::carried, moves_.carried + low - p.begin, high - low);
    }
  }
  /// The part of a piece that lies in this rank's segment, block by block of the receiving rack.
  void add_input(element_ranges& list, const piece& p, std::int64_t begin, std::int64_t end) const {
    if (begin >= p.end || end <= p.begin) return;
    for (std::int64_t d = 0; d < racks_.size(p.to); ++d) {
      const rank to = racks_.at(p.to, d);
      const std::int64_t next = begin + known_.sent[at(to.value)];
      const std::int64_t low = std::max(p.begin, begin), high = std::min(p.end, next);
      add(list, place::input, input_[at(to.value)] + low - begin, high - low);
      begin = next;
    }
  }

  /// The receivers of lanes hand their pieces to the members whose blocks they cut.
  void hand_out(const piece& p) {
    const std::vector<std::int64_t>& blocks = blocks_[at(p.from)];
    const auto first = std::upper_bound(blocks.begin(), blocks.end(), p.begin) - blocks.begin() - 1;
    for (auto b = first; b + 1 < std::ssize(blocks) && blocks[at(b)] < p.end; ++b) {
      const std::int64_t member = b % g_, low = std::max(p.begin, blocks[at(b)]),
                         high = std::min(p.end, blocks[at(b + 1)]);
      if (p.receiver == me_)
        add(moves_.hand_out[at(member)], place::arrived, moves_.arrived + low - p.begin, high - low);
      if (member == me_) {
        const rank source = racks_.at(p.from, b / g_);
        add(moves_.handed_out[at(p.receiver)], place::output, output_[at(source.value)] + low - blocks[at(b)],
            high - low);
      }
    }
  }

  void cross(const piece& p) {
    if (moves_.crossings.empty() || moves_.crossings.back().stage != p.stage) {
      moves_.crossings.emplace_back();
      moves_.crossings.back().stage = p.stage;
    }
    balanced_moves::crossing& step = moves_.crossings.back();
    if (p.begin == p.end) return;
    if (p.from == home_) {
      step.to = racks_.at(p.to, p.receiver);
      step.sent = {place::carried, moves_.carried, p.end - p.begin};
      moves_.carried += p.end - p.begin;
    } else {
      step.from = racks_.at(p.from, p.sender);
      step.received = {place::arrived, moves_.arrived, p.end - p.begin};
      moves_.arrived += p.end - p.begin;
    }
  }

  const rack_view& racks_;
  const balanced_knowledge& known_;
  std::int64_t home_, me_, g_;
  std::vector<std::int64_t> input_, output_;         // where each rank's block begins
  std::vector<std::vector<std::int64_t>> segments_;  // per rack: bounds of the members' segments of the stream there
  std::vector<std::vector<std::int64_t>> blocks_;    // per rack: bounds of the blocks of the stream from there
  balanced_moves moves_;
};

}  // namespace detail

/// Derives one rank's moves. Throws errc::mismatch where what this rack expects is not what the others have for it,
/// errc::invalid_argument where the numbers are not those of this machine.
inline balanced_moves balanced_moves_of(const rack_view& racks, rank self, const balanced_knowledge& known) {
  const auto size = [](std::int64_t a, std::int64_t b) { return static_cast<std::size_t>(a * b); };
  const std::int64_t members = racks.size(racks.rack_of(self));
  if (known.stages.racks != racks.racks() || known.sent.size() != size(racks.ranks(), 1) ||
      known.to_racks.size() != size(members, racks.racks()) || known.received.size() != size(members, racks.ranks()))
    fail(errc::invalid_argument, "the counts of a balanced exchange are of another machine",
         std::to_string(known.stages.racks) + " racks, " + std::to_string(known.sent.size()) + " ranks",
         "this one has " + std::to_string(racks.racks()) + " racks, " + std::to_string(racks.ranks()) + " ranks");
  return detail::balanced_planner(racks, self, known).run();
}

}  // namespace hawser::algorithm
