// What a store server knows, apart from its connections: values, who waits for them, and the state of every rank.
// Rendezvous and notices are model-checked: tests/models/rendezvous.hpp changes with them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/bootstrap/agreement.hpp>
#include <hawser/bootstrap/failure_board.hpp>
#include <hawser/core/handshake.hpp>

namespace hawser::bootstrap {

/// A request that is not answered yet.
struct waiting_request {
  std::uint64_t connection = 0;
  std::uint64_t id = 0;
};

/// A verdict about a rank that wants to join.
struct admission {
  verdict result = verdict::accepted;
  std::string reason;
};

/// Newcomers of each store of a job have numbers of their own range, so that none is ever used twice.
constexpr std::int32_t numbers_per_store = 1 << 16;
/// How a newcomer introduces itself; the store gives it a number.
constexpr rank unnumbered{-1};

/// Single-threaded.
class store_state {
 public:
  /// `stores_before`: how many stores the job has lost.
  store_state(int size, std::size_t memory_limit, int stores_before)
      : ranks_(static_cast<std::size_t>(size)),
        next_newcomer_(size + stores_before * numbers_per_store),
        is_successor_(stores_before > 0),
        limit_(memory_limit) {}

  admission admit(const introduction& who) const;
  /// A number for a newcomer.
  rank number_newcomer() { return rank(next_newcomer_++); }
  void join(rank joined);
  void leave(rank left);
  /// Records a failure; false where the rank had left or failed before.
  bool fail(rank failed, const std::string& reason, failure_kind kind, bool is_certain);
  /// Records an abort; false where one of that scope is known, since all ranks tend to abort together and the first
  /// reason counts.
  bool abort(const std::string& scope, const std::string& reason);
  bool is_aborted(std::string_view scope) const;
  standing standing_of(rank asked) const;
  /// What an earlier store has said of ranks, before anybody joins.
  void inherit(const std::vector<failure_notice>& known);
  /// Ranks that have not come.
  std::vector<rank> missing_ranks() const;
  /// Gives up a rank that has not come.
  void give_up_missing(rank missing, const std::string& reason);
  /// From now on whoever has not come is out of reach.
  void end_grace() noexcept { is_grace_over_ = true; }
  /// A closed connection was that of a process that has ended.
  void confirm_dead(rank failed);
  const std::vector<failure_notice>& notices() const noexcept { return notices_; }

  /// The rendezvous is over: all have been here, or an earlier store has seen them.
  bool is_complete() const noexcept { return is_successor_ || joined_ == ranks_.size(); }
  bool has_active() const noexcept { return active_ > 0; }
  /// "ranks 3, 5 and 9 of 16".
  std::string missing() const;

  /// Stores a value and hands out those who wait for it. Throws errc::mismatch, errc::resource.
  std::vector<waiting_request> put(std::string_view key, std::string_view value);
  const std::string* find(std::string_view key) const;
  void wait_for(std::string_view key, waiting_request who);
  void cancel(std::string_view key, waiting_request who);
  void erase(std::string_view key);
  /// Drops the requests of a closed connection.
  void forget(std::uint64_t connection);

 private:
  enum class presence : std::uint8_t { missing, active, left, dead, unreachable };

  presence* find_rank(rank asked);
  const presence* find_rank(rank asked) const { return const_cast<store_state*>(this)->find_rank(asked); }

  std::vector<presence> ranks_;
  std::map<std::int32_t, presence> newcomers_;
  std::int32_t next_newcomer_;
  bool is_successor_;
  bool is_grace_over_ = false;
  std::size_t joined_ = 0;
  std::size_t active_ = 0;
  std::vector<failure_notice> notices_;
  std::map<std::string, std::string, std::less<>> values_;
  std::map<std::string, std::vector<waiting_request>, std::less<>> waiting_;
  std::size_t used_ = 0;
  std::size_t limit_;
};

}  // namespace hawser::bootstrap
