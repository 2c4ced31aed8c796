// See calls.hpp.
#include "calls.hpp"

#include <cstddef>
#include <limits>
#include <string>
#include <utility>

#include "options.hpp"

namespace hawser::c {

namespace {

std::string name_of(schedule::collective what) {
  return std::string(to_string(what));
}

/// What all calls have in common.
detail::call begun(schedule::collective what, const arguments& told) {
  valid(told.comm, "communicator");
  const hawser_call_options options = read(told.options);
  detail::call made{.what = what, .type = type_of(told.type)};
  made.element_bytes = element_bytes_of(made.type, options);
  if (schedule::reduces(what)) made.op = op_of(told.op, options);
  if (schedule::has_root(what)) made.root = told.root;
  made.options = options_of(options);
  return made;
}

/// Checks that a number of elements is one, and has fewer than 2^63 bytes.
std::int64_t checked(schedule::collective what, std::int64_t count, std::int64_t blocks, std::size_t element_bytes) {
  if (count < 0)
    fail(errc::invalid_argument, name_of(what) + ": a count is negative", std::to_string(count), "pass 0 or more");
  const auto most = std::numeric_limits<std::int64_t>::max() / static_cast<std::int64_t>(element_bytes);
  if (blocks > 0 && count > most / blocks)
    fail(errc::invalid_argument, name_of(what) + ": a count is out of range",
         std::to_string(count) + " elements of " + std::to_string(element_bytes) + " B in " + std::to_string(blocks) +
             " blocks are 2^63 bytes or more",
         "pass the number of elements, not of bytes");
  return count * blocks;
}

/// The elements of one side, and its counts where it has blocks.
std::int64_t total(const detail::call& made, side of, int ranks, std::vector<std::int64_t>& counts) {
  if (of.counts == nullptr) return checked(made.what, of.own, 1, made.element_bytes);
  counts.assign(of.counts, of.counts + ranks);
  std::int64_t sum = 0;
  for (const std::int64_t count : counts) {
    checked(made.what, count, 1, made.element_bytes);
    if (count > std::numeric_limits<std::int64_t>::max() - sum) checked(made.what, count, ranks, made.element_bytes);
    sum += count;
  }
  return checked(made.what, sum, 1, made.element_bytes);
}

}  // namespace

detail::call even(schedule::collective what, const arguments& told, const void* input, std::int64_t inputs,
                  void* output, std::int64_t outputs, std::int64_t count) {
  detail::call made = begun(what, told);
  made.input = input;
  made.input_elements = checked(what, count, inputs, made.element_bytes);
  made.output = output;
  made.output_elements = checked(what, count, outputs, made.element_bytes);
  return made;
}

detail::call ragged(schedule::collective what, const arguments& told, const void* input, side sent, void* output,
                    side received) {
  detail::call made = begun(what, told);
  const int ranks = told.comm->members.size();
  made.is_ragged = true;
  made.input = input;
  made.input_elements = total(made, sent, ranks, made.input_counts);
  made.output = output;
  made.output_elements = total(made, received, ranks, made.output_counts);
  return made;
}

std::int64_t own_of(const hawser_comm* comm, const std::int64_t* counts) {
  const rank self = valid(comm, "communicator").members.rank();
  return needed(counts)[self.value];
}

const std::int64_t* needed(const std::int64_t* counts) {
  return &valid(counts, "array of counts");
}

int size_of(const hawser_comm* comm) {
  return valid(comm, "communicator").members.size();
}

bool is_root(const hawser_comm* comm, int root) {
  return valid(comm, "communicator").members.rank() == rank(root);
}

void run(hawser_comm* comm, detail::call made) {
  hawser_comm& on = valid(comm, "communicator");
  if (on.open)
    on.open->launch(std::move(made));
  else
    on.members.launch(std::move(made));
}

void start(hawser_comm* comm, detail::call made, hawser_request** request) {
  hawser_request*& result = valid(request, "place for the request");
  result = new hawser_request{valid(comm, "communicator").members.async().launch(std::move(made))};
}

void plan(hawser_comm* comm, detail::call made, hawser_plan** plan) {
  hawser_plan*& result = valid(plan, "place for the plan");
  result = new hawser_plan{valid(comm, "communicator").members.persistent().launch(std::move(made))};
}

}  // namespace hawser::c
