// See run_recovery.hpp.
#include "run_recovery.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include <hawser/core/error.hpp>

#include "communicator/measure.hpp"
#include "workspace.hpp"

namespace hawser::cli {
namespace {

using clock = std::chrono::steady_clock;

/// Calls that tell how long one takes.
constexpr int calls_before = 8;

/// This process is killed half way through the time of a usual call, while it is in one.
[[noreturn]] void die_in(communicator& members, const hawser::detail::call& call, seconds usual) {
  const auto moment = clock::now() + std::chrono::duration_cast<clock::duration>(usual / 2);
  const std::jthread killer([moment] {
    std::this_thread::sleep_until(moment);
    kill(getpid(), SIGKILL);
  });
  for (;;) members.launch(call);
}

/// How long a call takes: the same on all ranks.
seconds time_of(communicator& members, const hawser::detail::call& call) {
  const hawser::detail::repetition few{.warmup = 1, .iterations = calls_before};
  return hawser::detail::measure(members, few, [&] { members.launch(call); }).median;
}

/// Calls until one fails, as each does once a rank is known to be dead; the victim may be ahead, so this rank's
/// measurement may fail, too. Returns what was said; throws it where the caller does not want to go on, or cannot.
std::string call_until_failure(communicator& members, const hawser::detail::call& call, bool goes_on) {
  try {
    time_of(members, call);
    for (;;) members.launch(call);
  } catch (const error& failed) {
    if (!goes_on || (failed.code() != errc::peer_failed && failed.code() != errc::aborted)) throw;
    return failed.what();
  }
}

rank new_number(const std::vector<rank>& old_ranks, rank before) {
  const auto found = std::find(old_ranks.begin(), old_ranks.end(), before);
  return found == old_ranks.end() ? rank(0) : rank(static_cast<std::int32_t>(found - old_ranks.begin()));
}

}  // namespace

recovered lose_rank(communicator& members, const workload& work, std::int64_t count, const std::string& algorithm,
                    rank victim, bool shrinks) {
  workspace buffers(work, members.size(), members.rank(), count);
  const hawser::detail::call call = buffers.call_for(count, algorithm);
  buffers.fill(count);
  if (members.rank() == victim) die_in(members, call, time_of(members, call));
  recovered made;
  made.report.error = call_until_failure(members, call, shrinks);
  const auto failed = clock::now();
  shrunk_communicator left = members.shrink();
  made.report.shrinking = clock::now() - failed;
  made.members = std::move(left.members);
  made.report.old_ranks = std::move(left.old_ranks);
  made.report.lost = std::move(left.lost);
  made.work = work;
  made.work.root = new_number(made.report.old_ranks, work.root);
  return made;
}

}  // namespace hawser::cli
