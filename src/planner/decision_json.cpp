// See decision_file.hpp.
#include <hawser/planner/decision_file.hpp>

#include <algorithm>

#include <hawser/algorithm/enumerate.hpp>
#include <hawser/algorithm/properties.hpp>

#ifdef HAWSER_HAS_JSON

#include "core/text_file.hpp"
#include "topology/json_reader.hpp"

namespace hawser::planner {

namespace {

using topology::detail::element;
using topology::detail::ordered_json;

constexpr double most_bytes = 1LL << 53;  // whole numbers that every JSON reader holds exactly

std::int64_t bytes_from(const element& value) {
  const double read = value.number(false);
  if (read > most_bytes || read != static_cast<double>(static_cast<std::int64_t>(read)))
    value.fail_here("a whole number of bytes up to 2^53 is expected");
  return static_cast<std::int64_t>(read);
}

seconds seconds_from(const element& value) {
  return value.is_null() ? seconds{} : seconds{value.number(false)};
}

void check_parts(schedule::collective what, const algorithm::parsed_name& parsed, const element& where) {
  const auto inner = algorithm::detail::inner_names(what);
  for (std::size_t k = 0; k + 1 < parsed.parts.size(); ++k)
    if (std::find(inner.begin(), inner.end(), parsed.parts[k]) == inner.end() &&
        !(algorithm::detail::is_all_reduce(what) && algorithm::detail::goes_by_leader(parsed.parts[k])))
      where.fail_here("\"" + std::string(parsed.parts[k]) + "\" is no algorithm of an inner level");
  algorithm::detail::with_flat(what, parsed.parts.back(), [](const auto&) {});
}

/// The parts must be of the collective; whether they fit the machine is seen when they are used.
void check_algorithm(schedule::collective what, const std::string& name, const element& where) {
  try {
    const algorithm::parsed_name parsed = algorithm::parse_name(name);
    if (!parsed.is_hierarchical)
      algorithm::detail::with_flat(what, name, [](const auto&) {});
    else if (!algorithm::detail::has_hierarchical_form(what))
      where.fail_here(std::string(to_string(what)) + " has no hierarchical form");
    else if (!algorithm::detail::is_exchange(what))
      check_parts(what, parsed, where);
  } catch (const error& unknown) {
    if (unknown.code() == errc::parse) throw;
    where.fail_here(unknown.what());
  }
}

decision decision_from(const element& value) {
  value.allow_keys(
      {"collective", "least_bytes", "most_bytes", "algorithm", "segments", "predicted_seconds", "lower_bound_seconds"});
  decision read;
  const element what = value.member("collective");
  try {
    read.what = schedule::parse_collective(what.text());
  } catch (const error& unknown) {
    what.fail_here(unknown.what());
  }
  read.least_bytes = bytes_from(value.member("least_bytes"));
  read.most_bytes = bytes_from(value.member("most_bytes"));
  if (read.least_bytes > read.most_bytes) value.fail_here("least_bytes is larger than most_bytes");
  read.algorithm = value.member("algorithm").text();
  check_algorithm(read.what, read.algorithm, value.member("algorithm"));
  read.segments = value.member("segments").integer(1);
  if (value.has("predicted_seconds")) read.predicted = seconds_from(value.member("predicted_seconds"));
  if (value.has("lower_bound_seconds")) read.lower_bound = seconds_from(value.member("lower_bound_seconds"));
  return read;
}

ordered_json to_value(const decision& each) {
  return {{"collective", to_string(each.what)},
          {"least_bytes", each.least_bytes},
          {"most_bytes", each.most_bytes},
          {"algorithm", each.algorithm},
          {"segments", each.segments},
          {"predicted_seconds", each.predicted.count()},
          {"lower_bound_seconds", each.lower_bound.count()}};
}

void check_fingerprint(const element& value) {
  const std::string text = value.text();
  if (text.size() != 16 || text.find_first_not_of("0123456789abcdef") != std::string::npos)
    value.fail_here("a fingerprint has 16 hexadecimal digits", "hawser plan --map --format json writes it");
}

}  // namespace

std::string to_json(const decision_table& table) {
  ordered_json list = ordered_json::array();
  for (const decision& each : table.decisions) list.push_back(to_value(each));
  return topology::detail::dump_document({{"schema", std::string(decisions_schema)},
                                          {"hierarchy", table.hierarchy},
                                          {"fingerprint", table.fingerprint},
                                          {"ranks", table.ranks},
                                          {"decisions", list}});
}

decision_table decisions_from_json(std::string_view text, std::string_view file_name) {
  const topology::detail::json document = topology::detail::parse_document(text, file_name);
  const element root(document, file_name);
  topology::detail::check_schema(root, decisions_schema);
  root.allow_keys({"schema", "hierarchy", "fingerprint", "ranks", "decisions"});
  check_fingerprint(root.member("fingerprint"));
  decision_table table{.source = std::string(file_name),
                       .hierarchy = root.member("hierarchy").text(),
                       .fingerprint = root.member("fingerprint").text(),
                       .ranks = root.member("ranks").integer(1)};
  for (const element& each : root.member("decisions").items()) {
    const decision read = decision_from(each);
    for (const std::int64_t end : {read.least_bytes, read.most_bytes})
      if (table.find(read.what, end) != nullptr) each.fail_here("its range of sizes overlaps an earlier one");
    for (const decision& other : table.decisions)
      if (other.what == read.what && read.least_bytes < other.least_bytes && other.most_bytes < read.most_bytes)
        each.fail_here("its range of sizes overlaps an earlier one");
    table.decisions.push_back(read);
  }
  return table;
}

decision_table read_decisions(const std::string& path) {
  return decisions_from_json(
      read_text_file("decision file", path, topology::max_json_bytes, "write one with hawser plan --map --format json"),
      path);
}

}  // namespace hawser::planner

#else

namespace hawser::planner {

namespace {
[[noreturn]] void refuse() {
  fail(errc::unsupported, "decision files cannot be read or written", "built without nlohmann-json",
       "install nlohmann-json3-dev and build again");
}
}  // namespace

std::string to_json(const decision_table&) {
  refuse();
}
decision_table decisions_from_json(std::string_view, std::string_view) {
  refuse();
}
decision_table read_decisions(const std::string&) {
  refuse();
}

}  // namespace hawser::planner

#endif
