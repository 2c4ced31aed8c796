// The blocking part of joining a store: connect, prove the secret, try again until the time is up.
#pragma once

#include <hawser/bootstrap/store.hpp>

#include "../core/socket.hpp"

namespace hawser::bootstrap {

/// Returns a connected socket whose handshake was accepted. Throws as `store_bootstrap` says.
net::unique_fd connect_to_store(const store_options& options);

}  // namespace hawser::bootstrap
