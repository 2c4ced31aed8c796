// Threads as ranks: a whole job in one process, for tests, examples and single-process programs.
#pragma once

#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <hawser/bootstrap/in_process.hpp>
#include <hawser/communicator/communicator.hpp>
#include <hawser/transport/in_process.hpp>

namespace hawser {

namespace detail {

/// The threads of `run_in_process`, over whatever transports the options name.
template <class Body>
void run_threads(int size, const communicator_options& options, Body&& body) {
  const auto job = bootstrap::in_process_job::create(size);
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(size));
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(size));
  for (int r = 0; r < size; ++r)
    threads.emplace_back([&, r] {
      try {
        communicator members(job->join(r), options);
        body(members);
      } catch (...) {
        failures[static_cast<std::size_t>(r)] = std::current_exception();
      }
    });
  for (std::thread& each : threads) each.join();
  for (const std::exception_ptr& each : failures)
    if (each) std::rethrow_exception(each);
}

}  // namespace detail

/// Runs `body(communicator&)` on `size` threads, one rank each, and waits for all. Rethrows the exception of the lowest
/// rank that failed. `options.transports` is replaced by the in-process transport.
template <class Body>
void run_in_process(int size, const communicator_options& options, Body&& body) {
  communicator_options own = options;
  own.transports = {transport::in_process_factory(std::make_shared<transport::in_process_hub>(size))};
  detail::run_threads(size, own, std::forward<Body>(body));
}

/// The same with default options.
template <class Body>
void run_in_process(int size, Body&& body) {
  run_in_process(size, communicator_options{}, std::forward<Body>(body));
}

}  // namespace hawser
