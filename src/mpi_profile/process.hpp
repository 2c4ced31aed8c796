// This process's part in the job: from the end of MPI_Init to the beginning of MPI_Finalize.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <hawser/communicator/communicator.hpp>

#include "mpi_api.hpp"
#include "settings.hpp"

namespace hawser::mpi_profile {

/// What all communicators share. One object; thread-safe between `start` and `stop`.
class process {
 public:
  static process& self();

  /// Collective over MPI_COMM_WORLD, after MPI_Init: agrees on the settings and, unless they are off, makes hawser's
  /// job of all ranks. Where that fails on any rank it warns, and all ranks leave everything to the MPI library; with
  /// HAWSER_MPI=force it ends the job.
  void start();
  /// Collective, before MPI_Finalize: writes the report and closes the job.
  void stop();

  /// Whether anything may be served by hawser; one relaxed load.
  bool is_running() const noexcept { return is_running_.load(std::memory_order_relaxed); }
  bool is_forced() const noexcept { return settings_.serve == mode::forced; }
  const settings& told() const noexcept { return settings_; }
  int world_rank() const noexcept { return world_rank_; }
  /// hawser's communicator of all ranks, while `is_running`.
  hawser::communicator& world() noexcept { return *world_; }
  /// Tells hawser's communicators of this process apart; counts up.
  int take_serial() noexcept { return serial_.fetch_add(1); }
  /// Lets the MPI library move its own messages: a rank that waits in hawser is still inside MPI.
  void drive_mpi() noexcept;

 private:
  void make_world();
  std::string agree_on_settings();
  bool agree(const std::string& problem);

  settings settings_;
  std::atomic<bool> is_running_{false};
  std::atomic<int> serial_{0};
  std::unique_ptr<hawser::communicator> world_;
  MPI_Comm world_copy_ = MPI_COMM_NULL;
  MPI_Comm self_copy_ = MPI_COMM_NULL;
  MPI_Request never_ = MPI_REQUEST_NULL;  ///< a receive of what nobody sends
  int world_rank_ = 0;
  int world_size_ = 1;
};

}  // namespace hawser::mpi_profile
