// Reads the network YAML of ASTRA-sim's analytical back end.
#ifdef HAWSER_HAS_YAML

#include "astra_sim_parse.hpp"

#include "../yaml.hpp"

namespace hawser::discovery::astra_sim_format {

namespace {

constexpr std::size_t max_dimensions = 20;  // each has two units at least, and 2^20 NPUs are the limit

const value& dimensions_of(const document& file, const value& root, const char* key) {
  const value* const list = root.find(key);
  if (!list) fail_in(file, {}, "\"" + std::string(key) + "\" is missing");
  if (!list->is_list() || list->items.empty())
    fail_at(file, *list, "\"" + std::string(key) + "\" must be a list with one entry per dimension");
  if (list->items.size() > max_dimensions)
    fail_at(file, *list, "more than " + std::to_string(max_dimensions) + " dimensions");
  return *list;
}

const std::string& scalar_of(const document& file, const value& entry, std::string_view what) {
  if (!entry.is_text()) fail_at(file, entry, std::string(what) + " must be a single value");
  return entry.text;
}

shape shape_of(const document& file, const value& entry) {
  const std::string name = scalar_of(file, entry, "a topology");
  if (name == "Ring") return shape::ring;
  if (name == "Switch") return shape::switched;
  if (name == "FullyConnected") return shape::fully_connected;
  fail_at(file, entry, "the topology \"" + shortened(name) + "\" is not known",
          "ASTRA-sim has Ring, Switch and FullyConnected");
}

double number_of(const document& file, const value& entry, const char* key) {
  const std::string text = scalar_of(file, entry, key);
  const auto number = to_number(text);
  if (!number || *number < 0) fail_at(file, entry, std::string(key) + " \"" + shortened(text) + "\" is no such figure");
  return *number;
}

int npus_of(const document& file, const value& entry) {
  const std::string text = scalar_of(file, entry, "npus_count");
  const auto number = to_integer<int>(text);
  if (!number || *number < 2)
    fail_at(file, entry, "npus_count \"" + shortened(text) + "\" must be a whole number from 2 on");
  return *number;
}

}  // namespace

std::vector<dimension> parse(const document& file) {
  const std::vector<value> documents = parse_yaml(file);
  if (documents.empty() || !documents[0].is_map()) fail_in(file, {}, "it is no YAML map");
  const value& root = documents[0];
  const value &topology = dimensions_of(file, root, "topology"), &npus = dimensions_of(file, root, "npus_count");
  const value &rate = dimensions_of(file, root, "bandwidth"), &latency = dimensions_of(file, root, "latency");
  for (const value* list : {&npus, &rate, &latency})
    if (list->items.size() != topology.items.size())
      fail_at(file, *list,
              "\"" + list->key + "\" has " + std::to_string(list->items.size()) + " entries, \"topology\" has " +
                  std::to_string(topology.items.size()));
  std::vector<dimension> read;
  for (std::size_t each = 0; each < topology.items.size(); ++each) {
    read.push_back({shape_of(file, topology.items[each]), npus_of(file, npus.items[each]),
                    number_of(file, rate.items[each], "bandwidth"), number_of(file, latency.items[each], "latency")});
    if (read.back().gigabytes_per_second <= 0) fail_at(file, rate.items[each], "the bandwidth must be more than zero");
  }
  return read;
}

}  // namespace hawser::discovery::astra_sim_format

#endif
