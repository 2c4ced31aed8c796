// See workspace.hpp.
#include "workspace.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <numeric>

#include <hawser/transport/host_memory.hpp>

#include "reference.hpp"

namespace hawser::cli {

using schedule::collective;

namespace {

constexpr std::size_t alignment = 4096;    // a page, so that no measurement depends on luck
constexpr unsigned char no_result = 0xa5;  // test data is not made of it

}  // namespace

workspace::workspace(const workload& work, int ranks, rank self, std::int64_t most_count)
    : work_(work),
      ranks_(ranks),
      self_(self),
      input_blocks_(schedule::input_blocks(work.what, ranks)),
      output_blocks_(schedule::output_blocks(work.what, ranks)) {
  work_.in_place = work.in_place || work.what == collective::broadcast;
  const auto bytes = [&](std::int64_t blocks) {
    const auto counts = counts_of(blocks, most_count);
    return static_cast<std::size_t>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0})) *
           size_of(work_.type);
  };
  input_bytes_ = bytes(input_blocks_);
  output_bytes_ = bytes(output_blocks_);
  if (work_.in_place) {
    input_bytes_ = std::max(input_bytes_, output_bytes_);
    output_bytes_ = 0;
  }
  input_ = reserve(input_bytes_);
  if (!work_.in_place) output_ = reserve(output_bytes_);
}

void workspace::release::operator()(std::byte* memory) const noexcept {
  from->deallocate(memory, bytes, alignment);
}

workspace::memory workspace::reserve(std::size_t bytes) const {
  const std::size_t rounded = (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
  std::pmr::memory_resource& from = work_.in_host_memory ? host_memory() : *std::pmr::new_delete_resource();
  try {
    memory reserved(static_cast<std::byte*>(from.allocate(rounded, alignment)), release{&from, rounded});
    std::memset(reserved.get(), no_result, rounded);
    return reserved;
  } catch (const std::bad_alloc&) {
    fail(errc::resource, "cannot reserve a buffer of " + std::to_string(bytes) + " bytes", "out of memory",
         "use smaller sizes or fewer ranks on this host");
  }
}

std::vector<std::int64_t> workspace::counts_of(std::int64_t blocks, std::int64_t count) const {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(blocks), count);
  if (work_.what != collective::all_to_all_v) return counts;
  for (std::size_t b = 0; b < counts.size(); ++b)
    counts[b] = ragged_count(count, self_, rank(static_cast<std::int32_t>(b)));
  return counts;
}

std::size_t workspace::block_bytes(std::int64_t count) const {
  return static_cast<std::size_t>(count) * size_of(work_.type);
}

std::byte* workspace::input(std::int64_t count) const {
  const bool is_own_block = work_.in_place && output_blocks_ > input_blocks_;
  return input_.get() + (is_own_block ? static_cast<std::size_t>(self_.value) * block_bytes(count) : 0);
}

std::byte* workspace::output(std::int64_t count) const {
  if (!work_.in_place) return output_.get();
  const bool is_own_block = input_blocks_ > output_blocks_;
  return input_.get() + (is_own_block ? static_cast<std::size_t>(self_.value) * block_bytes(count) : 0);
}

hawser::detail::call workspace::call_for(std::int64_t count, const std::string& algorithm) const {
  hawser::detail::call made{.what = work_.what, .type = work_.type, .element_bytes = size_of(work_.type)};
  made.options.algorithm = algorithm;
  made.options.reproducibility = work_.mode;
  if (work_.what == collective::barrier) {
    made.type = data_type::uint8;
    made.element_bytes = 1;
    return made;
  }
  made.input = input(count);
  made.output = output(count);
  made.root = schedule::has_root(work_.what) ? work_.root : rank(0);
  made.op = work_.op == reduce_kind::premul_sum ? premultiplied_sum(premultiplier_of(self_)) : make_op(work_.op);
  const auto input_counts = counts_of(input_blocks_, count), output_counts = counts_of(output_blocks_, count);
  made.input_elements = std::accumulate(input_counts.begin(), input_counts.end(), std::int64_t{0});
  made.output_elements = std::accumulate(output_counts.begin(), output_counts.end(), std::int64_t{0});
  if (work_.what == collective::all_to_all_v) {
    made.is_ragged = true;
    made.input_counts = input_counts;
    made.output_counts = output_counts;
    made.options.typical_block_bytes = static_cast<std::int64_t>(block_bytes(count));
  }
  return made;
}

void workspace::fill(std::int64_t count) {
  if (work_.what == collective::barrier) return;
  std::memset(input_.get(), no_result, input_bytes_);
  if (output_) std::memset(output_.get(), no_result, output_bytes_);
  rewrite(count);
}

void workspace::rewrite(std::int64_t count) {
  if (work_.what == collective::barrier) return;
  std::byte* at = input(count);
  std::int64_t block = 0;
  for (const std::int64_t elements : counts_of(input_blocks_, count)) {
    fill_block(work_, self_, block++, elements, at);
    at += block_bytes(elements);
  }
}

std::int64_t workspace::count_wrong(std::int64_t count) const {
  const collective what = work_.what;
  const bool only_root = what == collective::reduce || what == collective::gather;
  if (what == collective::barrier || (only_root && self_ != work_.root)) return 0;
  const std::byte* at = output(count);
  if (schedule::reduces(what)) {
    const std::int64_t block = what == collective::reduce_scatter ? self_.value : 0;
    return count_wrong_reduced(work_, ranks_, block, count, at);
  }
  std::int64_t wrong = 0;
  std::int32_t from = 0;
  for (const std::int64_t elements : counts_of(output_blocks_, count)) {
    const bool is_from_root = what == collective::broadcast || what == collective::scatter;
    const bool is_own =
        what == collective::scatter || what == collective::all_to_all || what == collective::all_to_all_v;
    wrong += count_wrong_moved(work_, is_from_root ? work_.root : rank(from), is_own ? self_.value : 0, elements, at);
    at += block_bytes(elements);
    ++from;
  }
  return wrong;
}

}  // namespace hawser::cli
