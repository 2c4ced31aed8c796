// NCCL communicators over a group of a job's ranks: one per lane, made and ended together.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/bootstrap/bootstrap.hpp>
#include <hawser/bootstrap/launcher.hpp>
#include <hawser/core/rank.hpp>
#include <hawser/nccl/library.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::nccl {

/// How communicators are made. Equal on all ranks, but for `device` and `library`.
struct nccl_options {
  int lanes = 1;  ///< communicators that work independently of each other, each on one stream at a time
  int min_ctas =
      0;  ///< CTAs, so SMs, that an operation takes at least and at most; 0: NCCL's choice. The operations of all
  int max_ctas = 0;     ///< lanes must fit on the GPU at once: lanes * max_ctas below its SMs
  int device = -1;      ///< CUDA device, made current for the calling thread; -1: the one that is
  std::string network;  ///< NCCL's netName ("IB", "Socket"); empty: NCCL's choice
  std::string library;  ///< file of NCCL; empty: libnccl.so.2
  std::chrono::milliseconds creation_timeout{60'000};  ///< all members must have come within it
  /// Bound of enqueuing: the first messages between two ranks are enqueued when both have come to them.
  std::chrono::milliseconds operation_timeout{30 * 60'000};
  std::chrono::milliseconds abort_timeout{1'000};  ///< bound of leaving in good order; after it, abort
};

/// The options that the environment gives (HAWSER_NCCL_LIBRARY).
nccl_options options_of(const bootstrap::launch& from);

/// Who makes communicators together. `job` and `heeded` must outlive them.
struct membership {
  bootstrap::bootstrap& job;
  std::string name;             ///< of the group, used once per job
  std::vector<rank> members{};  ///< ranks of the job in the group's order, this one among them; empty: all
  const bootstrap::failure_board* heeded = nullptr;  ///< whose failures end waits; null: the job's
};

namespace detail {
struct group_state;
}

/// One rank's end of a group's communicators, `nccl_options::lanes` of them. A wire or registration made from it shares
/// it. Calls on one lane come from one thread at a time, but for `abort` and `poll_failure`.
class communicators {
 public:
  /// Collective over the members. NCCL works on this beside the caller, whose wait ends by `creation_timeout`, by a
  /// failure that becomes known, and by any member's refusal: all get the same error then, which names the member, and
  /// nothing is left. Throws errc::unsupported, errc::resource, errc::peer_failed, errc::timeout, errc::aborted with
  /// NCCL's code; errc::invalid_argument for members or options that can never work.
  explicit communicators(const membership& group, const nccl_options& options = {});
  /// The same over an NCCL that is open; null: the one of the options.
  communicators(const membership& group, const nccl_options& options, std::shared_ptr<const library> opened);
  communicators(const communicators&) = delete;
  communicators& operator=(const communicators&) = delete;
  /// Finalises and destroys once no wire or registration shares it; aborts what does not end within `abort_timeout`,
  /// and what has failed. Graphs that hold exchanges must be gone by then.
  ~communicators();

  /// Collective over all members: communicators of parts, such as rails; `members` are this rank's part, in the order
  /// of the new ranks. `name` is used once. Lanes and options are this one's. Throws as the constructor, and then this
  /// one is aborted too.
  std::unique_ptr<communicators> split(std::string_view name, std::vector<rank> members) const;

  /// This rank's place in the group, and the job's ranks in it.
  int place() const noexcept;
  std::span<const rank> members() const noexcept;
  int lanes() const noexcept;
  const capabilities& can() const noexcept;

  /// What went wrong on any lane since the last call; never blocks. From any thread.
  std::optional<transport::failure> poll_failure();
  /// Ends all lanes, and what is under way on streams. From any thread; the first call counts.
  void abort(std::string_view reason) noexcept;

 private:
  friend struct access;
  explicit communicators(std::shared_ptr<detail::group_state> state);

  std::shared_ptr<detail::group_state> state_;
};

}  // namespace hawser::nccl
