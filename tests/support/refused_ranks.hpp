// Communicators over threads that each rank makes with options of its own, where making them is to be refused.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <hawser/communicator/in_process.hpp>
#include <hawser/transport/in_process.hpp>

namespace hawser::test {

/// `options_of(rank)` has the rank's options but for the transport; `is_expected(error)` looks at what a rank is told.
/// Returns of how many ranks it said so.
template <class OptionsOf, class IsExpected>
int count_refused(int size, OptionsOf&& options_of, IsExpected&& is_expected) {
  const auto job = bootstrap::in_process_job::create(size);
  const auto hub = std::make_shared<transport::in_process_hub>(size);
  std::vector<std::thread> threads;
  std::atomic<int> refused{0};
  for (int r = 0; r < size; ++r)
    threads.emplace_back([&, r] {
      communicator_options options = options_of(r);
      options.transports = {transport::in_process_factory(hub)};
      try {
        communicator members(job->join(r), std::move(options));
      } catch (const error& failure) {
        if (is_expected(failure)) ++refused;
      }
    });
  for (std::thread& each : threads) each.join();
  return refused;
}

}  // namespace hawser::test
