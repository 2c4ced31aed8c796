// What the options put around every transport of a job: injected faults, and around those the checksums that find them.
#include <array>
#include <cstdio>

#include <hawser/core/hmac.hpp>
#include <hawser/transport/checksums.hpp>
#include <hawser/transport/faults.hpp>

#include "job.hpp"

namespace hawser::detail {

/// One seed for all ranks, which rank 0 prints: the same calls then meet the same faults again.
void job::prepare_faults() {
  if (options_.faults.empty()) return;
  faults_ = transport::parse_faults(options_.faults);
  if (!faults_.is_active()) return;
  if (!faults_.seed) {
    if (self() == rank(0)) {
      std::array<std::byte, 4> random;
      fill_random(random);
      std::uint64_t seed = 0;
      for (const std::byte each : random) seed = seed << 8 | std::to_integer<std::uint64_t>(each);
      door_->put("faults/seed", std::to_string(seed));
      faults_.seed = seed;
    } else {
      faults_.seed = std::stoull(door_->get("faults/seed", options_.rendezvous_timeout));
    }
  }
  if (self() == rank(0)) std::fprintf(stderr, "hawser: faults are injected: %s\n", to_string(faults_).c_str());
}

transport::any_transport job::decorated(transport::any_transport endpoint) const {
  if (faults_.is_active()) endpoint = transport::with_faults(std::move(endpoint), faults_, self(), injected_);
  if (options_.has_checksums) endpoint = transport::with_checksums(std::move(endpoint), self());
  return endpoint;
}

}  // namespace hawser::detail
