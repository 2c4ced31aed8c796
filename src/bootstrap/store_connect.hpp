// The blocking part of joining a store: connect, prove the secret, try again until the time is up.
#pragma once

#include <hawser/bootstrap/store.hpp>
#include <hawser/core/handshake.hpp>

#include "../core/channel.hpp"

namespace hawser::bootstrap {

/// Of TLS; null: in the clear.
using keys = std::shared_ptr<const net::tls_keys>;

/// Returns a connection whose handshake was accepted. Throws as `store_bootstrap` says.
net::channel connect_to_store(const store_options& options, const keys& by);

/// What came of asking one address for a store that takes a lost one's place.
enum class reception {
  joined,
  nobody,     ///< the connection was refused: no process listens there
  given_up,   ///< there is a store, which says that this rank has failed
  no_answer,  ///< until the deadline, or what answers is no store of this job
  cancelled,
};

/// Asks until the deadline, or until `cancel` is readable; `who` says who asks. Fills `joined` on success.
reception ask_successor(const net::address& where, const std::string& secret, const keys& by, const introduction& who,
                        std::chrono::steady_clock::time_point deadline, int cancel, net::channel& joined);

}  // namespace hawser::bootstrap
