// Uses hawser::ucx: asks which of UCX's settings the environment overrides.
#include <hawser/ucx/transport.hpp>

#include <cstdlib>
#include <iostream>

int main() {
  setenv("UCX_TLS", "tcp", 1);
  const auto overrides = hawser::ucx::ucx_overrides();
  std::cout << "consumed hawser::ucx: " << overrides.size() << " overrides\n";
  return overrides.size() == 1 && overrides.front() == "UCX_TLS=tcp" ? 0 : 1;
}
