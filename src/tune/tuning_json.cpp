// Tunings as JSON, schema hawser.tuning/1 (docs/schema/tuning-1.json).
#include <hawser/tune/tuning.hpp>

#ifdef HAWSER_HAS_JSON

#include "../topology/json_reader.hpp"

namespace hawser::tune {

namespace {

using topology::detail::element;
using topology::detail::ordered_json;

ordered_json to_value(const spread& figure) {
  if (!figure.is_measured()) return nullptr;
  return {{"median", figure.median}, {"p10", figure.p10}, {"p90", figure.p90}, {"samples", figure.samples}};
}

spread spread_from(const element& value) {
  if (value.is_null()) return {};
  value.allow_keys({"median", "p10", "p90", "samples"});
  spread figure{value.member("median").number(true), value.member("p10").number(true), value.member("p90").number(true),
                static_cast<int>(value.member("samples").integer(1))};
  if (figure.p10 > figure.median || figure.median > figure.p90)
    value.fail_here("p10, median and p90 must not decrease");
  return figure;
}

ordered_json to_value(const level_figures& level) {
  return {{"level", level.name},
          {"latency_seconds", to_value(level.latency)},
          {"alone_bytes_per_second", to_value(level.alone)},
          {"together_bytes_per_second", to_value(level.together)},
          {"streams_per_unit", level.streams_per_unit},
          {"incast_bytes_per_second", to_value(level.incast)},
          {"incast_senders", level.incast_senders},
          {"message_seconds", to_value(level.message_time)}};
}

level_figures level_from(const element& value) {
  value.allow_keys({"level", "latency_seconds", "alone_bytes_per_second", "together_bytes_per_second",
                    "streams_per_unit", "incast_bytes_per_second", "incast_senders", "message_seconds"});
  level_figures level;
  level.name = value.member("level").text();
  level.latency = spread_from(value.member("latency_seconds"));
  level.alone = spread_from(value.member("alone_bytes_per_second"));
  level.together = spread_from(value.member("together_bytes_per_second"));
  level.streams_per_unit = static_cast<int>(value.member("streams_per_unit").integer(0));
  level.incast = spread_from(value.member("incast_bytes_per_second"));
  level.incast_senders = static_cast<int>(value.member("incast_senders").integer(0));
  if (value.has("message_seconds")) level.message_time = spread_from(value.member("message_seconds"));
  return level;
}

}  // namespace

std::string to_json(const tuning& measured) {
  ordered_json document{{"schema", tuning_schema},
                        {"fingerprint", measured.fingerprint},
                        {"hierarchy", measured.hierarchy},
                        {"ranks", measured.ranks},
                        {"date", measured.date},
                        {"host", measured.host},
                        {"transports", measured.transports}};
  document["levels"] = ordered_json::array();
  for (const level_figures& each : measured.levels) document["levels"].push_back(to_value(each));
  document["message_seconds"] = to_value(measured.message_time);
  document["reduction_bytes_per_second"] = to_value(measured.reduction);
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

tuning tuning_from_json(std::string_view text, std::string_view file_name) {
  const topology::detail::json document = topology::detail::parse_document(text, file_name);
  const element root(document, file_name);
  topology::detail::check_schema(root, tuning_schema);
  root.allow_keys({"schema", "fingerprint", "hierarchy", "ranks", "date", "host", "transports", "levels",
                   "message_seconds", "reduction_bytes_per_second"});
  tuning measured;
  measured.fingerprint = root.member("fingerprint").text();
  measured.hierarchy = root.member("hierarchy").text();
  measured.ranks = static_cast<int>(root.member("ranks").integer(1));
  measured.date = root.member("date").text();
  measured.host = root.member("host").text();
  measured.transports = root.member("transports").text();
  for (const element& each : root.member("levels").items()) measured.levels.push_back(level_from(each));
  if (measured.levels.empty()) root.member("levels").fail_here("at least one level is expected");
  measured.message_time = spread_from(root.member("message_seconds"));
  measured.reduction = spread_from(root.member("reduction_bytes_per_second"));
  return measured;
}

}  // namespace hawser::tune

#else

#include <hawser/core/error.hpp>

namespace hawser::tune {

namespace {
[[noreturn]] void refuse() {
  fail(errc::unsupported, "tuning files cannot be read or written", "built without nlohmann-json",
       "install nlohmann-json3-dev and build again");
}
}  // namespace

std::string to_json(const tuning&) {
  refuse();
}
tuning tuning_from_json(std::string_view, std::string_view) {
  refuse();
}

}  // namespace hawser::tune

#endif
