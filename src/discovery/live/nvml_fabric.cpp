// Asks NVML for the multi-node NVLink fabric: newest structure first, down to the one without a version.
#include <algorithm>
#include <cstdio>

#include "nvml_parts.hpp"

namespace hawser::discovery::nvml {

namespace {

const char* state_in_words(std::uint8_t state) {
  switch (state) {
    case 0: return "not_supported";
    case 1: return "not_started";
    case 2: return "in_progress";
    case 3: return "completed";
    default: return "unknown";
  }
}

const char* configuration_in_words(std::uint32_t value) {
  switch (value) {
    case 2: return "incorrect system GUID";
    case 3: return "incorrect chassis serial number";
    case 4: return "no partition";
    case 5: return "insufficient NVLinks";
    case 6: return "incompatible GPU firmware";
    case 7: return "invalid location";
    case 8: return "invalid GPU state";
    default: return "incorrect configuration";
  }
}

template <typename Info>
void fill(const Info& info, fabric& found) {
  found.cluster_uuid = uuid_text(info.cluster_uuid);
  found.clique_id = info.clique_id;
  found.state = state_in_words(info.state);
  found.is_complete = info.state == 3;
  if (found.is_complete) found.status = to_text(info.status);  // defined only then
}

bool ask_tagged(const api& calls, device which, gpu& found) {
  fabric told;
  fabric_info_v3 third{};
  third.version = version_tag<fabric_info_v3>(3);
  result status = calls.fabric_tagged(which, static_cast<void*>(&third));
  if (status == success) {
    fill(third, told);
    told.health = health_in_words(third.health_mask, third.health_summary);
  } else if (status == argument_version_mismatch || status == 2) {
    fabric_info_v2 second{};
    second.version = version_tag<fabric_info_v2>(2);
    status = calls.fabric_tagged(which, static_cast<void*>(&second));
    if (status == success) {
      fill(second, told);
      told.health = health_in_words(second.health_mask, std::nullopt);
    }
  }
  if (status == success) found.fabric_info = told;
  if (status != success && status != not_supported && status != function_not_found)
    found.fabric_problem = to_text(status);
  return status != function_not_found;
}

}  // namespace

std::string uuid_text(const std::uint8_t (&bytes)[16]) {
  std::string text;
  for (std::size_t each = 0; each < 16; ++each) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", bytes[each]);
    if (each == 4 || each == 6 || each == 8 || each == 10) text += '-';
    text += digits;
  }
  return text;
}

std::string health_in_words(std::uint32_t mask, std::optional<std::uint8_t> summary) {
  if (mask == 0 && summary.value_or(0) == 0) return {};
  std::string words;
  const auto add = [&](bool is_set, const char* what) {
    if (is_set) words.append(words.empty() ? "" : ", ").append(what);
  };
  const auto two_bits = [&](unsigned shift) { return mask >> shift & 3U; };  // 1 true, 2 false, 0 not supported
  add(two_bits(0) == 1, "degraded bandwidth");
  add(two_bits(2) == 1, "route recovery");
  add(two_bits(4) == 1, "route unhealthy");
  add(two_bits(6) == 1, "access timeout recovery");
  const std::uint32_t configuration = mask >> 8 & 15U;
  add(configuration > 1, configuration_in_words(configuration));
  add(two_bits(12) == 2, "no partition assigned");
  add(two_bits(14) == 2, "fabric manager disconnected");
  if (words.empty()) add(summary == 2, "unhealthy");
  if (words.empty()) add(summary == 3, "limited capacity");
  return words.empty() ? "ok" : words;
}

void ask_fabric(const api& calls, device which, gpu& found) {
  if (ask_tagged(calls, which, found)) return;
  fabric_info_v1 info{};
  if (calls.fabric(which, &info) != success) return;
  found.fabric_info.emplace();
  fill(info, *found.fabric_info);
}

}  // namespace hawser::discovery::nvml
