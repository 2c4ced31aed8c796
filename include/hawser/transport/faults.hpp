// Faults on purpose: a decorator that does to a transport's messages what networks and hosts do. In hawser::runtime.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/core/rank.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::transport {

/// What can be done to a message on its way out.
enum class message_fault : std::uint8_t {
  drop,         ///< it never leaves, and the sender is told that it has
  duplicate,    ///< it leaves twice
  corrupt,      ///< one bit is another one; empty messages have none
  short_write,  ///< its last byte is missing; empty messages have none
  reorder,      ///< it leaves after a later message of another tag, or after 10 ms
  delay,        ///< it leaves after a time
  stall,        ///< the whole endpoint does nothing for a time
  disconnect,   ///< the link to its peer is lost for good
};
inline constexpr std::size_t message_fault_count = 8;

/// Which faults happen and how often. Every rank draws from a generator of its own, made of the seed and its number,
/// one number per fault and message: the same calls meet the same faults.
struct fault_plan {
  std::array<double, message_fault_count> probability{};  ///< of each message, by message_fault
  std::chrono::microseconds delay{0};                     ///< how long `delay` holds a message back
  std::chrono::microseconds stall{0};                     ///< how long `stall` lasts
  std::optional<std::uint64_t> seed;                      ///< none: the job draws one and prints it
  std::optional<rank> only;                               ///< the only rank whose messages meet faults
  std::optional<rank> towards;                            ///< only messages to this rank
  std::uint64_t after = 0;                                ///< messages of a rank that pass before the first fault
  std::uint64_t most = UINT64_MAX;                        ///< faults of a rank altogether

  /// Of one kind.
  double chance_of(message_fault kind) const noexcept { return probability[static_cast<std::size_t>(kind)]; }
  /// Whether anything can happen.
  bool is_active() const noexcept;
};

/// Reads "corrupt:0.01,delay:5ms@0.1,seed:7" (docs/faults.md). Throws errc::parse that quotes the part that is wrong
/// and lists what there is.
fault_plan parse_faults(std::string_view text);
/// In the form that `parse_faults` reads.
std::string to_string(const fault_plan& plan);
/// Its name there: "corrupt".
std::string_view to_string(message_fault kind) noexcept;

/// A fault that was injected into a message of `bytes` bytes; ranks are numbered as in the job.
struct injected_fault {
  message_fault kind = message_fault::drop;
  rank from, to;
  std::size_t bytes = 0;
  friend bool operator==(const injected_fault&, const injected_fault&) = default;
};

/// What was injected into one rank's messages, in order; the first `most_kept` of them. Thread-safe.
class fault_log {
 public:
  static constexpr std::size_t most_kept = 65536;

  /// Another one.
  void add(const injected_fault& injected) {
    std::lock_guard lock(mutex_);
    if (injected_.size() < most_kept) injected_.push_back(injected);
  }
  /// All that is kept.
  std::vector<injected_fault> injected() const {
    std::lock_guard lock(mutex_);
    return injected_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<injected_fault> injected_;
};

/// The same endpoint, whose sends meet the faults of the plan. Receives are left alone: every message is somebody's
/// send. Messages of one tag keep their order; the caller's memory is read as late as a fault says, and never written.
/// `log`, where there is one, is told of each fault.
any_transport with_faults(any_transport endpoint, const fault_plan& plan, rank self,
                          std::shared_ptr<fault_log> log = nullptr);

}  // namespace hawser::transport
