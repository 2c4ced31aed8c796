// Reads the network YAML of ASTRA-sim's analytical back end.
#ifdef HAWSER_HAS_YAML

#include "astra_sim_parse.hpp"

#include "../yaml.hpp"

namespace hawser::discovery::astra_sim_format {

namespace {

constexpr std::size_t max_dimensions = 20;  // each has two units at least, and 2^20 NPUs are the limit

YAML::Node list_of(const document& file, const YAML::Node& root, const char* key) {
  const YAML::Node list = root[key];
  if (!list.IsDefined()) fail_in(file, {}, "\"" + std::string(key) + "\" is missing");
  if (!list.IsSequence() || list.size() == 0)
    fail_at(file, list, "\"" + std::string(key) + "\" must be a list with one entry per dimension");
  if (list.size() > max_dimensions) fail_at(file, list, "more than " + std::to_string(max_dimensions) + " dimensions");
  return list;
}

shape shape_of(const document& file, const YAML::Node& entry) {
  const std::string name = scalar_of(file, entry, "a topology");
  if (name == "Ring") return shape::ring;
  if (name == "Switch") return shape::switched;
  if (name == "FullyConnected") return shape::fully_connected;
  fail_at(file, entry, "the topology \"" + shortened(name) + "\" is not known",
          "ASTRA-sim has Ring, Switch and FullyConnected");
}

double number_of(const document& file, const YAML::Node& entry, const char* key) {
  const std::string text = scalar_of(file, entry, key);
  const auto number = to_number(text);
  if (!number || *number < 0) fail_at(file, entry, std::string(key) + " \"" + shortened(text) + "\" is no such figure");
  return *number;
}

int npus_of(const document& file, const YAML::Node& entry) {
  const std::string text = scalar_of(file, entry, "npus_count");
  const auto number = to_integer<int>(text);
  if (!number || *number < 2)
    fail_at(file, entry, "npus_count \"" + shortened(text) + "\" must be a whole number from 2 on");
  return *number;
}

}  // namespace

std::vector<dimension> parse(const document& file) {
  const std::vector<YAML::Node> documents = parse_yaml(file);
  if (documents.empty() || !documents[0].IsMap()) fail_in(file, {}, "it is no YAML map");
  const YAML::Node& root = documents[0];
  const YAML::Node topology = list_of(file, root, "topology"), npus = list_of(file, root, "npus_count");
  const YAML::Node rate = list_of(file, root, "bandwidth"), latency = list_of(file, root, "latency");
  for (const auto& [list, key] : {std::pair{npus, "npus_count"}, {rate, "bandwidth"}, {latency, "latency"}})
    if (list.size() != topology.size())
      fail_at(file, list,
              "\"" + std::string(key) + "\" has " + std::to_string(list.size()) + " entries, \"topology\" has " +
                  std::to_string(topology.size()));
  std::vector<dimension> read;
  for (std::size_t each = 0; each < topology.size(); ++each) {
    read.push_back({shape_of(file, topology[each]), npus_of(file, npus[each]), number_of(file, rate[each], "bandwidth"),
                    number_of(file, latency[each], "latency")});
    if (read.back().gigabytes_per_second <= 0) fail_at(file, rate[each], "the bandwidth must be more than zero");
  }
  return read;
}

}  // namespace hawser::discovery::astra_sim_format

#endif
