// The way from one communicator to one of other ranks: a job of its own that all members have opened, or none.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <hawser/communicator/recovery.hpp>

#include "job.hpp"

namespace hawser::detail {

/// What an attempt to open a job of other ranks came to, the same on all of them.
struct opening {
  std::shared_ptr<job> made;       ///< null: it was given up
  bool has_lost_some = false;      ///< a member has died meanwhile: who is left may try again
  std::optional<error> refused{};  ///< else: why
};

/// Collective over `members` (numbers of the root): each opens its part, and all take it or none does.
opening open_together(const std::shared_ptr<bootstrap::shared_door>& shared, const std::string& scope,
                      const std::vector<rank>& members, const communicator_options& told,
                      const recovery_options& options);

/// What takes the place of transports that cannot be opened again, where nothing else reaches other hosts: those of
/// hawser::runtime.
transport::registry substitutes(const transport::registry& before);

/// The options of a job that follows on another: transports that cannot be opened again make room for those of
/// hawser::runtime, and what concerns the first job alone is dropped.
communicator_options options_for_successor(const communicator_options& before);

/// Tells the observer, if there is one.
void tell(const recovery_options& options, recovery_stage stage);

}  // namespace hawser::detail
