// Validation mode: before data moves, every rank tells all others what it calls.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <hawser/executor/operation.hpp>

#include "call_log.hpp"

namespace hawser::detail {

class communicator_state;

/// What all ranks must pass alike, as it travels; ranks of a job are of one version and one byte order.
struct call_signature {
  std::uint64_t number = 0;  ///< of the communicator's calls
  std::int64_t count = -1;   ///< elements per block, -1: each rank knows its own alone
  std::uint64_t blocks = 0;  ///< digest of the sizes of blocks; 0: there are none
  std::int32_t root = -1;
  std::uint32_t segments = 1;
  std::uint32_t element_bytes = 1;
  std::uint8_t what = 0, type = 0, partial = 0, op = 0, mode = 0, is_ragged = 0, is_commutative = 0, padding = 0;
  std::array<char, 84> algorithm{};  ///< the beginning of its name
  friend bool operator==(const call_signature&, const call_signature&) = default;
};
static_assert(sizeof(call_signature) == 128);

/// The signature of a call; `type` is the caller's, partial results may be kept in another.
call_signature signature_of(const call_log::entry& call, std::uint64_t number, data_type type);

/// In words, where the signatures of the ranks are not all equal: which ranks call what, and what they differ in.
std::optional<std::string> difference_of(const std::vector<call_signature>& by_rank);

/// An all_gather of signatures, by an algorithm that no call can change, so that it always meets its like on the other
/// ranks. Kept with its run, as the payload's operation.
class signature_check {
 public:
  /// `ended(state)` is called by the engine when the signatures are there, or when that has failed.
  signature_check(communicator_state& members, void (*ended)(void*), void* state);

  executor::operation& operation() noexcept { return *operation_; }
  /// What the next run tells the others.
  void tell(const call_signature& mine) noexcept { mine_ = mine; }
  /// After the run.
  std::optional<std::string> difference() const { return difference_of(all_); }

 private:
  call_signature mine_;
  std::vector<call_signature> all_;
  std::unique_ptr<executor::operation> operation_;
};

}  // namespace hawser::detail
