// The typed edge of all collectives, written once for the blocking, asynchronous, persistent and grouped forms.
#pragma once

#include <cstdint>
#include <ranges>
#include <span>
#include <type_traits>
#include <vector>

#include <hawser/communicator/call.hpp>

namespace hawser {

/// A span, vector or array of elements.
template <class R>
concept element_range = std::ranges::contiguous_range<R> && std::ranges::sized_range<R> &&
    element<std::remove_cv_t<std::ranges::range_value_t<R>>>;

/// Per rank, how many elements a block has. Block b begins where block b - 1 ends.
using counts = std::span<const std::int64_t>;

/// All collectives, in terms of `Launcher::launch(detail::call)`, whose result they return: nothing (blocking), a
/// `pending` (asynchronous), a `persistent` plan, or nothing until the group ends.
///
/// n is the number of ranks. Every rank makes the same calls in the same order with equal sizes, operator, root and
/// options; buffers are host memory and may not be touched until the call is complete. Where a form takes input and
/// output, they may be the same memory (in place) as each says, and may not overlap otherwise. Sizes may be 0, on all
/// ranks alike: a rank with 0 elements takes part. Sizes count elements.
/// Errors: errc::invalid_argument (sizes that do not fit, a null or overlapping buffer, a root out of range),
/// errc::unsupported (operator not defined on the type or made for another one, an accumulation type that does not
/// suit, algorithm that cannot serve), errc::not_found (unknown algorithm), errc::peer_failed (names the rank),
/// errc::aborted, errc::timeout, errc::mismatch. After an error that concerns other ranks, outputs are undefined and
/// the communicator can only be destroyed.
template <class Launcher>
class collectives {
 public:
  /// output[i] = op over all ranks of input[i]. Equal sizes. In place: the same memory. (MPI_Allreduce)
  template <element_range In, element_range Out>
  decltype(auto) all_reduce(const In& input, Out&& output, const reduce_op& op = op::sum,
                            const call_options& options = {}) {
    return launch(make(schedule::collective::all_reduce, input, output, options, op));
  }
  /// In place: data[i] = op over all ranks of data[i].
  template <element_range Data>
  decltype(auto) all_reduce(Data&& data, const reduce_op& op = op::sum, const call_options& options = {}) {
    return all_reduce(data, data, op, options);
  }

  /// Input: n blocks; output: block `rank()` of their reduction. input = n x output elements. In place: the output is
  /// that block of the input. (MPI_Reduce_scatter_block)
  template <element_range In, element_range Out>
  decltype(auto) reduce_scatter(const In& input, Out&& output, const reduce_op& op = op::sum,
                                const call_options& options = {}) {
    return launch(make(schedule::collective::reduce_scatter, input, output, options, op));
  }
  /// Blocks of different sizes: rank r receives `blocks[r]` elements. All ranks pass equal counts. (MPI_Reduce_scatter)
  template <element_range In, element_range Out>
  decltype(auto) reduce_scatter_v(const In& input, Out&& output, counts blocks, const reduce_op& op = op::sum,
                                  const call_options& options = {}) {
    detail::call made = make(schedule::collective::reduce_scatter, input, output, options, op);
    return launch(ragged(made, blocks, {}));
  }

  /// Output: the inputs of all ranks, in rank order. output = n x input elements. In place: the input is block `rank()`
  /// of the output. (MPI_Allgather)
  template <element_range In, element_range Out>
  decltype(auto) all_gather(const In& input, Out&& output, const call_options& options = {}) {
    return launch(make(schedule::collective::all_gather, input, output, options));
  }
  /// Rank r contributes `blocks[r]` elements. All ranks pass equal counts. (MPI_Allgatherv)
  template <element_range In, element_range Out>
  decltype(auto) all_gather_v(const In& input, Out&& output, counts blocks, const call_options& options = {}) {
    return launch(ragged(make(schedule::collective::all_gather, input, output, options), {}, blocks));
  }

  /// Input: one block for each rank; output: one from each. Equal sizes, a multiple of n. In place: the same memory,
  /// staged through a copy. (MPI_Alltoall)
  template <element_range In, element_range Out>
  decltype(auto) all_to_all(const In& input, Out&& output, const call_options& options = {}) {
    return launch(make(schedule::collective::all_to_all, input, output, options));
  }
  /// `sent[r]` elements go to rank r, `received[r]` come from it; each rank knows only its own. A block whose two ends
  /// disagree is errc::mismatch. In place: the same memory, and `sent` equals `received`. (MPI_Alltoallv)
  template <element_range In, element_range Out>
  decltype(auto) all_to_all_v(const In& input, counts sent, Out&& output, counts received,
                              const call_options& options = {}) {
    return launch(ragged(make(schedule::collective::all_to_all_v, input, output, options), sent, received));
  }

  /// Every rank's data becomes the root's; equal sizes. (MPI_Bcast)
  template <element_range Data>
  decltype(auto) broadcast(Data&& data, rank root, const call_options& options = {}) {
    return launch(make(schedule::collective::broadcast, data, data, options, {}, root));
  }

  /// At the root: output[i] = op over all ranks of input[i]; elsewhere the output may be empty. In place at the root:
  /// the same memory. (MPI_Reduce)
  template <element_range In, element_range Out>
  decltype(auto) reduce(const In& input, Out&& output, rank root, const reduce_op& op = op::sum,
                        const call_options& options = {}) {
    return launch(make(schedule::collective::reduce, input, output, options, op, root));
  }

  /// At the root: output = the inputs of all ranks, in rank order; elsewhere the output may be empty. In place at the
  /// root: the input is block `root` of the output. (MPI_Gather)
  template <element_range In, element_range Out>
  decltype(auto) gather(const In& input, Out&& output, rank root, const call_options& options = {}) {
    return launch(make(schedule::collective::gather, input, output, options, {}, root));
  }
  /// Rank r contributes `blocks[r]` elements; only the root passes counts. (MPI_Gatherv)
  template <element_range In, element_range Out>
  decltype(auto) gather_v(const In& input, Out&& output, counts blocks, rank root, const call_options& options = {}) {
    return launch(ragged(make(schedule::collective::gather, input, output, options, {}, root), {}, blocks));
  }

  /// Input at the root: one block for each rank, elsewhere it may be empty; output: this rank's block. In place at the
  /// root: the output is block `root` of the input. (MPI_Scatter)
  template <element_range In, element_range Out>
  decltype(auto) scatter(const In& input, Out&& output, rank root, const call_options& options = {}) {
    return launch(make(schedule::collective::scatter, input, output, options, {}, root));
  }
  /// Rank r receives `blocks[r]` elements; only the root passes counts. (MPI_Scatterv)
  template <element_range In, element_range Out>
  decltype(auto) scatter_v(const In& input, counts blocks, Out&& output, rank root, const call_options& options = {}) {
    return launch(ragged(make(schedule::collective::scatter, input, output, options, {}, root), blocks, {}));
  }

  /// Completes on no rank before all have called it. (MPI_Barrier)
  decltype(auto) barrier(const call_options& options = {}) {
    detail::call made{.what = schedule::collective::barrier, .type = data_type::uint8, .element_bytes = 1};
    made.options = options;
    return launch(std::move(made));
  }

 private:
  template <class In, class Out>
  static detail::call make(schedule::collective what, const In& input, Out& output, const call_options& options,
                           const reduce_op& op = {}, rank root = 0) {
    using T = std::remove_cv_t<std::ranges::range_value_t<In>>;
    static_assert(std::is_same_v<T, std::remove_cv_t<std::ranges::range_value_t<Out>>>,
                  "input and output must have the same element type");
    static_assert(!std::is_const_v<std::remove_reference_t<std::ranges::range_reference_t<Out>>>,
                  "the output must be writable");
    detail::call made{.what = what, .type = data_type_of_v<T>, .element_bytes = sizeof(T)};
    made.input = std::ranges::data(input);
    made.input_elements = static_cast<std::int64_t>(std::ranges::size(input));
    made.output = std::ranges::data(output);
    made.output_elements = static_cast<std::int64_t>(std::ranges::size(output));
    made.root = root;
    made.op = op;
    made.options = options;
    return made;
  }

  static detail::call ragged(detail::call made, counts input, counts output) {
    made.is_ragged = true;
    made.input_counts.assign(input.begin(), input.end());
    made.output_counts.assign(output.begin(), output.end());
    return made;
  }

  decltype(auto) launch(detail::call made) { return static_cast<Launcher*>(this)->launch(std::move(made)); }
};

}  // namespace hawser
