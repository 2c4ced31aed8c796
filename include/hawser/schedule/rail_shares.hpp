// How much of a vector each rail between racks carries: what a multi-rail all-reduce is generated from. Computed once
// (algorithm/multi_rail.hpp), the same on every rank, and stored as text.
#pragma once

#include <cstdint>
#include <numeric>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/core/error.hpp>
#include <hawser/schedule/interval.hpp>

namespace hawser::schedule {

/// Rail r joins member r of every rack, and carries weight[r] of the sum of all weights; 0: nothing.
struct rail_shares {
  std::vector<std::int64_t> weight{};
  friend bool operator==(const rail_shares&, const rail_shares&) = default;

  /// The shares of rails [first, last) of an interval.
  interval of(const interval& whole, int first, int last) const {
    const auto sum = [this](int end) { return std::accumulate(weight.begin(), weight.begin() + end, std::int64_t{0}); };
    return whole.parts(sum(first), sum(last), sum(static_cast<int>(weight.size())));
  }
};

inline constexpr std::string_view rail_shares_kind = "hawser.rail_shares/1";

/// Text, one line; `parse_rail_shares` reads it.
inline std::string to_string(const rail_shares& shares) {
  std::string text(rail_shares_kind);
  for (const std::int64_t each : shares.weight) text += " " + std::to_string(each);
  return text + "\n";
}

/// Reads what `to_string` wrote. Throws errc::parse that says what is wrong.
inline rail_shares parse_rail_shares(const std::string& text) {
  std::istringstream words(text);
  std::string kind;
  rail_shares shares;
  words >> kind;
  bool has_any = false;
  for (std::int64_t each = 0; words >> each; shares.weight.push_back(each)) {
    has_any = has_any || each > 0;
    if (each < 0 || each > INT32_MAX) has_any = false, words.setstate(std::ios::badbit);
  }
  if (kind != rail_shares_kind || !words.eof() || words.bad() || !has_any)
    fail(errc::parse, "these are no shares of rails", "the text is \"" + text.substr(0, 80) + "\"",
         "it should be \"" + std::string(rail_shares_kind) + " WEIGHT ...\", not all of them 0");
  return shares;
}

}  // namespace hawser::schedule
