// The state of one MPI endpoint: the requests under way, in a vector that MPI_Testsome takes as it is.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <deque>
#include <span>
#include <thread>
#include <unordered_map>
#include <vector>

#include <hawser/mpi/transport.hpp>

#include "tag_layout.hpp"

namespace hawser::mpi {

class mpi_endpoint {
 public:
  mpi_endpoint(MPI_Comm communicator, const transport::endpoint_environment& environment, const mpi_options& options);
  ~mpi_endpoint();

  void send(rank peer, transport::tag match, std::span<const std::byte> bytes, transport::completion& done);
  void receive(rank peer, transport::tag match, transport::sink into, transport::completion& done);
  bool progress();
  void peer_failed(const transport::failure& why);
  void shutdown();

 private:
  using clock = std::chrono::steady_clock;

  struct peer_state {
    bool has_failed = false;
    bool has_left = false;  ///< its farewell has come
    transport::failure why;
    clock::time_point give_up{};
  };
  /// One transfer; its request has the same index.
  struct pending {
    transport::completion* done;
    rank peer;
    std::size_t bytes;
    bool is_receive;
  };
  /// A receive that nothing has arrived for.
  struct waiting {
    pending what;
    std::byte* data;
  };
  /// A message that is here, whole or announced, and that MPI matches no more.
  struct arrival {
    MPI_Message handle = MPI_MESSAGE_NULL;
    std::size_t bytes = 0;
  };
  struct finished {
    pending what;
    int code;
    bool is_cancelled;
    std::size_t received;
  };
  /// A message of the wrong size or that nobody wants.
  struct discarded {
    std::vector<std::byte> memory;
    MPI_Request request;
  };

  // transfers.cpp
  peer_state* usable(rank peer, transport::tag match, transport::completion& done);
  void require_thread() const;
  void started(int code, MPI_Request request, const pending& what);
  bool collect();
  bool give_up_expired();
  void deliver(const finished& which);
  void drop_waiting(rank of);
  bool match_incoming();
  void take(arrival message, const waiting& wanted);
  void discard(arrival message);
  void release_discarded();
  static std::uint64_t key_of(rank peer, int folded) noexcept {
    return static_cast<std::uint64_t>(peer.value) << 32 | static_cast<std::uint32_t>(folded);
  }
  void remove_finished();

  // lifetime.cpp
  void check_thread_level();
  void drain(clock::time_point deadline);
  void discard_arrived();
  bool take_farewells();
  void say_farewell();
  void end_if_unsafe() const;
  void drop_pending();
  void release_communicators();

  rank self_;
  int size_;
  mpi_options options_;
  MPI_Comm messages_ = MPI_COMM_NULL;
  MPI_Comm farewells_ = MPI_COMM_NULL;
  tag_layout layout_;
  bool is_main_thread_only_ = false;
  std::thread::id main_thread_;
  std::unordered_map<std::int32_t, peer_state> peers_;  // those that messages were exchanged with, and the failed
  int doomed_ = 0;                                      // failed peers whose transfers wait for give_up
  std::vector<MPI_Request> requests_;
  std::vector<pending> pending_;
  std::vector<int> indices_;
  std::vector<MPI_Status> statuses_;
  std::vector<discarded> discarded_;
  // By source and folded tag, in order; entries are never empty.
  std::unordered_map<std::uint64_t, std::deque<waiting>> waiting_;
  std::unordered_map<std::uint64_t, std::deque<arrival>> arrived_;
  bool is_closed_ = false;
};

}  // namespace hawser::mpi
