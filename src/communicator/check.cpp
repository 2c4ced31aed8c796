// What is wrong with a call, found before anything is sent.
#include <algorithm>
#include <cstdint>
#include <numeric>

#include "run.hpp"

namespace hawser::detail {

namespace {

using schedule::collective;

[[noreturn]] void bad(const call& made, const std::string& problem, const std::string& reason,
                      const std::string& suggestion = {}) {
  fail(errc::invalid_argument, std::string(to_string(made.what)) + ": " + problem, reason, suggestion);
}

void check_sizes(const call& made, int ranks, bool is_root) {
  const std::int64_t in = made.input_elements, out = made.output_elements;
  const auto sizes =
      std::to_string(in) + " elements in, " + std::to_string(out) + " out, " + std::to_string(ranks) + " ranks";
  const auto expect = [&](bool holds, const char* rule) {
    if (!holds) bad(made, "the sizes of input and output do not fit", sizes, rule);
  };
  switch (made.what) {
    case collective::all_reduce: return expect(in == out, "they must be equal");
    case collective::reduce_scatter: return expect(in == out * ranks, "the input has one output per rank");
    case collective::all_gather: return expect(out == in * ranks, "the output has one input per rank");
    case collective::all_to_all:
      return expect(in == out && in % ranks == 0, "they must be equal and a multiple of the number of ranks");
    case collective::reduce: return expect(!is_root || in == out, "at the root they must be equal");
    case collective::gather: return expect(!is_root || out == in * ranks, "the root's output has one input per rank");
    case collective::scatter: return expect(!is_root || in == out * ranks, "the root's input has one output per rank");
    case collective::all_to_all_v:
    case collective::broadcast:
    case collective::barrier: return;
  }
}

void check_counts(const call& made, const std::vector<std::int64_t>& counts, std::int64_t elements, int ranks,
                  const char* which) {
  if (counts.size() != static_cast<std::size_t>(ranks))
    bad(made, std::string("the counts of the ") + which + " do not fit",
        std::to_string(counts.size()) + " counts for " + std::to_string(ranks) + " ranks", "pass one count per rank");
  std::int64_t total = 0;
  for (std::int64_t count : counts) {
    if (count < 0 || count > INT64_MAX - total)
      bad(made, std::string("a count of the ") + which + " is out of range", std::to_string(count));
    total += count;
  }
  if (total > elements)
    bad(made, std::string("the ") + which + " is too small",
        "the counts add up to " + std::to_string(total) + " elements, it has " + std::to_string(elements));
}

void check_ragged(const call& made, int ranks, rank self, bool is_root) {
  const auto own = static_cast<std::size_t>(self.value);
  const bool counts_input = made.what == collective::all_to_all_v || made.what == collective::reduce_scatter ||
                            (made.what == collective::scatter && is_root);
  const bool counts_output = made.what == collective::all_to_all_v || made.what == collective::all_gather ||
                             (made.what == collective::gather && is_root);
  if (counts_input) check_counts(made, made.input_counts, made.input_elements, ranks, "input");
  if (counts_output) check_counts(made, made.output_counts, made.output_elements, ranks, "output");
  if (made.what == collective::all_to_all_v && is_in_place(made, self))
    for (std::size_t r = 0; r < made.input_counts.size(); ++r)
      if (made.input_counts[r] != made.output_counts[r])
        bad(made, "in place, a block is replaced by one of its own size",
            std::to_string(made.input_counts[r]) + " elements go to rank " + std::to_string(r) + ", " +
                std::to_string(made.output_counts[r]) + " come from it",
            "use another buffer for the output");
  const auto expect_own = [&](std::int64_t elements, std::int64_t count, const char* which) {
    if (elements != count)
      bad(made, std::string("the ") + which + " does not fit this rank's count",
          std::to_string(elements) + " elements, count " + std::to_string(count));
  };
  if (made.what == collective::reduce_scatter || (made.what == collective::scatter && is_root))
    expect_own(made.output_elements, made.input_counts[own], "output");
  if (made.what == collective::all_gather || (made.what == collective::gather && is_root))
    expect_own(made.input_elements, made.output_counts[own], "input");
}

void check_overlap(const call& made, rank self, bool uses_input, bool uses_output) {
  if (!uses_input || !uses_output || is_in_place(made, self)) return;
  const auto in = reinterpret_cast<std::uintptr_t>(made.input), out = reinterpret_cast<std::uintptr_t>(made.output);
  const auto in_end = in + static_cast<std::size_t>(made.input_elements) * made.element_bytes;
  const auto out_end = out + static_cast<std::size_t>(made.output_elements) * made.element_bytes;
  if (in < out_end && out < in_end)
    bad(made, "input and output overlap", "they share memory other than in place",
        "use disjoint buffers, or the same one in place");
}

void check_operator(const call& made) {
  const auto type = std::string(to_string(made.type));
  if (const auto reason = legality(made.type, made.element_bytes, made.op))
    fail(errc::unsupported, std::string(made.op.name) + " is not defined on " + type, *reason, "see docs/types.md");
  const bool is_user = made.op.kind == reduce_kind::user || made.type == data_type::user;
  if (is_user && made.options.accumulation && *made.options.accumulation != made.type)
    fail(errc::unsupported,
         "the partial results of " + std::string(made.op.name) + " cannot be kept in " +
             std::string(to_string(*made.options.accumulation)),
         "a user-defined operator works on its own type only", "leave call_options::accumulation out");
}

}  // namespace

bool is_in_place(const call& made, rank self) {
  const auto* input = static_cast<const std::byte*>(made.input);
  const auto* output = static_cast<const std::byte*>(made.output);
  if (input == nullptr || output == nullptr) return false;
  const auto own_block = [&](const std::vector<std::int64_t>& counts, std::int64_t each) {
    const auto before = made.is_ragged && !counts.empty()
                            ? std::accumulate(counts.begin(), counts.begin() + self.value, std::int64_t{0})
                            : each * self.value;
    return static_cast<std::ptrdiff_t>(before) * static_cast<std::ptrdiff_t>(made.element_bytes);
  };
  switch (made.what) {
    case collective::reduce_scatter:
    case collective::scatter:
      if (made.what == collective::scatter && self != made.root) return false;
      return output == input + own_block(made.input_counts, made.output_elements);
    case collective::all_gather:
    case collective::gather:
      if (made.what == collective::gather && self != made.root) return false;
      return input == output + own_block(made.output_counts, made.input_elements);
    case collective::reduce: return self == made.root && input == output;
    default: return input == output;
  }
}

void check_buffers(const call& made, rank self) {
  const bool is_root = self == made.root;
  const bool uses_input = made.what != collective::scatter || is_root;
  const bool uses_output = (made.what != collective::gather && made.what != collective::reduce) || is_root;
  if (uses_input && made.input == nullptr && made.input_elements > 0)
    bad(made, "the input is a null pointer", std::to_string(made.input_elements) + " elements");
  if (uses_output && made.output == nullptr && made.output_elements > 0)
    bad(made, "the output is a null pointer", std::to_string(made.output_elements) + " elements");
  check_overlap(made, self, uses_input, uses_output);
}

void check_call(const call& made, int ranks, rank self) {
  if (schedule::has_root(made.what) && (made.root.value < 0 || made.root.value >= ranks))
    bad(made, "the root is out of range", "rank " + to_string(made.root) + " of " + std::to_string(ranks));
  if (made.options.timeout && made.options.timeout->count() <= 0)
    bad(made, "the time-out must be positive", std::to_string(made.options.timeout->count()) + " ms");
  if (made.is_ragged)
    check_ragged(made, ranks, self, self == made.root);
  else
    check_sizes(made, ranks, self == made.root);
  check_buffers(made, self);
  if (schedule::reduces(made.what)) check_operator(made);
}

}  // namespace hawser::detail
