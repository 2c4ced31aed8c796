// Uses hawser::cuda: starts without a driver, and asks for devices.
#include <hawser/cuda/device_info.hpp>
#include <hawser/cuda/policy.hpp>

#include <iostream>

int main() {
  std::string why;
  const auto devices = hawser::cuda::find_devices(&why);
  std::cout << "consumed hawser::cuda: " << devices.size() << " devices " << why << "\n";
  return devices.empty() == !why.empty() && hawser::cuda::policy_for(90).architecture == 90 ? 0 : 1;
}
