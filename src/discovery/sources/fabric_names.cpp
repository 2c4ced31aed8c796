// Hosts, adapters and switches by the descriptions that InfiniBand devices carry.
#include "fabric_names.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "../text.hpp"

namespace hawser::discovery::fabric {

namespace {

constexpr std::size_t max_host_name = 253;  // RFC 1035
constexpr std::string_view digits = "0123456789";

// First words of descriptions that manufacturers give; those of adapters are set by the host's driver later.
constexpr std::array<std::string_view, 27> makers = {
    "mellanox",  "nvidia",      "voltaire",  "qlogic",    "pathscale",  "silverstorm", "topspin",
    "sun",       "oracle",      "xsigo",     "cisco",     "ibm",        "intel",       "infiniscale",
    "switchx",   "switch-ib",   "quantum",   "connectx",  "connect-ib", "infinihost",  "infinipath",
    "bluefield", "flextronics", "infinicon", "localhost", "unknown",    "hewlett"};

std::string lower(std::string_view text) {
  std::string copy(text);
  for (char& c : copy)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return copy;
}

bool is_made_of(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

bool is_maker(std::string_view word) {
  const std::string name = lower(word);
  return std::any_of(makers.begin(), makers.end(), [&](std::string_view maker) {
    return name == maker || (name.starts_with(maker) && is_made_of(name.substr(maker.size()), "-0123456789ivxlhe"));
  });
}

bool is_part_number(std::string_view word) {  // MT23108
  return word.size() >= 5 && word.starts_with("MT") && is_made_of(word.substr(2), digits);
}

bool is_guid(std::string_view word) {  // H-0008f10403960558, 0x0008f10403960558
  if (word.size() < 18 || !(word[1] == '-' || word.starts_with("0x"))) return false;
  return is_made_of(word.substr(2), "0123456789abcdefABCDEF");
}

bool is_host_name(std::string_view word) {
  if (word.empty() || word.size() > max_host_name || is_guid(word) || is_part_number(word)) return false;
  if (lower(word) == "localhost") return false;
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return std::all_of(word.begin(), word.end(), is_letter) && word.front() != '-' && word.front() != '.';
}

bool is_hca_number(std::string_view word) {  // HCA-1
  const std::string name = lower(word);
  return name.starts_with("hca-") && is_made_of(name.substr(4), digits);
}

}  // namespace

bool is_device_name(std::string_view word) {
  if (word.empty() || word.size() > 64 || word.front() < 'a' || word.front() > 'z' || is_hca_number(word)) return false;
  const auto is_allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  return std::all_of(word.begin(), word.end(), is_allowed) && word.find_first_of(digits) != std::string_view::npos;
}

std::string printable(std::string_view text) {
  std::string copy(text);
  for (char& c : copy)
    if (c < 0x20 || c == 0x7f) c = '?';  // bytes above ASCII are negative
  return copy;
}

adapter_name parse_adapter_name(std::string_view description) {
  const std::vector<std::string_view> parts = words(description.substr(0, 512));
  if (parts.empty() || !is_host_name(parts[0])) return {};
  const bool has_device = parts.size() > 1 && (is_device_name(parts[1]) || is_hca_number(parts[1]));
  if (has_device) return {std::string(parts[0]), std::string(parts[1])};
  if (is_maker(parts[0]) || description.find("Technologies") != std::string_view::npos) return {};
  return {std::string(parts[0]), {}};
}

switch_name parse_switch_name(std::string_view description) {
  const std::string text = printable(trimmed(description));
  constexpr std::string_view managed = "MF0;";
  if (text.starts_with(managed)) {
    const std::size_t colon = text.find(':');
    if (colon != std::string::npos && colon > managed.size()) {
      std::string name = text.substr(managed.size(), colon - managed.size());
      std::string model = text.substr(colon + 1);
      const std::size_t slash = model.find('/');
      std::string unit = slash == std::string::npos ? std::string() : model.substr(slash);
      model.resize(std::min(slash, model.size()));
      if (unit.ends_with("/U1")) unit.resize(unit.size() - 3);  // the first of its board, most often the only one
      return {name + unit, model, true};
    }
  }
  const bool is_word = !text.empty() && text.find_first_of(blanks) == std::string::npos;
  return {text, {}, is_word && !is_maker(text) && !is_part_number(text)};
}

}  // namespace hawser::discovery::fabric
