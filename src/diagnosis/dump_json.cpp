// The schema "hawser.dump/1"; see dump.hpp.
#include <hawser/diagnosis/dump.hpp>

#ifdef HAWSER_HAS_JSON

#include "topology/json_reader.hpp"

namespace hawser::diagnosis {

namespace {

using topology::detail::element;
using topology::detail::ordered_json;

constexpr std::array<std::string_view, 5> kind_names{"send", "recv", "recv_reduce", "copy", "reduce"};
constexpr double most_exact = 9007199254740992;  // 2^53: whole numbers that every JSON reader holds exactly

ordered_json json_of(const std::optional<double>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

ordered_json json_of(const dumped_step& each) {
  ordered_json made{
      {"step", each.step}, {"segment", each.segment}, {"kind", kind_names[static_cast<std::size_t>(each.kind)]}};
  if (each.peer >= 0) made["peer"] = each.peer;
  made["begin"] = each.begin;
  made["end"] = json_of(each.end);
  return made;
}

ordered_json json_of(const dumped_call& each) {
  ordered_json made{
      {"communicator", each.communicator}, {"number", each.number}, {"what", each.what}, {"signature", each.signature}};
  if (each.peer >= 0) made["peer"] = each.peer;
  made["begin"] = each.begin;
  made["end"] = json_of(each.end);
  made["failed"] = each.has_failed;
  made["steps"] = ordered_json::array();
  for (const dumped_step& step : each.steps) made["steps"].push_back(json_of(step));
  return made;
}

std::uint64_t whole_from(const element& value) {
  const double read = value.number(false);
  if (read > most_exact || read != static_cast<double>(static_cast<std::uint64_t>(read)))
    value.fail_here("a whole number up to 2^53 is expected");
  return static_cast<std::uint64_t>(read);
}

std::optional<double> end_from(const element& value) {
  return value.is_null() ? std::nullopt : std::optional(value.number(false));
}

std::int32_t rank_from(const element& value, std::int32_t size) {
  const auto read = static_cast<std::int32_t>(value.integer(0));
  if (read >= size) value.fail_here("rank " + std::to_string(read) + " is not one of " + std::to_string(size));
  return read;
}

dumped_step step_from(const element& value) {
  value.allow_keys({"step", "segment", "kind", "peer", "begin", "end"});
  dumped_step made;
  made.step = static_cast<std::uint32_t>(value.member("step").integer(0));
  made.segment = static_cast<std::uint32_t>(value.member("segment").integer(0));
  made.kind = static_cast<schedule::step_kind>(value.member("kind").one_of(kind_names));
  // Aggregators of switches come after the ranks, so the peer of a step may be none of them.
  if (value.has("peer")) made.peer = static_cast<std::int32_t>(value.member("peer").integer(0));
  made.begin = value.member("begin").number(false);
  made.end = end_from(value.member("end"));
  return made;
}

dumped_call call_from(const element& value, std::int32_t size) {
  value.allow_keys({"communicator", "number", "what", "signature", "peer", "begin", "end", "failed", "steps"});
  dumped_call made;
  made.communicator = value.member("communicator").text();
  made.number = whole_from(value.member("number"));
  made.what = value.member("what").text();
  made.signature = value.member("signature").text();
  if (value.has("peer")) made.peer = rank_from(value.member("peer"), size);
  made.begin = value.member("begin").number(false);
  made.end = end_from(value.member("end"));
  made.has_failed = value.member("failed").boolean();
  for (const element& each : value.member("steps").items()) made.steps.push_back(step_from(each));
  return made;
}

}  // namespace

std::string to_json(const dump& written) {
  ordered_json communicators = ordered_json::array(), calls = ordered_json::array();
  for (const dumped_communicator& each : written.communicators)
    communicators.push_back({{"name", each.name}, {"members", each.members}});
  for (const dumped_call& each : written.calls) calls.push_back(json_of(each));
  const ordered_json document{{"schema", dump_schema},
                              {"rank", written.rank},
                              {"size", written.size},
                              {"host", written.host},
                              {"process", written.process},
                              {"reason", written.reason},
                              {"blamed", written.blamed ? ordered_json(*written.blamed) : ordered_json()},
                              {"time", written.time},
                              {"epoch", written.epoch},
                              {"steps_lost", written.steps_lost},
                              {"communicators", communicators},
                              {"calls", calls}};
  return document.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

dump dump_from_json(std::string_view text, std::string_view file_name) {
  const auto document = topology::detail::parse_document(text, file_name);
  const element root(document, file_name);
  topology::detail::check_schema(root, dump_schema);
  root.allow_keys({"schema", "rank", "size", "host", "process", "reason", "blamed", "time", "epoch", "steps_lost",
                   "communicators", "calls"});
  dump made;
  made.size = static_cast<std::int32_t>(root.member("size").integer(1));
  made.rank = rank_from(root.member("rank"), made.size);
  made.host = root.member("host").text();
  made.process = root.member("process").integer(0);
  made.reason = root.member("reason").text();
  if (const element blamed = root.member("blamed"); !blamed.is_null())
    made.blamed = static_cast<std::int32_t>(blamed.integer(0));
  made.time = root.member("time").number(false);
  made.epoch = root.member("epoch").number(false);
  made.steps_lost = whole_from(root.member("steps_lost"));
  for (const element& each : root.member("communicators").items()) {
    each.allow_keys({"name", "members"});
    dumped_communicator read{each.member("name").text(), {}};
    for (const element& member : each.member("members").items()) read.members.push_back(rank_from(member, made.size));
    made.communicators.push_back(std::move(read));
  }
  for (const element& each : root.member("calls").items()) made.calls.push_back(call_from(each, made.size));
  return made;
}

}  // namespace hawser::diagnosis

#else

#include <hawser/core/error.hpp>

namespace hawser::diagnosis {

namespace {

[[noreturn]] void fail_without_json() {
  fail(errc::unsupported, "dumps cannot be written or read", "hawser was built without nlohmann-json",
       "install nlohmann-json3-dev and build again");
}

}  // namespace

std::string to_json(const dump&) {
  fail_without_json();
}
dump dump_from_json(std::string_view, std::string_view) {
  fail_without_json();
}

}  // namespace hawser::diagnosis

#endif
