// See serve.hpp. Who serves is decided from what `agreed_bytes` says, the operator, and the communicator's state, which
// are the same on all members; only a call that MPI refuses goes its own way.
#include "serve.hpp"

#include "calibrate.hpp"
#include "figures.hpp"
#include "judge.hpp"
#include "pass.hpp"
#include "process.hpp"
#include "requests.hpp"
#include "served_call.hpp"

namespace hawser::mpi_profile {

namespace {

using server = choice::server;

/// What is to be done with a call.
struct verdict {
  known_communicator* known = nullptr;
  choice* counted = nullptr;  ///< null: not counted
  bool by_hawser = false;
  std::optional<reduction> reduced{};
};

/// MPI serves the first calls of a class, so that programs which make few pay nothing for a measurement.
constexpr int calls_before_calibration = 4;

/// Whether hawser has the operator; the same on all members.
bool can_reduce(const arguments& call, verdict& found) {
  if (!schedule::reduces(call.what)) return true;
  found.reduced = reduction_of(call.op, call.receive.type);
  return found.reduced.has_value();
}

/// Of a blocking call in automatic mode that nobody has decided on: perhaps measures now.
void decide(const arguments& call, std::int64_t bytes, verdict& found) {
  known_communicator& known = *found.known;
  choice& undecided = *found.counted;
  undecided.by = known.size == 1 ? server::mpi : server::undecided;
  // Another operator may come in this class.
  if (known.size == 1 || !can_reduce(call, found) || (found.reduced && !found.reduced->is_native)) return;
  const measured_call kind{known.size, call.what, call.is_ragged, class_of(bytes)};
  std::optional<figure_pair> before;
  if (undecided.seen++ == 0) before = find_given(kind);
  if (!before && undecided.seen < calls_before_calibration) return;
  undecided.by = server::mpi;
  make_members(known);
  if (!known.is_served()) return;
  if (before) return decide_by(*before, undecided);
  if (decide_by_all(find_measured(kind), call.comm, undecided)) return;
  calibrate(call, bytes, found.reduced, known, undecided);
  if (undecided.mpi_seconds > 0) note_measured(kind, {undecided.mpi_seconds, undecided.hawser_seconds});
}

verdict judge(const arguments& call, bool may_block) {
  verdict found;
  if (!process::self().is_running()) return found;
  found.known = find_communicator(call.comm);
  if (found.known == nullptr) return found;
  const std::int64_t bytes = agreed_bytes(call, *found.known);
  if (bytes == no_call) return found;
  const bool is_empty = bytes == 0 && call.what != collective::barrier;
  found.counted = &found.known->choices.at(call.what, call.is_ragged, bytes == no_size ? 0 : class_of(bytes));
  if (is_empty || found.known->state == known_communicator::progress::refused) return found;
  if (!process::self().is_forced()) {
    if (found.counted->by == server::undecided && may_block && bytes != no_size) decide(call, bytes, found);
    if (found.counted->by != server::hawser) return found;
  } else if (may_block) {
    make_members(*found.known);
  }
  found.by_hawser = found.known->is_served() && can_reduce(call, found) && !must_be_refused(call, *found.known);
  return found;
}

/// Counts the call for the report.
void count(const verdict& found) noexcept {
  if (found.counted == nullptr) return;
  ++(found.by_hawser ? found.counted->hawser_calls : found.counted->mpi_calls);
}

}  // namespace

int serve(const arguments& call) noexcept {
  try {
    const verdict found = judge(call, true);
    count(found);
    if (!found.by_hawser) return pass(call);
    served_call(call, *found.known, found.reduced).run();
    return MPI_SUCCESS;
  } catch (const std::exception& raised) {
    return report_error(call.comm, raised);
  }
}

int serve_later(const arguments& call, MPI_Request* request) noexcept {
  try {
    const verdict found = judge(call, false);
    count(found);
    if (!found.by_hawser || request == nullptr) return pass_later(call, request);
    return start_request(std::make_unique<served_call>(call, *found.known, found.reduced), call.comm, request);
  } catch (const std::exception& raised) {
    return report_error(call.comm, raised);
  }
}

int serve_persistent(const arguments& call, MPI_Info info, MPI_Request* request) noexcept {
  try {
    const verdict found = judge(call, true);
    count(found);
    if (!found.by_hawser || request == nullptr) return pass_persistent(call, info, request);
    // The ranks may start persistent collectives in different orders (MPI 4.0, 6.13): each has its own numbers.
    auto members = make_own_members(*found.known);
    if (!members) return pass_persistent(call, info, request);
    auto planned = std::make_unique<served_call>(call, *found.known, found.reduced);
    planned->plan(std::move(members));
    return make_persistent_request(std::move(planned), call.comm, request);
  } catch (const std::exception& raised) {
    return report_error(call.comm, raised);
  }
}

}  // namespace hawser::mpi_profile
