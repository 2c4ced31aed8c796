// The numbers that tell the communicators of one rank apart in the tags of their messages.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>

namespace hawser::detail {

/// As many communicators of a job can be alive at a time: the MPI transport has 8 bits of its tags for contexts.
inline constexpr std::size_t most_contexts = 128;

/// Added to a communicator's context for point-to-point messages, so that they never match a collective's.
inline constexpr std::uint16_t point_to_point_context = 128;

using context_set = std::bitset<most_contexts>;

/// Thread-safe. The free numbers are lent to one split at a time; a split that does not get them takes part with none
/// and tries again (as MPICH does it: src/mpi/comm/contextid.c). Of several splits on one rank the one of the lowest
/// communicator goes first, so that two splits that block each other on different ranks do not do so for ever.
class context_pool {
 public:
  context_pool() {
    free_.set();
    free_.reset(0);  // the world's
  }

  /// The number can be used again.
  void release(std::uint16_t context) {
    std::lock_guard lock(mutex_);
    free_.set(context);
  }

  /// One split of the communicator with number `parent`, from its first try to its end.
  class ticket {
   public:
    ticket(context_pool& pool, std::uint16_t parent) : pool_(pool), parent_(parent) {
      std::lock_guard lock(pool_.mutex_);
      pool_.splitting_.insert(parent_);
    }
    ticket(const ticket&) = delete;
    ticket& operator=(const ticket&) = delete;
    ~ticket() {
      give_back();
      std::lock_guard lock(pool_.mutex_);
      pool_.splitting_.erase(pool_.splitting_.find(parent_));
    }

    /// The free numbers, for this split alone until `give_back`; nothing while another split has them or goes first.
    std::optional<context_set> try_take() {
      std::lock_guard lock(pool_.mutex_);
      if (pool_.is_lent_ || *pool_.splitting_.begin() != parent_) return std::nullopt;
      has_taken_ = pool_.is_lent_ = true;
      return pool_.free_;
    }
    /// Takes one of the numbers out; under `try_take` only.
    void reserve(std::uint16_t context) {
      std::lock_guard lock(pool_.mutex_);
      pool_.free_.reset(context);
    }
    void give_back() noexcept {
      std::lock_guard lock(pool_.mutex_);
      if (has_taken_) pool_.is_lent_ = false;
      has_taken_ = false;
    }

   private:
    context_pool& pool_;
    std::uint16_t parent_;
    bool has_taken_ = false;
  };

 private:
  std::mutex mutex_;
  context_set free_;
  bool is_lent_ = false;
  std::multiset<std::uint16_t> splitting_;  // parents
};

}  // namespace hawser::detail
