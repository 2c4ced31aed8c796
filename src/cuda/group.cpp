// The collectives of a group: pieces that fit into staging, the kernel of each, and what its faults mean.
#include <hawser/cuda/group.hpp>

#include <algorithm>

#include "cuda/group_state.hpp"
#include "cuda/kernel_choice.hpp"
#include "cuda/runtime.hpp"
#include "table.hpp"

namespace hawser::cuda {
namespace {

const void* require_kernel(const kernel_choice& choice, data_type type, const reduce_op& operation) {
  if (choice.kernel == nullptr)
    fail(errc::unsupported,
         "no kernel reduces " + std::string(to_string(type)) + " with " + std::string(operation.name),
         legality(type, operation.kind).value_or("a user's operator needs a kernel of its own"), "see docs/gpu.md");
  return choice.kernel;
}

/// How the result is scaled, and the factor of the own input.
void set_scaling(device::reduce_call& call, data_type type, const reduce_op& operation, int ranks) {
  const bool is_signed =
      type == data_type::int8 || type == data_type::int16 || type == data_type::int32 || type == data_type::int64;
  if (operation.kind == reduce_kind::avg) {
    call.how = is_signed ? device::scaling::divide_signed : device::scaling::divide;
    call.divisor = static_cast<std::uint32_t>(ranks);
  }
  if (operation.kind == reduce_kind::premul_sum) call.factor = operation.factor;
}

/// Elements at a time such that `bytes` of staging hold `blocks` blocks of them, in whole lines.
std::size_t piece_of(std::uint64_t bytes, std::uint64_t blocks, std::uint64_t element_bytes) {
  const std::uint64_t lines = bytes / blocks / device::window_layout::line;
  return std::max<std::uint64_t>(lines, 1) * device::window_layout::line / element_bytes;
}

/// Calls whose blocks lie a stride apart in the caller's buffers are made at once: staging must hold them all.
void require_fit(const group_state& self, std::uint64_t bytes, std::uint64_t blocks, std::string_view what) {
  if (device::window_layout::rounded(bytes) * blocks > self.layout.shape.staging_bytes)
    fail(errc::unsupported, std::string(what) + " of " + std::to_string(bytes) + " bytes per block",
         "staging holds " + std::to_string(self.layout.shape.staging_bytes) + " bytes",
         "raise group_options::staging_bytes");
}

const std::byte* at(const void* base, std::size_t offset) {
  return static_cast<const std::byte*>(base) + offset;
}
std::byte* at(void* base, std::size_t offset) {
  return static_cast<std::byte*>(base) + offset;
}

[[noreturn]] void throw_fault(device::fault what) {
  const std::string who = "rank " + std::to_string(what.peer);
  switch (what.reason) {
    case device::fault_reason::never_arrived:
      throw error(errc::peer_failed, describe(who + " never arrived at a call on the GPU", "the wait ran out of time",
                                              "is it alive, and does it make the same calls?"))
          .with_peer(what.peer);
    case device::fault_reason::block_mismatch:
      throw error(errc::mismatch, describe("the sizes of an all-to-all-v do not match those of " + who))
          .with_peer(what.peer);
    default: fail(errc::aborted, "the group was aborted");
  }
}

}  // namespace

group::group(bootstrap::bootstrap& job, std::string_view name, const group_options& options)
    : self_(std::make_unique<group_state>(job, name, options)) {}

group::~group() = default;

void group::all_reduce(const void* input, void* output, std::size_t count, data_type type, const reduce_op& operation,
                       stream_handle stream) {
  const std::size_t element = size_of(type);
  const kernel_choice choice = choose_all_reduce(self_->facts(), count * element, type, operation.kind);
  const void* const kernel = require_kernel(choice, type, operation);
  const std::size_t piece = piece_of(self_->layout.shape.staging_bytes, 1, element);
  for (std::size_t begin = 0; begin < count; begin += piece) {
    device::reduce_call call{.input = at(input, begin * element), .output = at(output, begin * element)};
    const std::size_t part = std::min(piece, count - begin);
    call.count = part * element / kernels::kernel_element_bytes(type, operation.kind);
    set_scaling(call, type, operation, size());
    self_->run(kernel, call, part * element, choice.phases, stream);
  }
}

void group::reduce_scatter(const void* input, void* output, std::size_t count, data_type type,
                           const reduce_op& operation, stream_handle stream) {
  const kernel_choice choice = choose_reduce_scatter(self_->facts(), type, operation.kind);
  const void* const kernel = require_kernel(choice, type, operation);
  const std::size_t bytes = count * size_of(type);
  require_fit(*self_, bytes, static_cast<std::uint64_t>(size()), "a reduce_scatter");
  if (count == 0) return;
  device::reduce_call call{.input = at(input, 0), .output = at(output, 0)};
  call.count = bytes / kernels::kernel_element_bytes(type, operation.kind);
  set_scaling(call, type, operation, size());
  self_->run(kernel, call, bytes, choice.phases, stream);
}

void group::all_gather(const void* input, void* output, std::size_t bytes, stream_handle stream) {
  require_fit(*self_, bytes, static_cast<std::uint64_t>(size()), "an all_gather");
  if (bytes == 0) return;
  device::exchange_call call{.input = at(input, 0), .output = at(output, 0), .block_bytes = bytes};
  const kernel_choice choice = choose_all_gather(self_->facts());
  self_->run(choice.kernel, call, bytes, choice.phases, stream);
}

void group::broadcast(const void* input, void* output, std::size_t bytes, rank root, stream_handle stream) {
  if (root.value < 0 || root.value >= size())
    fail(errc::invalid_argument, "a broadcast from rank " + to_string(root),
         "the group has " + std::to_string(size()) + " ranks");
  const kernel_choice choice = choose_broadcast(self_->facts());
  const std::size_t piece = piece_of(self_->layout.shape.staging_bytes, 1, 1);
  for (std::size_t begin = 0; begin < bytes; begin += piece) {
    device::exchange_call call{.input = at(input, begin),
                               .output = at(output, begin),
                               .block_bytes = std::min(piece, bytes - begin),
                               .root = root.value};
    self_->run(choice.kernel, call, call.block_bytes, choice.phases, stream);
  }
}

void group::all_to_all(const void* input, void* output, std::size_t bytes, stream_handle stream) {
  require_fit(*self_, bytes, static_cast<std::uint64_t>(size()), "an all_to_all");
  if (bytes == 0) return;
  device::exchange_call call{.input = at(input, 0), .output = at(output, 0), .block_bytes = bytes};
  self_->run(kernels::find_kernel(kernels::moving::all_to_all), call, bytes, 2, stream);
}

void group::check(stream_handle stream) {
  cuda::check(cudaStreamSynchronize(stream), "wait for a stream");
  std::uint32_t word = 0;
  cuda::check(cudaMemcpy(&word, self_->view.windows[self_->view.rank] + self_->layout.abort_word(), sizeof word,
                         cudaMemcpyDeviceToHost),
              "read the state of a group");
  if (word != 0) throw_fault(device::fault::of(word));
}

void group::abort() {
  const std::uint32_t word = device::fault{device::fault_reason::aborted, -1}.word();
  for (int r = 0; r < size(); ++r)
    cuda::check(cudaMemcpyAsync(self_->view.windows[r] + self_->layout.abort_word(), &word, sizeof word,
                                cudaMemcpyHostToDevice, self_->abort_stream),
                "abort a group");
  cuda::check(cudaStreamSynchronize(self_->abort_stream), "abort a group");
}

rank group::self() const noexcept {
  return self_->view.rank;
}
int group::size() const noexcept {
  return self_->view.size;
}
bool group::has_multicast() const noexcept {
  return self_->windows.multicast() != nullptr;
}
std::string_view group::multicast_refusal() const noexcept {
  return self_->windows.multicast_refusal();
}
const agreement& group::agreed() const noexcept {
  return self_->windows.agreed();
}
synchronisation group::mode() const noexcept {
  return self_->mode;
}

}  // namespace hawser::cuda
