// Hangs inside a call that all ranks have made, and of messages between two ranks.
#pragma once

#include <optional>

#include <hawser/diagnosis/hang.hpp>

#include "job_view.hpp"

namespace hawser::diagnosis::detail {

/// All ranks are in the oldest open call: a link that loses messages, or the rank at the end of the chain of waits.
std::optional<hang_report> find_stuck_step(const job_view& job);
/// A message to whose other end nobody has come, or that does not arrive.
std::optional<hang_report> find_stuck_message(const job_view& job);

}  // namespace hawser::diagnosis::detail
