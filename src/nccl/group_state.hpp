// What communicators, wires and registrations of one group share.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <hawser/nccl/communicators.hpp>

#include "nccl/lane.hpp"

namespace hawser::nccl {

namespace detail {

struct group_state {
  bootstrap::bootstrap& job;
  const bootstrap::failure_board& heeded;
  std::uint64_t known_failures;  ///< of the board, when the group was made
  std::string name;
  std::vector<rank> members;
  int place;
  nccl_options options;
  std::shared_ptr<const library> opened;  ///< null until the lanes are made
  std::vector<std::unique_ptr<lane>> lanes{};

  group_state(const membership& group, const nccl_options& with, std::shared_ptr<const library> by);
  group_state(const group_state&) = delete;
  group_state& operator=(const group_state&) = delete;
  ~group_state();

  const functions& calls() const noexcept { return opened->calls(); }
  /// Throws errc::invalid_argument for one that is not there.
  lane& at(int number) const;
  /// A member's place. Throws errc::unsupported for another rank.
  int place_of(rank member) const;
  /// The bound of enqueuing; ended by failures of members and aborts.
  patience bound() const;
  ncclConfig_t config() const;
  void abort(std::string_view reason) noexcept;
};

}  // namespace detail

/// The way of hawser's own files to what communicators share.
struct access {
  static const std::shared_ptr<detail::group_state>& of(const communicators& c) { return c.state_; }
};

/// Opens NCCL where that has not been done, so that all hear of a rank that has none, and makes the lanes of `state`:
/// from ids, or by splitting those of `parent`, whose members all take part; where that is refused, the parent has
/// ended too, since NCCL leaves it broken.
void make_lanes(detail::group_state& state, detail::group_state* parent, const std::string& keys);

}  // namespace hawser::nccl
