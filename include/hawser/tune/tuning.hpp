// What a machine was measured to do, level by level: the content of a tuning file, schema "hawser.tuning/1".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <hawser/cost/parameters.hpp>
#include <hawser/topology/hierarchy.hpp>
#include <hawser/tune/spread.hpp>

namespace hawser::tune {

inline constexpr std::string_view tuning_schema = "hawser.tuning/1";

/// Between units of one level of the hierarchy under a common parent. Not measured where there are no two.
struct level_figures {
  std::string name{};        ///< the level's
  spread latency{};          ///< seconds, half a round trip between a rank of each, links further in included
  spread alone{};            ///< bytes/s of one stream while nothing else moves
  spread together{};         ///< bytes/s out of a unit, all of its ranks sending, all pairs of units at once
  spread incast{};           ///< bytes/s into one rank that several units send to
  spread message_time{};     ///< seconds of a rank's own work per message (LogGP's o)
  int streams_per_unit = 0;  ///< that `together` adds up: the ranks of the smaller unit
  int incast_senders = 0;
  friend bool operator==(const level_figures&, const level_figures&) = default;
};

/// Measured figures of one hierarchy: what a tuning file holds.
struct tuning {
  std::string fingerprint{};  ///< of the hierarchy as it was before: the key
  std::string hierarchy{};    ///< in one line, for people
  int ranks = 0;
  std::string date{};        ///< of the measurement, UTC, ISO 8601
  std::string host{};        ///< of rank 0
  std::string transports{};  ///< that carried it
  std::vector<level_figures> levels{};
  spread message_time{};  ///< the same over all levels
  spread reduction{};     ///< bytes of result per second and rank
  friend bool operator==(const tuning&, const tuning&) = default;
};

/// A hierarchy with measured links, and the host's own figures.
struct tuned {
  topology::hierarchy tree;
  cost::parameters host;
};

/// Puts the measured figures in place of those of the hierarchy, and of `host`; what was not measured stays.
/// `source` says what they are: `file` or `probed`; `origin` is for people. Throws errc::mismatch where the tuning
/// is for another hierarchy, naming both.
tuned apply(const tuning& measured, const topology::hierarchy& tree, const cost::parameters& host,
            topology::provenance source, const std::string& origin);

/// "tuning file F, DATE".
std::string origin_of_file(const std::string& path, const tuning& measured);

/// JSON text that reads back equal. Throws errc::unsupported where hawser was built without JSON.
std::string to_json(const tuning& measured);
/// Throws errc::parse with file, element and reason; errc::unsupported as above.
tuning tuning_from_json(std::string_view text, std::string_view file_name = {});

/// Throws errc::io where the file cannot be read, errc::parse where it is larger than 1 MiB and as above.
std::string read_tuning_text(const std::string& path);
tuning read_tuning(const std::string& path);
/// Atomically: a reader sees the old file or the new one, and where the new one cannot be written (errc::io: a full
/// disk, no permission) the old one is untouched.
void write_tuning(const std::string& path, const tuning& measured);

}  // namespace hawser::tune
