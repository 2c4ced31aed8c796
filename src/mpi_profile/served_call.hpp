// An MPI collective on its way through hawser.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <hawser/communicator/call.hpp>
#include <hawser/communicator/communicator.hpp>

#include "arguments.hpp"
#include "communicators.hpp"
#include "operators.hpp"
#include "side.hpp"

namespace hawser::mpi_profile {

/// Translates the arguments once, then runs any number of times. The buffers are the program's until a run is over.
class served_call {
 public:
  /// `reduced` where it reduces. Local. Throws what `side` throws.
  served_call(const arguments& asked, const known_communicator& known, const std::optional<reduction>& reduced);

  /// Runs it to its end, while the MPI library's own messages go on. Throws as hawser's collectives do.
  void run();
  /// Starts it; hawser's progress thread drives it, whatever the program does. Throws what it would before anything is
  /// sent.
  void start();
  /// Plans it for many starts, on a communicator of its own. Local.
  void plan(std::shared_ptr<detail::communicator_state> own);
  /// True once a started run is over and the program's buffers hold the result. Throws as `run`.
  bool test();

 private:
  void make_reduction(const reduction& by);
  void make_move();
  void make_exchange();
  void make_rooted();
  void take_input(side& from, bool is_ragged);
  void take_output(side& to, bool is_ragged);
  void keep_arguments();
  void load();
  void store();

  arguments asked_;
  int rank_ = 0;
  int size_ = 0;
  std::shared_ptr<detail::communicator_state> members_;
  detail::call made_{};
  side input_{}, output_{};
  bool loads_input_ = false;      // the copy of the input side
  bool loads_output_ = false;     // the copy of the output side, whole: in place
  bool loads_own_block_ = false;  // this rank's block of the output side: in place
  bool stores_output_ = false;
  std::vector<std::byte> own_block_;  // result of a reduce-scatter in place, which MPI wants at the buffer's start
  detail::run_handle run_{};
  std::shared_ptr<detail::collective_run> planned_{};
};

/// Waits for a run, letting the MPI library move its messages in between. Throws as hawser's collectives do.
void wait_in_mpi(detail::collective_run& run);

}  // namespace hawser::mpi_profile
