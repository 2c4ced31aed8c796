// Expands and shortens host lists.
#include "host_list.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>

#include "text.hpp"

namespace hawser::discovery {

namespace {

struct number_range {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::size_t width = 0;
};

// A literal, or what a bracket holds.
struct segment {
  std::string_view literal;
  std::vector<number_range> ranges;
};

constexpr std::string_view separators = ", \t\r\n";

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string padded(std::uint64_t number, std::size_t width) {
  std::string digits = std::to_string(number);
  if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
  return digits;
}

std::optional<number_range> parse_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const std::string_view low = text.substr(0, dash);
  const std::string_view high = dash == std::string_view::npos ? low : text.substr(dash + 1);
  if (!is_digits(low) || !is_digits(high)) return std::nullopt;
  const auto first = to_integer<std::uint64_t>(low), last = to_integer<std::uint64_t>(high);
  if (!first || !last || *first > *last) return std::nullopt;
  return number_range{*first, *last, low.size()};
}

class expander {
 public:
  expander(expanded_list& result, std::size_t& budget) : result_(result), budget_(budget) {}

  void run(std::string_view list) {
    while (result_.problem.empty()) {
      const std::size_t start = list.find_first_not_of(separators);
      if (start == std::string_view::npos) return;
      list.remove_prefix(start);
      const std::size_t end = end_of_item(list);
      item(list.substr(0, end));
      list.remove_prefix(end);
    }
  }

 private:
  // Separators within brackets do not end an item.
  static std::size_t end_of_item(std::string_view list) {
    bool in_bracket = false;
    for (std::size_t at = 0; at < list.size(); ++at) {
      if (list[at] == '[') in_bracket = true;
      if (list[at] == ']') in_bracket = false;
      if (!in_bracket && separators.find(list[at]) != std::string_view::npos) return at;
    }
    return list.size();
  }

  void item(std::string_view text) {
    if (text.find_first_of("[]") == std::string_view::npos) return add_name(text);
    std::vector<segment> segments;
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t open = rest.find_first_of("[]");
      if (open > 0) segments.push_back({rest.substr(0, open), {}});
      if (open == std::string_view::npos) break;
      const std::size_t close = rest.find(']', open);
      if (rest[open] == ']' || close == std::string_view::npos)
        return fail_item(text, "has a bracket without its pair");
      segments.push_back({{}, ranges_of(rest.substr(open + 1, close - open - 1))});
      if (segments.back().ranges.empty()) return fail_item(text, "has a bracket that is not a list of numbers");
      rest.remove_prefix(close + 1);
      if (segments.size() > max_host_name) return fail_item(text, too_long());
    }
    const bool has_letters = std::any_of(segments.begin(), segments.end(), [](const segment& each) {
      return each.literal.find_first_not_of("0123456789") != std::string_view::npos;
    });
    if (!has_letters && had_letters_) result_.lost_prefix = true;
    had_letters_ = had_letters_ || has_letters;
    add_product(text, segments);
  }

  static std::vector<number_range> ranges_of(std::string_view text) {
    std::vector<number_range> ranges;
    for (std::string_view each : split(text, ',')) {
      const auto range = parse_range(trimmed(each));
      if (!range) return {};
      ranges.push_back(*range);
    }
    return ranges;
  }

  void add_name(std::string_view name) {
    if (name.size() > max_host_name) return fail_item(name, too_long());
    if (budget_ == 0) return fail_item(name, too_many());
    --budget_;
    const bool has_letters = !is_digits(name);
    if (!has_letters && had_letters_) result_.lost_prefix = true;
    had_letters_ = had_letters_ || has_letters;
    result_.names.emplace_back(name);
  }

  void add_product(std::string_view text, const std::vector<segment>& segments) {
    std::uint64_t count = 1;
    std::size_t length = 0;
    for (const segment& each : segments) {
      std::uint64_t values = 0;
      std::size_t longest = each.literal.size();
      for (const number_range& range : each.ranges) {
        values += std::min<std::uint64_t>(range.high - range.low, max_listed_names) + 1;
        longest = std::max(longest, std::max(range.width, std::to_string(range.high).size()));
      }
      if (!each.ranges.empty()) count *= std::min<std::uint64_t>(values, max_listed_names + 1);
      length += longest;
      if (count > budget_) return fail_item(text, too_many());
      if (length > max_host_name) return fail_item(text, too_long());
    }
    std::vector<std::string> built{std::string()};
    for (const segment& each : segments) built = extended(built, each);
    budget_ -= built.size();
    result_.names.insert(result_.names.end(), std::make_move_iterator(built.begin()),
                         std::make_move_iterator(built.end()));
  }

  static std::vector<std::string> extended(std::vector<std::string>& prefixes, const segment& by) {
    if (by.ranges.empty()) {
      for (std::string& each : prefixes) each.append(by.literal);
      return std::move(prefixes);
    }
    std::vector<std::string> longer;
    for (const std::string& each : prefixes)
      for (const number_range& range : by.ranges)
        for (std::uint64_t number = range.low;; ++number) {
          longer.push_back(each + padded(number, range.width));
          if (number == range.high) break;
        }
    return longer;
  }

  void fail_item(std::string_view text, std::string_view reason) {
    result_.problem = "the item \"" + shortened(text) + "\" of a host list " + std::string(reason);
  }
  static std::string too_long() {
    return "stands for names of more than " + std::to_string(max_host_name) + " characters";
  }
  static std::string too_many() {
    return "brings the file to more than " + std::to_string(max_listed_names) + " names";
  }

  expanded_list& result_;
  std::size_t& budget_;
  bool had_letters_ = false;
};

// A name and the number it ends in.
struct numbered {
  std::string_view prefix;
  std::string_view digits;
};

numbered numbered_of(std::string_view name) {
  const std::size_t last = name.find_last_not_of("0123456789");
  const std::size_t start = last == std::string_view::npos ? 0 : last + 1;
  return {name.substr(0, start), name.substr(start)};
}

bool follows(std::string_view digits, std::string_view after) {
  const auto a = to_integer<std::uint64_t>(digits), b = to_integer<std::uint64_t>(after);
  return a && b && *a != UINT64_MAX && *a + 1 == *b && padded(*b, digits.size()) == after;
}

}  // namespace

expanded_list expand_hosts(std::string_view list, std::size_t& budget) {
  expanded_list result;
  expander(result, budget).run(list);
  if (!result.problem.empty()) result.names.clear();
  return result;
}

std::string compact_hosts(std::span<const std::string> names) {
  std::string text;
  for (std::size_t first = 0; first < names.size();) {
    const numbered start = numbered_of(names[first]);
    std::string ranges;
    bool is_single = true;
    std::size_t next = first;
    while (next < names.size() && !start.digits.empty() && numbered_of(names[next]).prefix == start.prefix &&
           !numbered_of(names[next]).digits.empty()) {
      std::size_t end = next;
      while (end + 1 < names.size() && numbered_of(names[end + 1]).prefix == start.prefix &&
             follows(numbered_of(names[end]).digits, numbered_of(names[end + 1]).digits))
        ++end;
      ranges.append(ranges.empty() ? "" : ",").append(numbered_of(names[next]).digits);
      if (end > next) ranges.append("-").append(numbered_of(names[end]).digits);
      is_single = is_single && end == first;
      next = end + 1;
    }
    text.append(text.empty() ? "" : ",");
    if (is_single && next <= first + 1) {
      text.append(names[first]);
      next = first + 1;
    } else {
      text.append(start.prefix).append("[").append(ranges).append("]");
    }
    first = next;
  }
  return text;
}

}  // namespace hawser::discovery
