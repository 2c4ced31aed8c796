// The dumps of a job, indexed by rank and by call; what hang.cpp asks of them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <hawser/diagnosis/dump.hpp>

namespace hawser::diagnosis::detail {

/// A call by communicator and number.
using call_name = std::pair<std::string, std::uint64_t>;

/// Refers to the dumps, which must outlive it.
class job_view {
 public:
  explicit job_view(const std::vector<dump>& dumps);

  std::int32_t size() const noexcept { return size_; }
  const std::vector<dump>& dumps() const noexcept { return *dumps_; }
  /// Null where the rank left none.
  const dump* of(std::int32_t rank) const;
  std::vector<std::int32_t> without_dump() const;

  /// The ranks of a communicator, as any of its members tells.
  std::vector<std::int32_t> members(const std::string& communicator) const;
  /// The last collective that the rank made on a communicator; null: none that its dump still holds.
  const dumped_call* last_call(std::int32_t rank, const std::string& communicator) const;
  /// A rank's call of that name; null: it is not in its dump.
  const dumped_call* call(std::int32_t rank, const call_name& name) const;
  /// The collectives, or the messages, that the rank is in.
  std::vector<const dumped_call*> open_calls(std::int32_t rank) const;
  std::vector<const dumped_call*> open_messages(std::int32_t rank) const;
  /// Every collective that some rank is in, with these ranks.
  std::map<call_name, std::vector<std::int32_t>> open_by_call() const;

  /// "call 17 of communicator world (all_reduce of ...)".
  std::string in_words(const call_name& name) const;

 private:
  const std::vector<dump>* dumps_;
  std::int32_t size_;
  std::vector<const dump*> by_rank_;
};

/// "12.3 s", "450 ms".
std::string duration_in_words(double seconds);

}  // namespace hawser::diagnosis::detail
