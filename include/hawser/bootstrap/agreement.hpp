// Agreement that tolerates deaths while it runs: who of some ranks is there, and what each has said, the same for all.
#pragma once

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/core/rank.hpp>

namespace hawser::bootstrap {

/// What is known of a rank at the moment of a decision; the numbers travel.
enum class standing : std::uint8_t {
  present = 0,      ///< it lives; in an agreement: and has said what it had to say
  dead = 1,         ///< its process has ended, for certain
  unreachable = 2,  ///< it has been given up, but may live elsewhere
  left = 3,         ///< it has left the job in good order
  absent = 4,       ///< nothing speaks against it, but it has not come
};

/// One rank's part in an agreement. All its members ask with the same name, members, newcomers and time-out.
struct question {
  std::string name;                           ///< used once in a job
  std::vector<rank> members;                  ///< by their numbers in the job, as it was started
  std::string said;                           ///< what this rank tells the others
  int newcomers = 0;                          ///< processes that are to be admitted
  std::chrono::milliseconds timeout{60'000};  ///< from the first member's question on
};

/// What all members that live learn alike. Decided once: who asks later gets the same.
struct agreement {
  /// One member, in the question's order.
  struct member {
    rank number;
    standing state = standing::absent;
    std::string said;  ///< of those that are present
    friend bool operator==(const member&, const member&) = default;
  };
  std::vector<member> members;
  std::vector<rank> newcomers;  ///< as many as were asked for, or none: where a member is missing too

  friend bool operator==(const agreement&, const agreement&) = default;

  /// Members with that standing.
  std::int64_t count(standing state) const {
    return std::count_if(members.begin(), members.end(), [&](const member& each) { return each.state == state; });
  }
};

/// How a newcomer learns of its admission.
struct admission_notice {
  std::string name;           ///< of the agreement that admitted it
  std::vector<rank> members;  ///< the old ones, then the newcomers
};

/// The agreements of a job, kept by whoever arbitrates: the store, or the job of threads. Single-threaded. An agreement
/// is decided when each member has asked or is known not to come, and the newcomers are there, or when its time is up.
class agreement_table {
 public:
  using clock = std::chrono::steady_clock;
  using standing_of = std::function<standing(rank)>;

  /// Takes a member's question; nothing where it has been decided.
  void ask(rank who, const question& asked, clock::time_point now) {
    if (decided_.contains(asked.name)) return;
    const auto [entry, is_new] = open_.try_emplace(asked.name);
    if (is_new) entry->second = {asked.members, asked.newcomers, now + asked.timeout, {}};
    entry->second.said.insert_or_assign(who.value, asked.said);
  }

  /// A decision that an earlier arbiter made.
  void adopt(const std::string& name, agreement known) {
    open_.erase(name);
    remember(name, std::move(known));
  }

  /// Decides what can be decided; takes admitted newcomers out of the lobby. Returns the names of what was decided.
  std::vector<std::string> decide(clock::time_point now, const standing_of& known, std::vector<rank>& lobby) {
    std::vector<std::string> names;
    for (auto each = open_.begin(); each != open_.end();) {
      std::optional<agreement> made = conclude(each->second, now, known, lobby);
      if (!made) {
        ++each;
        continue;
      }
      names.push_back(each->first);
      remember(each->first, std::move(*made));
      each = open_.erase(each);
    }
    return names;
  }

  /// The decision; null while there is none.
  const agreement* find(const std::string& name) const {
    const auto found = decided_.find(name);
    return found == decided_.end() ? nullptr : &found->second;
  }

  bool has_open() const noexcept { return !open_.empty(); }

 private:
  struct pending {
    std::vector<rank> members;
    int newcomers = 0;
    clock::time_point deadline;
    std::map<std::int32_t, std::string> said;
  };

  /// Late members ask for decisions of the last moments only.
  static constexpr std::size_t most_remembered = 64;

  static std::optional<agreement> conclude(const pending& open, clock::time_point now, const standing_of& known,
                                           std::vector<rank>& lobby) {
    agreement made;
    bool is_waiting = lobby.size() < static_cast<std::size_t>(open.newcomers), is_whole = true;
    for (const rank each : open.members) {
      const auto said = open.said.find(each.value);
      standing state = known(each);
      if (state == standing::present && said == open.said.end()) state = standing::absent;
      is_waiting = is_waiting || state == standing::absent;
      is_whole = is_whole && state == standing::present;
      made.members.push_back({each, state, state == standing::present ? said->second : std::string()});
    }
    if (is_waiting && now < open.deadline) return std::nullopt;
    if (!is_waiting && is_whole && open.newcomers > 0) {
      made.newcomers.assign(lobby.begin(), lobby.begin() + open.newcomers);
      lobby.erase(lobby.begin(), lobby.begin() + open.newcomers);
    }
    return made;
  }

  void remember(const std::string& name, agreement made) {
    if (!decided_.insert_or_assign(name, std::move(made)).second) return;
    order_.push_back(name);
    if (order_.size() <= most_remembered) return;
    decided_.erase(order_.front());
    order_.pop_front();
  }

  std::map<std::string, pending> open_;
  std::map<std::string, agreement> decided_;
  std::deque<std::string> order_;
};

}  // namespace hawser::bootstrap
