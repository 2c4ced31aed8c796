// NCCL as it is found at run time: opened by name, never linked, since it has some 200 MB and not every host has one.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace hawser::nccl {

/// The oldest version that is used: the first with ncclCommSplit and communicators that never block their caller.
inline constexpr int oldest_version = 21800;

/// What the NCCL that was opened can do. Functions that an older one lacks are named, and what needs them is refused.
struct capabilities {
  int version = 0;                ///< as NCCL codes it: 22809 is 2.28.9
  bool has_split = false;         ///< ncclCommSplit, 2.18; without it each communicator is made from an id of its own
  bool has_registration = false;  ///< ncclCommRegister, 2.19
  bool has_memory = false;        ///< ncclMemAlloc, 2.19: memory that registration gains most from
  bool has_float8 = false;        ///< the 8-bit floats as element types, 2.24
  bool has_shrink = false;        ///< ncclCommShrink, 2.27; not used yet
  bool has_exchanges = false;     ///< ncclAlltoAll, ncclGather and ncclScatter, 2.28
  std::vector<std::string> missing{};  ///< functions that hawser would use and this version lacks
};

class library;

/// Opens NCCL: this file, or libnccl.so.2 where it is empty (`nccl_options::library`, HAWSER_NCCL_LIBRARY). It stays
/// loaded until the process ends. Needs no GPU. Throws errc::unsupported with reason and suggestion where there is
/// none, it is none, it is older than `oldest_version`, or lacks a function that every version has.
std::shared_ptr<const library> open_library(const std::string& file = {});

/// What it can do.
const capabilities& capabilities_of(const library& opened) noexcept;

/// "2.28.9" of 22809.
std::string version_text(int version);
/// The version of the header that this was compiled with, as NCCL codes it.
int header_version() noexcept;

}  // namespace hawser::nccl
