// Calls that the last rank makes differently, each in one thing, and the words that validation has for it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <hawser/communicator/communicator.hpp>

namespace hawser::test {

/// One such call: `make(members, is_other)` makes it, in the other form on one rank.
struct differing_call {
  std::string field;
  std::function<void(communicator&, bool is_other)> make;
};

inline std::vector<differing_call> calls_of_other_data() {
  using floats = std::vector<float>;
  return {
      {"collective",
       [](communicator& members, bool is_other) {
         floats data(8);
         is_other ? members.barrier() : members.all_reduce(data);
       }},
      {"collective",
       [](communicator& members, bool is_other) {
         floats data(8);
         if (is_other)
           members.split(0, 0);
         else
           members.all_reduce(data);
       }},
      {"count",
       [](communicator& members, bool is_other) {
         floats data(is_other ? 9 : 8);
         members.all_reduce(data);
       }},
      {"count",
       [](communicator& members, bool is_other) {
         const auto ranks = static_cast<std::size_t>(members.size());
         floats in(ranks * (is_other ? 2 : 1)), out(in.size());
         members.all_to_all(in, out);
       }},
      {"type",
       [](communicator& members, bool is_other) {
         floats data(8);
         std::vector<std::int32_t> others(8);
         is_other ? members.all_reduce(others) : members.all_reduce(data);
       }},
      {"operator",
       [](communicator& members, bool is_other) {
         floats data(8);
         members.all_reduce(data, is_other ? op::max : op::sum);
       }},
  };
}

inline std::vector<differing_call> calls_made_otherwise() {
  using floats = std::vector<float>;
  return {
      {"root",
       [](communicator& members, bool is_other) {
         floats data(8);
         members.broadcast(data, is_other ? 1 : 0);
       }},
      {"mode",
       [](communicator& members, bool is_other) {
         floats data(8);
         call_options options;
         if (is_other) options.reproducibility = schedule::mode::order_invariant;
         members.all_reduce(data, op::sum, options);
       }},
      {"algorithm",
       [](communicator& members, bool is_other) {
         floats own(4), all(4 * static_cast<std::size_t>(members.size()));
         members.all_gather(own, all, {.algorithm = is_other ? "ring" : "direct"});
       }},
      {"segments",
       [](communicator& members, bool is_other) {
         floats data(1'000);
         members.all_reduce(data, op::sum, {.algorithm = "ring", .segments = is_other ? 3 : 2});
       }},
      {"accumulation type",
       [](communicator& members, bool is_other) {
         floats data(8);
         call_options options;
         if (is_other) options.accumulation = data_type::float64;
         members.all_reduce(data, op::sum, options);
       }},
  };
}

inline std::vector<differing_call> differing_calls() {
  std::vector<differing_call> all = calls_of_other_data();
  for (const differing_call& each : calls_made_otherwise()) all.push_back(each);
  return all;
}

}  // namespace hawser::test
