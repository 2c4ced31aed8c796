// Memory of the same size on every rank of a group, mapped by all of them.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <hawser/bootstrap/bootstrap.hpp>
#include <hawser/cuda/capability.hpp>

namespace hawser::cuda {

struct symmetric_mapping;

/// Which memory, and how long to wait for the other ranks.
struct symmetric_options {
  std::int32_t device = 0;
  std::chrono::milliseconds timeout{30'000};
  std::array<std::uint8_t, 16>
      domain{};               ///< between hosts: the cluster UUID that NVML reports for the GPU (hawser topo)
  std::uint32_t clique = 0;   ///< and its clique
  bool may_multicast = true;  ///< make a multicast object over it where every rank can and may
};

/// An allocation on each rank's GPU, zeroed, and the addresses of all of them on this rank. Collective to make, by all
/// ranks of the job with one name; freed by each on its own, when no kernel of any rank uses it any more.
/// Proven on no GPU yet (docs/gpu.md).
class symmetric_memory {
 public:
  /// Exchanges capabilities under keys that begin with `name`, agrees on the kind, allocates, and maps. Throws
  /// errc::unsupported where there is no CUDA device or where the ranks cannot share memory (with the reason; on all
  /// ranks alike where all have a device), errc::timeout where ranks do not come; errc::resource on all ranks where
  /// CUDA refuses a step on one, with its native code and `error::peer`.
  symmetric_memory(bootstrap::bootstrap& job, std::string_view name, std::size_t bytes,
                   const symmetric_options& options = {});
  symmetric_memory(const symmetric_memory&) = delete;
  symmetric_memory& operator=(const symmetric_memory&) = delete;
  ~symmetric_memory();

  /// Rank r's memory as this rank's kernels address it.
  std::byte* of(rank r) const;
  /// Of each rank: what was asked for, rounded up to the granularity of the kind.
  std::size_t bytes() const noexcept;
  /// All ranks' memory at one address for multimem instructions, with the offsets of `of`; null where there is none.
  /// The same on all ranks: all have it or none.
  std::byte* multicast() const noexcept;
  /// The step that was refused and the rank ("rank 2 cannot bind memory to a multicast object (...)"), where `agreed`
  /// allows multicast and there is none; else empty. The same on all ranks.
  std::string_view multicast_refusal() const noexcept;
  /// What the group agreed on.
  const agreement& agreed() const noexcept;

 private:
  std::unique_ptr<symmetric_mapping> self_;
};

}  // namespace hawser::cuda
