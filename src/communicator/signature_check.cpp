// See signature_check.hpp.
#include "signature_check.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include <hawser/diagnosis/hang.hpp>

#include "state.hpp"

namespace hawser::detail {

namespace {

/// Of log2 of the ranks in rounds, on every hierarchy and number of ranks.
constexpr const char* exchange_algorithm = "circulant";

std::string in_words(const call_signature& s) {
  const auto what = static_cast<schedule::collective>(s.what);
  const auto type = static_cast<data_type>(s.type);
  std::string text(to_string(what));
  if (what != schedule::collective::barrier)
    text +=
        " of " + (s.count >= 0 ? std::to_string(s.count) + " " : std::string()) +
        (type == data_type::user ? std::to_string(s.element_bytes) + "-byte elements" : std::string(to_string(type))) +
        (s.is_ragged != 0 ? " in blocks of different sizes" : "");
  if (schedule::reduces(what)) text += ", " + std::string(to_string(static_cast<reduce_kind>(s.op)));
  if (schedule::has_root(what)) text += ", root " + std::to_string(s.root);
  if (s.mode != 0) text += ", mode " + std::string(to_string(static_cast<schedule::mode>(s.mode)));
  if (s.partial != s.type) text += ", sums in " + std::string(to_string(static_cast<data_type>(s.partial)));
  text += ", by " + std::string(s.algorithm.data(), strnlen(s.algorithm.data(), s.algorithm.size()));
  if (s.segments > 1) text += " in " + std::to_string(s.segments) + " segments";
  return text;
}

/// What two signatures differ in: where the collective does, the rest says nothing; the algorithm and its segments may
/// only follow from the rest.
std::string differing_fields(const call_signature& a, const call_signature& b) {
  if (a.number != b.number) return "order";
  if (a.what != b.what) return "collective";
  std::string fields;
  const auto add = [&](bool differs, const char* name) {
    if (differs) fields.append(fields.empty() ? "" : ", ").append(name);
  };
  add(a.count != b.count, "count");
  add(a.type != b.type || a.element_bytes != b.element_bytes, "type");
  add(a.partial != b.partial && a.type == b.type && a.mode == b.mode, "accumulation type");
  add(a.op != b.op || a.is_commutative != b.is_commutative, "operator");
  add(a.root != b.root, "root");
  add(a.mode != b.mode, "mode");
  add(a.blocks != b.blocks || a.is_ragged != b.is_ragged, "block sizes");
  if (!fields.empty()) return fields;
  add(a.algorithm != b.algorithm, "algorithm");
  add(a.segments != b.segments, "segments");
  return fields;
}

}  // namespace

call_signature signature_of(const call_log::entry& call, std::uint64_t number, data_type type) {
  const schedule::request& what = call.what;
  call_signature made;
  made.number = number;
  made.what = static_cast<std::uint8_t>(what.what);
  made.is_ragged = what.has_ragged_blocks ? 1 : 0;
  if (what.are_counts_agreed && what.what != schedule::collective::barrier) made.count = what.count;
  made.blocks = call.blocks;
  if (schedule::has_root(what.what)) made.root = what.root.value;
  made.segments = static_cast<std::uint32_t>(call.segments);
  made.element_bytes = type == data_type::user ? static_cast<std::uint32_t>(what.element_bytes) : 0;
  made.type = static_cast<std::uint8_t>(type);
  made.partial = static_cast<std::uint8_t>(what.type);
  if (schedule::reduces(what.what)) {
    made.op = static_cast<std::uint8_t>(what.op);
    made.is_commutative = what.is_commutative ? 1 : 0;
  }
  made.mode = static_cast<std::uint8_t>(what.reproducibility);
  const std::string_view name = call.plan->algorithm;
  std::memcpy(made.algorithm.data(), name.data(), std::min(name.size(), made.algorithm.size()));
  return made;
}

std::optional<std::string> difference_of(const std::vector<call_signature>& by_rank) {
  if (std::all_of(by_rank.begin(), by_rank.end(), [&](const auto& each) { return each == by_rank.front(); }))
    return std::nullopt;
  std::vector<std::pair<const call_signature*, std::vector<std::int32_t>>> groups;
  for (std::size_t r = 0; r < by_rank.size(); ++r) {
    const auto known =
        std::find_if(groups.begin(), groups.end(), [&](const auto& group) { return *group.first == by_rank[r]; });
    if (known != groups.end())
      known->second.push_back(static_cast<std::int32_t>(r));
    else
      groups.push_back({&by_rank[r], {static_cast<std::int32_t>(r)}});
  }
  std::stable_sort(groups.begin(), groups.end(),
                   [](const auto& a, const auto& b) { return a.second.size() > b.second.size(); });
  std::string text;
  for (const auto& [signature, ranks] : groups) {
    text += (text.empty() ? "" : "; ") + diagnosis::ranks_in_words(ranks) + (ranks.size() == 1 ? " calls " : " call ") +
            in_words(*signature);
    if (signature != groups.front().first)
      text += " (another " + differing_fields(*groups.front().first, *signature) + ")";
  }
  return text + "; it is call " + std::to_string(by_rank.front().number) + " of the communicator";
}

signature_check::signature_check(communicator_state& members, void (*ended)(void*), void* state)
    : all_(static_cast<std::size_t>(members.size())) {
  schedule::request what;
  what.what = schedule::collective::all_gather;
  what.type = data_type::uint8;
  what.element_bytes = 1;
  what.count = sizeof(call_signature);
  what.algorithm = members.size() > 1 ? exchange_algorithm : "";
  const auto plan = members.plan_for(what);
  executor::operation_arguments arguments;
  arguments.program = members.program_for(*plan, what);
  arguments.element_bytes = 1;
  arguments.input = executor::block_layout::uniform(&mine_, what.count, 1);
  arguments.output = executor::block_layout::uniform(all_.data(), what.count, 1);
  arguments.scratch_count = what.count;
  arguments.context = members.context();
  arguments.ended = ended;
  arguments.state = state;
  operation_ = std::make_unique<executor::operation>(std::move(arguments), members.owner().engine().wire());
}

}  // namespace hawser::detail
