// One rank's buffers for a collective: filled with test data, handed to the communicator, checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <string>
#include <vector>

#include <hawser/communicator/call.hpp>

#include "workload.hpp"

namespace hawser::cli {

/// Buffers of one rank for up to `most_count` elements per block.
class workspace {
 public:
  workspace(const workload& work, int ranks, rank self, std::int64_t most_count);

  /// The call on blocks of `count` elements; `algorithm` forces one.
  hawser::detail::call call_for(std::int64_t count, const std::string& algorithm) const;

  /// Writes this rank's contribution, and a pattern that is no result everywhere else.
  void fill(std::int64_t count);
  /// Writes this rank's contribution alone: what an application does between two calls.
  void rewrite(std::int64_t count);
  /// Wrong elements of this rank's output after the call; 0 where it has none.
  std::int64_t count_wrong(std::int64_t count) const;

 private:
  struct release {
    std::pmr::memory_resource* from;
    std::size_t bytes;
    void operator()(std::byte* memory) const noexcept;
  };
  using memory = std::unique_ptr<std::byte, release>;

  memory reserve(std::size_t bytes) const;
  std::size_t block_bytes(std::int64_t count) const;
  std::byte* input(std::int64_t count) const;
  std::byte* output(std::int64_t count) const;
  /// Elements per block of the input (or the output), in order.
  std::vector<std::int64_t> counts_of(std::int64_t blocks, std::int64_t count) const;

  workload work_;
  int ranks_;
  rank self_;
  std::int64_t input_blocks_;
  std::int64_t output_blocks_;
  std::size_t input_bytes_ = 0;   // reserved
  std::size_t output_bytes_ = 0;  // reserved; 0 in place
  memory input_;
  memory output_;
};

}  // namespace hawser::cli
