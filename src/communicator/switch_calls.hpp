// What the aggregators of switches are told of each call, and how rank 0 tells them.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <hawser/executor/engine.hpp>
#include <hawser/schedule/request.hpp>
#include <hawser/topology/switches.hpp>

#include "contexts.hpp"

namespace hawser::detail {

/// One call, as far as a switch takes part in it; or the job's end. Plain data.
struct switch_call {
  /// Bytes of a message about a call: names and numbers, and the algorithm's name of at most a quarter of it.
  static constexpr std::size_t message_bytes = 512;
  /// Of the messages; ranks of a communicator have no label there, since an aggregator is none of them.
  static constexpr transport::tag match{point_to_point_context, 0, 0, 0};

  bool is_end = false;
  schedule::request what{};  ///< collective, count, type and size of what travels, operator, root, algorithm
  std::int64_t segments = 1, window = 1;
  std::uint16_t number = 0;  ///< of the collective on its communicator

  /// Throws errc::unsupported where it is too long for a message.
  std::array<char, message_bytes> to_message() const;
  /// Throws errc::parse for what `to_message` cannot have made.
  static switch_call parse(const std::array<char, message_bytes>& message);
};

/// The process of the job that serves a switch, and back: aggregators are numbered as switches are, but without those
/// that nobody serves. `served`: per level, outermost first.
rank aggregator_of(const topology::hierarchy& tree, const std::vector<bool>& served, rank network_switch);
rank switch_of(const topology::hierarchy& tree, const std::vector<bool>& served, rank aggregator);

/// Rank 0's end: messages that are on their way stay here until the engine has let go of them.
class switch_announcer {
 public:
  explicit switch_announcer(executor::engine& engine) : engine_(engine) {}

  /// To one aggregator, by its number in the job; returns at once.
  void tell(rank aggregator, const switch_call& call);
  /// Waits until all has gone out; false when `patience` is over.
  bool flush(std::chrono::nanoseconds patience);

 private:
  struct letter : transport::completion {
    std::array<char, switch_call::message_bytes> text{};
    std::atomic<bool> is_done{false};
  };

  executor::engine& engine_;
  std::vector<std::unique_ptr<letter>> sent_;
};

}  // namespace hawser::detail
