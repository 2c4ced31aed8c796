// How symmetric memory is made and mapped, per kind.
#pragma once

#include <cuda.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <hawser/bootstrap/bootstrap.hpp>
#include <hawser/cuda/capability.hpp>

namespace hawser::cuda {

struct driver;

/// This rank's part in a multicast object: one object over the allocations of all ranks, at one address.
struct multicast_mapping {
  CUmemGenericAllocationHandle object = 0;
  CUdevice device = 0;
  bool is_bound = false;
  CUdeviceptr reserved = 0;
  std::byte* address = nullptr;  ///< null where there is none
};

/// What a rank holds of a symmetric allocation; its destructor unbinds, unmaps and frees, whatever is there.
struct symmetric_mapping {
  const driver& cuda;
  agreement agreed;
  std::size_t bytes = 0;
  int device = 0;
  int self = 0;
  std::vector<std::byte*> addresses;                  ///< by rank; null where not mapped yet
  std::vector<CUmemGenericAllocationHandle> handles;  ///< of the VMM kinds, by rank; 0 where there is none
  std::vector<CUdeviceptr> reserved;                  ///< of the VMM kinds, by rank: addresses; 0 where none are
  multicast_mapping multicast;
  std::string multicast_refusal;  ///< why there is no multicast although `agree` allows it; the same on all ranks

  explicit symmetric_mapping(const driver& the_cuda) : cuda(the_cuda) {}
  symmetric_mapping(const symmetric_mapping&) = delete;
  symmetric_mapping& operator=(const symmetric_mapping&) = delete;
  ~symmetric_mapping();
};

/// Who makes an allocation, and how it talks to the others.
struct mapping_context {
  bootstrap::bootstrap& job;
  std::string name;  ///< that keys begin with
  bootstrap::milliseconds timeout;
};

/// A symmetric allocation of the kind that the ranks agree on, cleared, with its multicast object where there can be
/// one. Collective. A step that the driver refuses on one rank is errc::resource on all, a refused multicast object is
/// a reason in the mapping; what had been made is freed.
std::unique_ptr<symmetric_mapping> make_mapping(const mapping_context& by, const driver& cuda, const capabilities& own,
                                                std::size_t bytes, int device);

/// Every rank's value under keys of this name, in the order of ranks; collective.
std::vector<std::string> gather(bootstrap::bootstrap& job, const std::string& name, std::string_view own,
                                bootstrap::milliseconds timeout);

/// A range of addresses over an allocation or a multicast object, readable and writable from the mapping's device.
/// `reserved` is set as soon as it must be undone by `unmap_range`.
void map_range(const symmetric_mapping& by, CUmemGenericAllocationHandle handle, std::size_t granularity,
               CUdeviceptr& reserved);
/// Undoes it, complete or not.
void unmap_range(const symmetric_mapping& by, CUdeviceptr reserved) noexcept;

/// Passes every rank's handle to all, by descriptors or fabric handles. `only` >= 0: only that rank has one to give.
/// Where `handles` has none of a rank it is filled.
void share_handles(const symmetric_mapping& by, const mapping_context& to, const std::string& what, int only,
                   std::vector<CUmemGenericAllocationHandle>& handles);

/// Allocate, exchange and map. Collective; what has been done so far is in `to`, for its destructor.
void map_vmm(symmetric_mapping& to, const mapping_context& by);
void map_in_process(symmetric_mapping& to, const mapping_context& by);
void map_legacy(symmetric_mapping& to, const mapping_context& by);

/// Closes what this rank has opened by cudaIpc; one's own memory stays.
void close_opened(symmetric_mapping& of) noexcept;

/// The granularity that an allocation must have to be bound, in bytes; 0, and the reason in the mapping, where a rank's
/// driver refuses to say. Collective.
std::size_t multicast_granularity(symmetric_mapping& of, const mapping_context& by);
/// Gives back this rank's part, in the order that the driver asks for: nothing may be mapped or bound when the object
/// goes.
void release_multicast(symmetric_mapping& of) noexcept;
/// Makes the multicast object over the mapped allocation, or says in the mapping why not. Collective.
void make_multicast(symmetric_mapping& of, const mapping_context& by, std::size_t granularity);

}  // namespace hawser::cuda
