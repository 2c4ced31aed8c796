// The text form of a fault plan.
#include <hawser/transport/faults.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>

#include <hawser/core/error.hpp>
#include <hawser/core/units.hpp>

namespace hawser::transport {
namespace {

constexpr std::string_view fault_names[message_fault_count] = {"drop",    "duplicate", "corrupt", "short",
                                                               "reorder", "delay",     "stall",   "disconnect"};
constexpr const char* known_parts =
    "drop:P, duplicate:P, corrupt:P, short:P, reorder:P, disconnect:P, delay:TIME@P, stall:TIME@P, seed:N, rank:R, "
    "to:R, "
    "after:N and most:N are known";

[[noreturn]] void refuse(std::string_view part, std::string_view reason) {
  fail(errc::parse, "cannot read \"" + std::string(part) + "\" of the faults", reason,
       std::string("write them like corrupt:0.01,delay:5ms@0.1,seed:7; ") + known_parts);
}

double chance(std::string_view part, std::string_view text) {
  double value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc{} || end != text.data() + text.size() || !(value >= 0 && value <= 1))
    refuse(part, "a probability is a number from 0 to 1");
  return value;
}

template <class T>
T whole(std::string_view part, std::string_view text, T most) {
  T value{};
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc{} || end != text.data() + text.size() || value < 0 || value > most)
    refuse(part, "it must be a whole number, not negative");
  return value;
}

/// "5ms@0.1": sets the time, returns the probability.
double timed(std::string_view part, std::string_view text, std::chrono::microseconds& time) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) refuse(part, "it needs a time and a probability, as in delay:5ms@0.1");
  constexpr double longest = 86400;
  double length = 0;
  try {
    length = parse_seconds(text.substr(0, at)).count();
  } catch (const error& unreadable) {
    refuse(part, unreadable.what());
  }
  if (!(length > 0 && length <= longest)) refuse(part, "its time must be more than nothing and at most a day");
  time = std::chrono::duration_cast<std::chrono::microseconds>(seconds(length));
  return chance(part, text.substr(at + 1));
}

void read_part(std::string_view part, fault_plan& plan) {
  const std::size_t colon = part.find(':');
  if (colon == std::string_view::npos) refuse(part, "it has no colon");
  const std::string_view name = part.substr(0, colon), value = part.substr(colon + 1);
  constexpr std::int32_t most_rank = INT32_MAX;
  const auto found = std::find(std::begin(fault_names), std::end(fault_names), name);
  if (found != std::end(fault_names)) {
    const auto kind = static_cast<std::size_t>(found - std::begin(fault_names));
    plan.probability[kind] = name == "delay"   ? timed(part, value, plan.delay)
                             : name == "stall" ? timed(part, value, plan.stall)
                                               : chance(part, value);
  } else if (name == "seed") {
    plan.seed = whole<std::uint64_t>(part, value, UINT64_MAX);
  } else if (name == "rank") {
    plan.only = rank(whole<std::int32_t>(part, value, most_rank));
  } else if (name == "to") {
    plan.towards = rank(whole<std::int32_t>(part, value, most_rank));
  } else if (name == "after") {
    plan.after = whole<std::uint64_t>(part, value, UINT64_MAX);
  } else if (name == "most") {
    plan.most = whole<std::uint64_t>(part, value, UINT64_MAX);
  } else {
    refuse(part, "there is no fault \"" + std::string(name) + "\"");
  }
}

/// The shortest text that reads back the same.
std::string number(double value) {
  char text[32];
  const auto written = std::to_chars(text, text + sizeof text, value);
  return {text, written.ptr};
}

std::string in_microseconds(std::chrono::microseconds time) {
  return std::to_string(time.count()) + "us@";
}

}  // namespace

std::string_view to_string(message_fault kind) noexcept {
  return fault_names[static_cast<std::size_t>(kind)];
}

bool fault_plan::is_active() const noexcept {
  return most > 0 && std::any_of(probability.begin(), probability.end(), [](double each) { return each > 0; });
}

fault_plan parse_faults(std::string_view text) {
  fault_plan plan;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    read_part(text.substr(0, comma), plan);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) refuse("", "it ends with a comma");
  }
  return plan;
}

std::string to_string(const fault_plan& plan) {
  std::string text;
  const auto add = [&](std::string_view name, const std::string& value) {
    text.append(text.empty() ? "" : ",").append(name).append(":").append(value);
  };
  for (std::size_t i = 0; i < message_fault_count; ++i) {
    const auto kind = static_cast<message_fault>(i);
    if (plan.probability[i] <= 0) continue;
    const std::string time = kind == message_fault::delay   ? in_microseconds(plan.delay)
                             : kind == message_fault::stall ? in_microseconds(plan.stall)
                                                            : "";
    add(fault_names[i], time + number(plan.probability[i]));
  }
  if (plan.seed) add("seed", std::to_string(*plan.seed));
  if (plan.only) add("rank", hawser::to_string(*plan.only));
  if (plan.towards) add("to", hawser::to_string(*plan.towards));
  if (plan.after > 0) add("after", std::to_string(plan.after));
  if (plan.most != UINT64_MAX) add("most", std::to_string(plan.most));
  return text;
}

}  // namespace hawser::transport
