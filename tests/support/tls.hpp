// Whether the library under test was built with TLS, as its users see it.
#pragma once

#include <hawser/bootstrap/store.hpp>
#include <hawser/core/error.hpp>

namespace hawser::testing {

inline bool is_tls_there() {
  try {
    bootstrap::store_server_options options;
    options.secret = "a secret";
    options.has_tls = true;
    bootstrap::store_server server(options);
    return true;
  } catch (const error& refused) {
    if (refused.code() != errc::unsupported) throw;
    return false;
  }
}

}  // namespace hawser::testing
