// Hierarchies as text: "rack:4@50GB/s,5us gpu:8@450GB/s,1us", outermost level first. The grammar is in
// docs/topology.md.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/core/error.hpp>
#include <hawser/core/units.hpp>
#include <hawser/topology/defaults.hpp>
#include <hawser/topology/hierarchy.hpp>

namespace hawser::topology {

inline constexpr std::size_t max_level_name = 64;             ///< characters
inline constexpr std::size_t max_levels = 32;                 ///< far beyond any machine; keeps hostile text small
inline constexpr std::string_view reduces_mark = "+reduces";  ///< the switch that joins the units can reduce
inline constexpr std::size_t max_list_entries = 1 << 20;      ///< entries of one list of counts

/// True for a letter or underscore followed by letters, digits, underscores or dashes, at most `max_level_name` long.
constexpr bool is_level_name(std::string_view name) noexcept {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto inner = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= max_level_name && letter(name[0]) &&
         std::all_of(name.begin(), name.end(), inner);
}

namespace detail {

class synthetic_parser {
 public:
  explicit synthetic_parser(std::string_view text) : text_(text) {}

  hierarchy parse() {
    skip_blanks();
    if (at_end()) fail_at(0, "it is empty", "write it like \"rack:4 gpu:8\"");
    while (!at_end()) parse_level();
    return hierarchy(std::move(levels_));
  }

 private:
  struct counts {
    std::size_t at = 0;  // where they stand in the text
    bool is_list = false;
    std::vector<std::int64_t> sizes;
  };

  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
  bool at_end() const { return at_ == text_.size(); }
  bool next_is(char c) const { return !at_end() && text_[at_] == c; }
  void skip_blanks() {
    while (!at_end() && is_blank(text_[at_])) ++at_;
  }
  std::int64_t units_above() const { return levels_.empty() ? 1 : levels_.back().units.total(); }

  [[noreturn]] void fail_at(std::size_t at, std::string_view reason, std::string_view suggestion = {}) const {
    constexpr std::size_t shown = 80;  // of a long text, the part around the error
    const std::size_t begin = text_.size() <= shown ? 0 : at - std::min(at, shown / 2);
    std::string quoted(text_.substr(begin, shown));
    for (char& c : quoted)
      if (static_cast<unsigned char>(c) < ' ') c = ' ';
    if (begin > 0) quoted.insert(0, "...");
    if (begin + shown < text_.size()) quoted += "...";
    fail(errc::parse, "cannot read the topology \"" + quoted + "\" at column " + std::to_string(at + 1), reason,
         suggestion);
  }

  void parse_level() {
    const std::size_t name_at = at_, number = levels_.size();
    const std::string name = parse_name();
    if (!next_is(':'))
      fail_at(at_, "a colon and a count must follow the level name \"" + name + "\"", "write it like rack:4");
    ++at_;
    const counts count = next_is('[') ? parse_list() : parse_single();
    const bool reduces = parse_reduces();
    const link up = next_is('@') ? parse_figures(name) : default_link(name);
    if (!at_end() && !is_blank(text_[at_]))
      fail_at(at_, "unexpected text after the level", "separate levels by a blank, as in \"rack:4 gpu:8\"");
    skip_blanks();
    const bool is_last = at_end();
    if (name == "gpu" && !is_last) fail_at(name_at, "gpu is the innermost level", "write it last");
    if (is_last && count.is_list && name != "gpu")
      add_with_gpus(name, count, up);
    else
      add(name, count, up);
    if (reduces) levels_[number].reduces_in_network = true;
  }

  std::string parse_name() {
    const std::size_t begin = at_;
    while (!at_end() && is_level_name(text_.substr(begin, at_ + 1 - begin))) ++at_;
    std::string name(text_.substr(begin, at_ - begin));
    if (name.empty()) fail_at(begin, "a level name is expected", "write it like rack:4");
    if (name.size() == max_level_name && !next_is(':'))
      fail_at(begin, "the level name is too long", "use at most 64 characters");
    for (const level& each : levels_)
      if (each.name == name) fail_at(begin, "the level \"" + name + "\" occurs twice", "give every level its own name");
    if (levels_.size() == max_levels) fail_at(begin, "too many levels", "use at most 32");
    return name;
  }

  std::int64_t parse_count() {
    const std::size_t begin = at_;
    if (next_is('-')) fail_at(begin, "a count cannot be negative", "write a number from 1 on");
    std::int64_t count = 0;
    const auto [end, status] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), count);
    if (status == std::errc::invalid_argument)
      fail_at(begin, "a count is expected", "write a number, or a list like [8,8,5]");
    at_ = static_cast<std::size_t>(end - text_.data());
    if (status != std::errc{} || count > INT32_MAX)
      fail_at(begin, "the count is too large", "there are at most 2^31 - 1 ranks");
    if (count == 0) fail_at(begin, "a count of 0", "every level needs at least one unit");
    return count;
  }

  counts parse_single() {
    const std::size_t begin = at_;
    return {begin, false, {parse_count()}};
  }

  /// The mark of a level whose switch can reduce.
  bool parse_reduces() {
    if (!next_is('+')) return false;
    if (text_.substr(at_, reduces_mark.size()) != reduces_mark)
      fail_at(at_, "only +reduces can follow a count", "write it like rack:4+reduces");
    at_ += reduces_mark.size();
    return true;
  }

  counts parse_list() {
    counts list{at_, true, {}};
    do {
      ++at_;  // the bracket or the comma
      skip_blanks();
      if (next_is(']')) fail_at(at_, list.sizes.empty() ? "the list is empty" : "a count is expected after the comma");
      if (at_end()) break;
      if (list.sizes.size() == max_list_entries) fail_at(list.at, "the list is too long", "use at most 2^20 entries");
      list.sizes.push_back(parse_count());
      skip_blanks();
    } while (next_is(','));
    if (at_end()) fail_at(list.at, "the list has no closing bracket", "write it like [8,8,5]");
    if (!next_is(']')) fail_at(at_, "a comma or a closing bracket is expected", "write the list like [8,8,5]");
    ++at_;
    return list;
  }

  link parse_figures(std::string_view level_name) {
    link up = default_link(level_name);
    up.source = provenance::file;
    up.rate.bytes_per_second =
        parse_figure([](std::string_view text) { return parse_bandwidth(text).bytes_per_second; });
    if (next_is(','))
      up.latency = seconds{parse_figure([](std::string_view text) { return parse_seconds(text).count(); })};
    return up;
  }

  // The figure behind the '@' or ',' that stands at at_.
  template <typename Parse>
  double parse_figure(Parse parse_text) {
    const std::size_t begin = ++at_;
    while (!at_end() && !is_blank(text_[at_]) && !next_is(',')) ++at_;
    if (at_ - begin > max_figure_text) fail_at(begin, "the figure is too long");
    double value = 0;
    try {
      value = parse_text(text_.substr(begin, at_ - begin));
    } catch (const error& failure) {
      fail_at(begin, failure.what());
    }
    if (value > max_figure) fail_at(begin, "the figure is too large");
    return value + 0.0;  // -0 becomes 0, so that equal hierarchies have equal text and fingerprint
  }

  // A trailing list without a gpu level counts the GPUs of each unit: rack:[8,8,5] is rack:3 gpu:[8,8,5].
  void add_with_gpus(const std::string& name, const counts& gpus, const link& up) {
    const auto units = static_cast<std::int64_t>(gpus.sizes.size());
    if (units % units_above() != 0)
      fail_at(gpus.at,
              "the list gives the GPUs of " + std::to_string(units) + " units of \"" + name +
                  "\", which do not divide evenly among " + std::to_string(units_above()) + " of \"" +
                  levels_.back().name + "\"",
              "write both levels out, as in \"pod:2 rack:[2,1] gpu:[8,8,5]\"");
    add(name, {gpus.at, false, {units / units_above()}}, up);
    add("gpu", gpus, default_link("gpu"));
  }

  void add(const std::string& name, const counts& count, const link& up) {
    const std::int64_t parents = units_above();
    if (count.is_list && static_cast<std::int64_t>(count.sizes.size()) != parents)
      fail_at(
          count.at,
          "the list has " + std::to_string(count.sizes.size()) + " entries, but " +
              (levels_.empty() ? "the outermost level has one parent, the whole machine"
                               : "there are " + std::to_string(parents) + " units of \"" + levels_.back().name + "\""),
          "a list says how many \"" + name + "\" each unit of the level above has");
    child_counts units =
        count.is_list ? child_counts::listed(count.sizes) : child_counts::uniform(parents, count.sizes[0]);
    if (units.total() > INT32_MAX) fail_at(count.at, "more than 2^31 - 1 ranks");
    levels_.push_back({name, std::move(units), up});
  }

  static constexpr double max_figure = 1e30;  // bytes per second or seconds; beyond any machine, far from overflow
  static constexpr std::size_t max_figure_text = 64;  // characters
  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<level> levels_;
};

/// Number and unit that `parse_quantity` reads back as exactly `value`, the shortest of them.
template <std::size_t N>
std::string exact_quantity(double value, const hawser::detail::unit_factor (&units)[N]) {
  std::string best;
  const auto consider = [&](double number, const hawser::detail::unit_factor& unit) {
    if (number * unit.factor != value) return;
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    const std::string text = std::string(digits, end) + std::string(unit.suffix);
    if (best.empty() || text.size() < best.size()) best = text;
  };
  for (const hawser::detail::unit_factor& unit : units) consider(value / unit.factor, unit);
  return best;
}

inline std::string exact_figures(const link& up) {
  constexpr hawser::detail::unit_factor rates[] = {{"GB", 1e9}, {"MB", 1e6}, {"B", 1}};
  return '@' + exact_quantity(up.rate.bytes_per_second, rates) + "/s," +
         exact_quantity(up.latency.count(), hawser::detail::second_units);
}

}  // namespace detail

/// Reads `level:count[+reduces][@bandwidth[,latency]]`, outermost first, separated by blanks. A count is the number of
/// units under each unit of the level above, or a list with one number per unit above; a trailing list without a `gpu`
/// level counts the GPUs of each unit (`"rack:[8,8,5]"`). Figures are those of each unit's link upwards, per direction;
/// what is not given is assumed (`default_link`). Throws errc::parse with the column. O(text), no memory per rank.
inline hierarchy parse_synthetic(std::string_view text) {
  return detail::synthetic_parser(text).parse();
}

/// The text that `parse_synthetic` reads back as the same levels and figures, exactly. Provenance other than an
/// assumed default comes back as `file`. Throws errc::unsupported for what the text cannot say: a placement, level
/// names outside the grammar, figures that are unknown or zero bandwidth, a ragged innermost level that is not called
/// gpu.
std::string to_synthetic(const hierarchy& tree);

namespace detail {

inline void check_expressible(const hierarchy& tree, const level& each, bool is_last) {
  const auto refuse = [](std::string_view reason) {
    fail(errc::unsupported, "the hierarchy cannot be written as a synthetic topology", reason, "write it as JSON");
  };
  if (!tree.is_in_rank_order()) refuse("ranks are not placed in order");
  if (!is_level_name(each.name) || (each.name == "gpu" && !is_last))
    refuse("\"" + each.name + "\" is not a name that the text can have there");
  if (std::count_if(tree.levels().begin(), tree.levels().end(),
                    [&](const level& other) { return other.name == each.name; }) > 1)
    refuse("level \"" + each.name + "\" occurs twice");
  if (is_last && each.name != "gpu" && !each.units.is_uniform()) refuse("the ragged innermost level is not called gpu");
  if (!(each.up.rate.bytes_per_second > 0) || !(each.up.latency.count() >= 0))
    refuse("level \"" + each.name + "\" has no bandwidth or latency");
}

inline std::string synthetic_counts(const child_counts& units) {
  if (units.is_uniform()) return std::to_string(units.size(0));
  std::string text;
  for (std::int64_t parent = 0; parent < units.parents(); ++parent)
    text += (parent == 0 ? '[' : ',') + std::to_string(units.size(parent));
  return text + ']';
}

}  // namespace detail

/// The text that `parse_synthetic` reads as this hierarchy. Throws errc::unsupported where no text says it.
inline std::string to_synthetic(const hierarchy& tree) {
  std::string text;
  for (const level& each : tree.levels()) {
    detail::check_expressible(tree, each, &each == &tree.levels().back());
    if (!text.empty()) text += ' ';
    text += each.name + ':' + detail::synthetic_counts(each.units);
    if (each.reduces_in_network) text += reduces_mark;
    if (each.up != default_link(each.name)) text += detail::exact_figures(each.up);
  }
  return text;
}

}  // namespace hawser::topology
