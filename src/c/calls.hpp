// From the flat arguments of hawser.h to a call of the communicator, and its three ways to run.
#pragma once

#include <cstdint>

#include <hawser.h>
#include <hawser/communicator/call.hpp>

#include "handles.hpp"
#include "status.hpp"

namespace hawser::c {

/// What every collective is told. `op` and `root` count where the collective has them.
struct arguments {
  const hawser_comm* comm;
  hawser_type type;
  const hawser_call_options* options;
  hawser_op op = HAWSER_SUM;
  int root = 0;
};

/// A call with equal blocks: `inputs` and `outputs` blocks of `count` elements. Throws errc::invalid_argument for
/// null handles, numbers that stand for nothing, negative counts and more bytes than memory can hold.
detail::call even(schedule::collective what, const arguments& told, const void* input, std::int64_t inputs,
                  void* output, std::int64_t outputs, std::int64_t count);

/// One side of a call with blocks of different sizes. Of a rank that passes no counts, `own` elements.
struct side {
  const std::int64_t* counts = nullptr;  ///< one per rank; null: this side has no blocks
  std::int64_t own = 0;
};
/// Throws as `even`.
detail::call ragged(schedule::collective what, const arguments& told, const void* input, side sent, void* output,
                    side received);
/// The count of this rank. Throws errc::invalid_argument for null handles or counts.
std::int64_t own_of(const hawser_comm* comm, const std::int64_t* counts);
/// The counts themselves, where they are there; else throws errc::invalid_argument.
const std::int64_t* needed(const std::int64_t* counts);
/// How many ranks there are. Throws errc::invalid_argument for a null handle.
int size_of(const hawser_comm* comm);
/// Whether this rank is the root. Throws errc::invalid_argument for a null handle.
bool is_root(const hawser_comm* comm, int root);

/// Runs a call to its end, or adds it to the group that is open.
void run(hawser_comm* comm, detail::call made);
/// Starts it, in no group. `request` may not be null.
void start(hawser_comm* comm, detail::call made, hawser_request** request);
/// Plans it. `plan` may not be null.
void plan(hawser_comm* comm, detail::call made, hawser_plan** plan);

/// The three forms of a collective, whose call `make` makes.
template <class Make>
hawser_status run_call(hawser_comm* comm, Make&& make) noexcept {
  return guarded([&] { run(comm, make()); });
}
template <class Make>
hawser_status start_call(hawser_comm* comm, hawser_request** request, Make&& make) noexcept {
  return guarded([&] { start(comm, make(), request); });
}
template <class Make>
hawser_status plan_call(hawser_comm* comm, hawser_plan** planned, Make&& make) noexcept {
  return guarded([&] { plan(comm, make(), planned); });
}

}  // namespace hawser::c
