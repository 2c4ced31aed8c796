// Whether the stages of all ranks go together: an exchange may block until every message in it is through.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <hawser/schedule/stages.hpp>
#include <hawser/schedule/violation.hpp>

namespace hawser::schedule {

namespace detail {

/// Runs the stages of all ranks under the strictest rules that `executor::stream_wire` allows.
class staged_run {
 public:
  explicit staged_run(const std::vector<program>& programs) {
    for (const program& each : programs) {
      ranks_.push_back({&each.source, stages_of(each), 0});
      post(static_cast<std::int32_t>(ranks_.size()) - 1);
    }
  }

  std::optional<violation> run() {
    if (auto found = check_matching()) return found;
    bool has_moved = true;
    while (has_moved) {
      has_moved = false;
      for (party& each : ranks_)
        while (each.at < each.stages.size() && is_through(each)) {
          ++each.at;
          has_moved = true;
        }
    }
    for (std::size_t r = 0; r < ranks_.size(); ++r)
      if (ranks_[r].at < ranks_[r].stages.size()) return circle(r);
    return {};
  }

 private:
  struct party {
    const schedule* code;
    std::vector<stage> stages;
    std::size_t at;                                                           // the stage that it is in
    std::map<std::uint32_t, std::pair<std::int32_t, std::size_t>> partner{};  // of a message: rank and its stage there
  };
  /// One end of a message.
  struct end {
    std::int32_t self;
    std::uint32_t step;
    std::size_t stage;
    std::uint16_t channel;
  };
  using lane = std::pair<std::int32_t, std::int32_t>;  // from, to

  void post(std::int32_t self) {
    const party& mine = ranks_.back();
    for (std::size_t s = 0; s < mine.stages.size(); ++s)
      for (const std::uint32_t i : mine.stages[s].messages) {
        const step& each = mine.code->steps[i];
        auto& ends = each.sends() ? sent_[{self, each.peer.value}] : received_[{each.peer.value, self}];
        ends.push_back({self, i, s, each.channel});
      }
  }

  std::optional<violation> check_matching() {
    for (const auto& [way, ends] : sent_) {
      const auto& others = received_[way];
      for (std::size_t k = 0; k < ends.size(); ++k) {
        if (k >= others.size())
          return violation{violation_kind::unmatched_send, ends[k].self, ends[k].step, way.second, "has no receive"};
        if (ends[k].channel != others[k].channel)
          return violation{violation_kind::unmatched_send, ends[k].self, ends[k].step, way.second,
                           "meets a receive of channel " + std::to_string(others[k].channel)};
        party &from = ranks_[static_cast<std::size_t>(way.first)], &to = ranks_[static_cast<std::size_t>(way.second)];
        from.partner[ends[k].step] = {way.second, others[k].stage};
        to.partner[others[k].step] = {way.first, ends[k].stage};
      }
    }
    for (const auto& [way, ends] : received_)
      if (ends.size() > sent_[way].size())
        return violation{violation_kind::unmatched_receive, way.second, ends.back().step, way.first, "has no send"};
    return {};
  }

  /// The first message of its stage whose other end's stage has not begun.
  std::optional<std::uint32_t> blocked(const party& mine) const {
    for (const std::uint32_t i : mine.stages[mine.at].messages) {
      const auto& [peer, stage] = mine.partner.at(i);
      if (ranks_[static_cast<std::size_t>(peer)].at < stage) return i;
    }
    return {};
  }
  bool is_through(const party& mine) const { return !blocked(mine); }

  violation circle(std::size_t r) const {
    const std::uint32_t i = *blocked(ranks_[r]);
    const auto& [peer, stage] = ranks_[r].partner.at(i);
    return {violation_kind::deadlock, rank(static_cast<std::int32_t>(r)), i, peer,
            "stage " + std::to_string(ranks_[r].at) + " waits for stage " + std::to_string(stage) + " of rank " +
                std::to_string(peer) + ", which is in stage " +
                std::to_string(ranks_[static_cast<std::size_t>(peer)].at)};
  }

  std::vector<party> ranks_;
  std::map<lane, std::vector<end>> sent_, received_;
};

}  // namespace detail

/// Checks that the stages of all ranks' programs run to their end where each exchange blocks until all of its messages
/// are through, and a message is through when both its ends have come to it; and that the messages between two ranks
/// match in order without channels. The first violation, or nothing. Exact; O(messages) memory.
inline std::optional<violation> verify_stages(std::int64_t ranks, const std::function<program(rank)>& program_of) {
  std::vector<program> programs;
  programs.reserve(static_cast<std::size_t>(ranks));
  for (std::int32_t r = 0; r < ranks; ++r) programs.push_back(program_of(r));
  return detail::staged_run(programs).run();
}

}  // namespace hawser::schedule
