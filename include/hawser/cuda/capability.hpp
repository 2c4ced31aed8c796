// What each rank's GPU can do, and what follows for the group: the same on all ranks, decided from what all have said.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace hawser::cuda {

/// How the ranks of a group see each other's memory.
enum class memory_kind : std::uint8_t {
  process_pointers,  ///< all ranks are threads of one process
  descriptors,       ///< VMM, exported as file descriptors, between processes of one host
  fabric,            ///< VMM, exported as fabric handles, between hosts of one NVLink domain (needs IMEX channels)
  legacy_ipc,        ///< cudaIpc, between processes of one host
};

/// How kernels of different ranks are kept in step.
enum class synchronisation : std::uint8_t {
  device_flags,  ///< flags in peer memory: a call is one kernel
  host_phased,   ///< a kernel per phase, the host in between: always correct
};

/// "fabric" and the like.
constexpr std::string_view to_string(memory_kind kind) noexcept {
  constexpr std::array<std::string_view, 4> names{"process_pointers", "descriptors", "fabric", "legacy_ipc"};
  return names[static_cast<std::size_t>(kind)];
}
/// "device_flags" or "host_phased".
constexpr std::string_view to_string(synchronisation mode) noexcept {
  return mode == synchronisation::device_flags ? "device_flags" : "host_phased";
}

/// What one rank says of itself. Plain data, exchanged as bytes.
struct capabilities {
  std::array<std::uint8_t, 16> gpu{};     ///< UUID of the GPU, or of its MIG instance
  std::array<std::uint8_t, 16> host{};    ///< of the host: equal where file descriptors can be passed
  std::array<std::uint8_t, 16> domain{};  ///< UUID of the NVLink domain's cluster; zero: none beyond the host
  std::uint32_t clique = 0;               ///< inside the cluster
  std::int32_t process = 0;               ///< its id on the host
  std::int32_t architecture = 0;          ///< 90 is sm_90
  std::int32_t driver = 0;                ///< version, 0 without one
  bool has_vmm_descriptors = false;
  bool has_fabric_handles = false;
  bool has_legacy_ipc = false;
  bool has_multicast = false;
  bool reaches_all_peers = true;  ///< peer access to every GPU of its host that it was told of
};

/// What a group does, and why not more.
struct agreement {
  bool is_possible = true;
  memory_kind memory = memory_kind::process_pointers;
  synchronisation mode = synchronisation::device_flags;
  bool may_multicast = false;  ///< attributes allow it; create, add and bind must still succeed on all
  std::int32_t architecture = 0;
  std::string reason;  ///< of the mode, or of why it is not possible
};

namespace detail {

template <class F>
bool all_of(std::span<const capabilities> ranks, const F& holds) {
  return std::all_of(ranks.begin(), ranks.end(), holds);
}

inline bool share_a_gpu(std::span<const capabilities> ranks) {
  for (std::size_t i = 0; i < ranks.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (ranks[i].gpu == ranks[j].gpu) return true;
  return false;
}

}  // namespace detail

/// What all ranks can do together; a pure function of what they said, in the order of ranks, so that it is the same on
/// all. Ranks that share a GPU are phased by the host: their kernels may not be resident together.
inline agreement agree(std::span<const capabilities> ranks) {
  agreement result;
  const capabilities& first = ranks.front();
  const auto alike = [&](auto member) {
    return detail::all_of(ranks, [&](const capabilities& each) { return each.*member == first.*member; });
  };
  const auto all_have = [&](auto member) {
    return detail::all_of(ranks, [&](const capabilities& each) { return each.*member; });
  };
  const bool on_one_host = alike(&capabilities::host);
  const bool in_one_domain =
      alike(&capabilities::domain) && alike(&capabilities::clique) && first.domain != decltype(first.domain){};
  const auto refuse = [&](std::string why) {
    result.is_possible = false;
    result.reason = std::move(why);
    return result;
  };
  if (!alike(&capabilities::architecture)) return refuse("the ranks' GPUs are of different architectures");
  result.architecture = first.architecture;
  if (on_one_host && alike(&capabilities::process))
    result.memory = memory_kind::process_pointers;
  else if (on_one_host && all_have(&capabilities::has_vmm_descriptors))
    result.memory = memory_kind::descriptors;
  else if (in_one_domain && all_have(&capabilities::has_fabric_handles))
    result.memory = memory_kind::fabric;
  else if (on_one_host && all_have(&capabilities::has_legacy_ipc))
    result.memory = memory_kind::legacy_ipc;
  else if (on_one_host)
    return refuse("not every rank can share memory between processes");
  else if (!in_one_domain)
    return refuse("the ranks are on several hosts and not in one NVLink domain");
  else
    return refuse("fabric handles are missing on a rank: are IMEX channels set up?");
  if (on_one_host && !all_have(&capabilities::reaches_all_peers))
    return refuse("a rank's GPU has no peer access to another one");
  const bool shares = detail::share_a_gpu(ranks);
  result.mode = shares ? synchronisation::host_phased : synchronisation::device_flags;
  result.reason =
      shares ? "two ranks share a GPU: their kernels may not run together" : "every rank has a GPU of its own";
  // legacy memory cannot be bound to a multicast object, and one GPU cannot be in it twice
  const bool has_handles = result.memory == memory_kind::descriptors || result.memory == memory_kind::fabric;
  result.may_multicast =
      has_handles && !shares && ranks.size() > 1 && first.architecture >= 90 && all_have(&capabilities::has_multicast);
  return result;
}

}  // namespace hawser::cuda
