// How symmetric memory is made and mapped, per kind.
#pragma once

#include <cuda.h>

#include <cstddef>
#include <string>
#include <vector>

#include <hawser/bootstrap/bootstrap.hpp>
#include <hawser/cuda/capability.hpp>

namespace hawser::cuda {

/// What a rank holds of a symmetric allocation; its destructor unmaps and frees.
struct symmetric_mapping {
  agreement agreed;
  std::size_t bytes = 0;
  int device = 0;
  int self = 0;
  std::vector<std::byte*> addresses;                  ///< by rank
  std::vector<CUmemGenericAllocationHandle> handles;  ///< of the VMM kinds, by rank; 0 where there is none
  bool is_vmm = false;

  symmetric_mapping() = default;
  symmetric_mapping(const symmetric_mapping&) = delete;
  symmetric_mapping& operator=(const symmetric_mapping&) = delete;
  ~symmetric_mapping();
};

/// Every rank's value under keys of this name, in the order of ranks; collective.
std::vector<std::string> gather(bootstrap::bootstrap& job, const std::string& name, std::string_view own,
                                bootstrap::milliseconds timeout);

/// Allocate, exchange and map. Collective; what has been done so far is in `to`, for its destructor.
void map_vmm(symmetric_mapping& to, bootstrap::bootstrap& job, const std::string& name,
             bootstrap::milliseconds timeout);
void map_in_process(symmetric_mapping& to, bootstrap::bootstrap& job, const std::string& name,
                    bootstrap::milliseconds timeout);
void map_legacy(symmetric_mapping& to, bootstrap::bootstrap& job, const std::string& name,
                bootstrap::milliseconds timeout);

/// Undoes `map_vmm`.
void unmap_vmm(symmetric_mapping& from) noexcept;

}  // namespace hawser::cuda
