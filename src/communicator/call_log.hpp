// The last calls on one communicator, and how they are compared with those of other ranks when one waits for too long.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <hawser/bootstrap/bootstrap.hpp>
#include <hawser/schedule/plan.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::detail {

/// Messages carry nothing that tells what call they belong to, so that they cost nothing more. Where ranks make calls
/// that differ (roots, counts that pick different algorithms), their messages may never meet, and both wait. A rank in
/// doubt then publishes its last calls through the bootstrap, each under a key that is the same on all ranks: who finds
/// something else there knows of the mismatch. Thread-safe.
class call_log {
 public:
  /// `communicator`: a text that no other communicator of the job ever has, the same on all of its members.
  explicit call_log(std::string communicator) : communicator_(std::move(communicator)) {}

  struct entry {
    schedule::request what;
    std::shared_ptr<const schedule::plan> plan;
    std::int64_t segments = 1;
    std::uint64_t blocks = 0;  ///< `digest_of` the sizes of blocks on which all ranks agree; 0: there are none
  };

  /// A call starts. Costs no text and no message; calls of one shape may share their entry.
  void add(const std::shared_ptr<const entry>& started);
  /// Calls so far: the same on all members, who make the same calls.
  std::uint64_t size() const;
  const std::string& communicator() const noexcept { return communicator_; }

  /// The last call in words.
  std::string last() const;
  /// Publishes the last calls. Where another rank has published a different one: who called what. Nothing where all
  /// agree so far, or the bootstrap fails, of which the ranks learn otherwise.
  std::optional<std::string> compare(bootstrap::bootstrap& door);
  /// Takes back what `compare` published, once the wait is over, so that the bootstrap's store does not grow.
  void retract(bootstrap::bootstrap& door);

 private:
  /// A rank that has gone on may wait in a later call than the one that it made differently.
  static constexpr std::size_t remembered = 4;

  std::string text_of(const entry& each) const;
  std::string key_of(std::uint64_t number) const;

  std::string communicator_;
  mutable std::mutex mutex_;
  std::array<std::shared_ptr<const entry>, remembered> last_;
  std::uint64_t size_ = 0;
  std::uint64_t published_from_ = 0, published_to_ = 0;  // numbers of calls
};

/// A number for the sizes of blocks that differs where they do, but for chance. (FNV-1a by words)
std::uint64_t digest_of(const std::vector<std::int64_t>& blocks) noexcept;

/// What `call_log::compare` found, as the job's failure.
transport::failure different_calls(const std::string& found);

}  // namespace hawser::detail
