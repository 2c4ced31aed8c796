// Whether a rank whose connection has closed is dead, or has only given this store up: who still listens lives.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <hawser/core/rank.hpp>

#include "../core/socket.hpp"

namespace hawser::bootstrap {

/// Asks the addresses that ranks hold ready for a store of their own. A refused connection is a process that has ended;
/// no answer, or a connection that stays, is no proof. Never blocks.
class death_probes {
 public:
  using clock = std::chrono::steady_clock;

  /// Begins to ask for one rank; `where` is "host port".
  void add(rank suspect, const std::string& where, clock::time_point now);
  /// Asks again; returns the ranks that are dead for certain.
  std::vector<rank> advance(clock::time_point now);
  /// The rank has come: nothing more is to be asked.
  void drop(rank suspect);
  /// Whether that rank is still asked for.
  bool asks_for(rank suspect) const;
  bool is_empty() const noexcept { return probes_.empty(); }

 private:
  struct probe {
    rank suspect;
    net::address where;
    net::unique_fd fd;
    clock::time_point deadline;
    bool is_connected = false;
  };
  enum class finding { unknown, refused, lives };
  static finding look_at(probe& each);

  std::vector<probe> probes_;
};

/// "host port" as an address; throws errc::io.
net::address address_of(const std::string& where);

}  // namespace hawser::bootstrap
