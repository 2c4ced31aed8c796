// A buffer of the caller that NCCL may send and receive without copying it.
#pragma once

#include <cstddef>
#include <memory>

#include <hawser/nccl/communicators.hpp>

namespace hawser::nccl {

/// Registers a range with every lane while it lives; ends before the memory does. The range is one allocation, or the
/// front of one; NCCL gains most where it is from ncclMemAlloc, which is cuMemCreate's.
class registration {
 public:
  /// Not during a capture. Throws errc::unsupported before NCCL 2.19, errc::invalid_argument for an empty range, and
  /// NCCL's refusal as errc::resource; nothing is registered then.
  registration(const communicators& with, void* memory, std::size_t bytes);
  registration(const registration&) = delete;
  registration& operator=(const registration&) = delete;
  registration(registration&&) noexcept;
  registration& operator=(registration&&) noexcept;
  ~registration();

 private:
  struct held;
  std::unique_ptr<held> held_;
};

}  // namespace hawser::nccl
