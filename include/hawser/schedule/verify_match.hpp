// Which send meets which receive: in program order, per pair of ranks and channel; and whether both ends agree.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include <hawser/schedule/verify_atoms.hpp>

namespace hawser::schedule::detail {

/// A step of any rank as one number.
using step_id = std::int64_t;
inline constexpr step_id nobody = -1;

/// All ranks' steps, numbered through.
class machine {
 public:
  explicit machine(const std::vector<program>& programs) {
    for (const program& each : programs) cuts_.add(each);
    cuts_.close();
    first_.push_back(0);
    views_.reserve(programs.size());
    for (const program& each : programs) {
      views_.emplace_back(each, cuts_);
      first_.push_back(first_.back() + static_cast<step_id>(each.source.steps.size()));
    }
    owner_.reserve(static_cast<std::size_t>(first_.back()));
    for (std::size_t r = 0; r < views_.size(); ++r) owner_.resize(static_cast<std::size_t>(first_[r + 1]), r);
  }

  const grid& cuts() const noexcept { return cuts_; }
  std::size_t ranks() const noexcept { return views_.size(); }
  const rank_view& at(std::size_t r) const { return views_[r]; }
  std::size_t size() const noexcept { return owner_.size(); }
  step_id id(std::size_t r, std::size_t index) const { return first_[r] + static_cast<step_id>(index); }
  std::size_t rank_of(step_id s) const { return owner_[static_cast<std::size_t>(s)]; }
  std::size_t index_of(step_id s) const { return static_cast<std::size_t>(s - first_[rank_of(s)]); }
  const step& at(step_id s) const { return views_[rank_of(s)].written().steps[index_of(s)]; }
  std::string name(step_id s) const { return describe_step(views_[rank_of(s)].written(), index_of(s)); }

 private:
  grid cuts_;
  std::vector<rank_view> views_;
  std::vector<step_id> first_;
  std::vector<std::size_t> owner_;
};

/// How messages tie the ranks' steps together.
struct matching {
  std::vector<step_id> partner;      ///< the other end of a message; nobody for local steps and unmatched messages
  std::vector<step_id> next_posted;  ///< the next message of the same peer, channel and direction
};

class matcher {
 public:
  matcher(const machine& all, violation_list& found) : all_(all), found_(found) {}

  matching run() {
    for (auto* each : {&result_.partner, &result_.next_posted}) each->assign(all_.size(), nobody);
    collect();
    for (auto* ends : {&sends_, &receives_}) {
      std::sort(ends->begin(), ends->end());
      for (std::size_t i = 1; i < ends->size(); ++i)
        if ((*ends)[i - 1].lane == (*ends)[i].lane) next((*ends)[i - 1].id) = (*ends)[i].id;
    }
    match();
    return std::move(result_);
  }

 private:
  using lane_key = std::tuple<std::int32_t, std::int32_t, std::uint16_t>;  // from, to, channel
  struct message_end {
    lane_key lane;
    step_id id;
    friend auto operator<=>(const message_end&, const message_end&) = default;
  };

  step_id& next(step_id s) { return result_.next_posted[static_cast<std::size_t>(s)]; }

  void collect() {
    for (std::size_t r = 0; r < all_.ranks(); ++r)
      for (std::size_t i = 0; i < all_.at(r).size(); ++i) {
        const step& s = all_.at(r).written().steps[i];
        const auto self = static_cast<std::int32_t>(r);
        if (s.sends()) sends_.push_back({{self, s.peer.value, s.channel}, all_.id(r, i)});
        if (s.receives()) receives_.push_back({{s.peer.value, self, s.channel}, all_.id(r, i)});
      }
  }

  void match() {
    std::size_t s = 0, r = 0;
    while (s < sends_.size() || r < receives_.size()) {
      const bool has_both = s < sends_.size() && r < receives_.size();
      if (has_both && sends_[s].lane == receives_[r].lane) {
        pair(s++, r++);
      } else if (r == receives_.size() || (has_both && sends_[s].lane < receives_[r].lane)) {
        unmatched(violation_kind::unmatched_send, sends_[s++].id, "has no receive");
      } else {
        unmatched(violation_kind::unmatched_receive, receives_[r++].id, "has no send");
      }
    }
  }

  void pair(std::size_t s, std::size_t r) {
    const step_id send = sends_[s].id, receive = receives_[r].id;
    result_.partner[static_cast<std::size_t>(send)] = receive;
    result_.partner[static_cast<std::size_t>(receive)] = send;
    check_ends(send, receive);
  }

  void check_ends(step_id send, step_id receive) {
    const rank_view &from = all_.at(all_.rank_of(send)), &to = all_.at(all_.rank_of(receive));
    const auto sent = from.source(all_.index_of(send)), received = to.target(all_.index_of(receive));
    const bool agree = std::equal(sent.begin(), sent.end(), received.begin(), received.end(),
                                  [&](atom a, atom b) { return from.piece_of(a) == to.piece_of(b); });
    if (!agree)
      found_.add(violation_kind::size_mismatch, from.self(), all_.index_of(send), to.self(),
                 all_.name(send) + " does not fit " + all_.name(receive) + ": " + std::to_string(sent.size()) +
                     " and " + std::to_string(received.size()) + " pieces, or other fractional coordinates");
  }

  void unmatched(violation_kind kind, step_id s, const char* text) {
    found_.add(kind, all_.at(all_.rank_of(s)).self(), all_.index_of(s), all_.at(s).peer, all_.name(s) + " " + text);
  }

  const machine& all_;
  violation_list& found_;
  std::vector<message_end> sends_, receives_;
  matching result_;
};

}  // namespace hawser::schedule::detail
