// The model of a fabric: devices by id, and cables from what their ends say.
#include "fabric.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>

#include "../text.hpp"
#include "fabric_names.hpp"

namespace hawser::discovery::fabric {

using topology::finding;
using topology::severity;

namespace {

constexpr std::size_t most_of_a_code = 8;

/// Which of the ends stand, and what each port says of itself.
class pairing {
 public:
  explicit pairing(model& network) : network_(network), stands_(network.ends.size(), true) {}

  std::vector<cable> run() {
    index();
    judge();
    std::vector<cable> cables;
    for (std::size_t each = 0; each < network_.ends.size(); ++each) {
      if (!stands_[each]) continue;
      const cable_end& a = network_.ends[each];
      const auto other = own_end(a.there);
      if (other && *other < each && network_.ends[*other].there == a.here) continue;  // told before, from there
      const cable_end& b = other ? network_.ends[*other] : a;
      const link_speed could{a.could.lanes ? a.could.lanes : b.could.lanes, a.could.each ? a.could.each : b.could.each};
      cables.push_back({a.here, a.there, a.speed, b.speed, could});
    }
    return cables;
  }

 private:
  std::string name(const port& which) const {
    const device& of = network_.devices[which.device];
    return printable(of.description.empty() ? of.id : of.description) + " port " + std::to_string(which.number);
  }

  // The ends by port, each port once.
  void index() {
    by_port_.reserve(network_.ends.size());
    for (std::size_t each = 0; each < network_.ends.size(); ++each)
      by_port_.emplace_back(network_.ends[each].here, each);
    std::sort(by_port_.begin(), by_port_.end());
    const auto same_port = [&](const auto& a, const auto& b) {
      if (a.first != b.first) return false;
      const cable_end &first = network_.ends[a.second], &again = network_.ends[b.second];
      stands_[b.second] = false;
      if (first.there != again.there)
        network_.remarks.add({severity::error, "port-described-twice", name(first.here),
                              "it is said to be cabled to " + name(first.there) + " and to " + name(again.there) +
                                  "; the first is taken"});
      return true;
    };
    by_port_.erase(std::unique(by_port_.begin(), by_port_.end(), same_port), by_port_.end());
  }

  std::optional<std::size_t> own_end(const port& of) const {
    const auto found = std::lower_bound(by_port_.begin(), by_port_.end(), std::pair{of, std::size_t{0}});
    if (found == by_port_.end() || found->first != of) return std::nullopt;
    return found->second;
  }

  // Takes out what contradicts what the port at the far end says of itself.
  void judge() {
    std::vector<std::pair<port, std::size_t>> only_from_here;
    for (std::size_t each = 0; each < network_.ends.size(); ++each) {
      const cable_end& end = network_.ends[each];
      if (!stands_[each]) continue;
      if (end.here.device == end.there.device) {
        drop_loop(each);
      } else if (const auto other = own_end(end.there); !other) {
        only_from_here.emplace_back(end.there, each);
      } else if (network_.ends[*other].there != end.here) {
        stands_[each] = false;
        contradiction(end, network_.ends[*other].there);
      }
    }
    judge_one_sided(only_from_here);
  }

  void drop_loop(std::size_t each) {
    const cable_end& end = network_.ends[each];
    stands_[each] = false;
    if (end.there.number < end.here.number && own_end(end.there)) return;  // told from the other port
    network_.remarks.add({severity::warning, "self-loop", name(end.here),
                          "the cable leads back to port " + std::to_string(end.there.number) +
                              " of the same device: it joins nobody and takes two ports from the fabric"});
  }

  void judge_one_sided(std::vector<std::pair<port, std::size_t>>& ends) {
    std::sort(ends.begin(), ends.end());
    std::size_t first = 0;  // of those to the same port
    for (std::size_t each = 0; each < ends.size(); ++each) {
      const cable_end& end = network_.ends[ends[each].second];
      if (ends[first].first != ends[each].first) first = each;
      if (first != each) {
        stands_[ends[each].second] = false;
        contradiction(end, network_.ends[ends[first].second].here);
      } else if (network_.devices[end.there.device].is_described && network_.devices[end.here.device].is_described) {
        network_.remarks.add({severity::warning, "one-sided-link", name(end.here),
                              "only this end tells of the cable to " + name(end.there)});
      }
    }
  }

  void contradiction(const cable_end& end, const port& other) {
    network_.remarks.add(
        {severity::error, "contradictory-link", name(end.there),
         name(end.here) + " is said to be cabled to it, but it to " + name(other) + "; the former is left out"});
  }

  model& network_;
  std::vector<bool> stands_;
  std::vector<std::pair<port, std::size_t>> by_port_;
};

}  // namespace

void notes::add(finding what) {
  tally& of = by_code_[what.code];
  if (++of.number <= most_of_a_code)
    kept_.push_back(std::move(what));
  else
    of.last = std::move(what);
}

std::vector<finding> notes::all() const {
  std::vector<finding> found = kept_;
  for (const finding& each : kept_) {
    const tally& of = by_code_.at(each.code);
    const bool is_told = std::any_of(found.begin() + static_cast<std::ptrdiff_t>(kept_.size()), found.end(),
                                     [&](const finding& more) { return more.code == each.code; });
    if (of.number <= most_of_a_code || is_told) continue;
    found.push_back(of.last);
    found.back().message += " (" + std::to_string(of.number - most_of_a_code) + " more like this)";
  }
  return found;
}

std::size_t model::of_id(const std::string& id, device_kind kind, std::string_view description, std::uint64_t guid) {
  const auto [entry, is_new] = by_id_.try_emplace(id, devices.size());
  if (is_new) devices.push_back({.id = id, .description = {}});
  device& found = devices[entry->second];
  if (found.kind == device_kind::unknown) found.kind = kind;
  if (found.description.empty()) found.description = std::string(description);
  if (found.guid == 0) found.guid = guid;
  return entry->second;
}

void model::add_port_guid(std::size_t of, std::uint64_t guid) {
  std::vector<std::uint64_t>& known = devices[of].port_guids;
  // Only the last are looked at: tools list a port's ends one after the other, and the graph leaves out what repeats.
  const std::size_t last = known.size() < 8 ? 0 : known.size() - 8;
  if (guid != 0 && std::find(known.begin() + static_cast<std::ptrdiff_t>(last), known.end(), guid) == known.end())
    known.push_back(guid);
}

void check_size(const document& file, std::size_t line, const model& network) {
  if (network.devices.size() > max_devices)
    fail_at_line(file, line, "it describes more than " + std::to_string(max_devices) + " devices",
                 "a subnet of InfiniBand has room for 49,151");
  if (network.ends.size() > max_cable_ends)
    fail_at_line(file, line, "it describes more than " + std::to_string(max_cable_ends) + " cabled ports");
}

std::vector<cable> cables_of(model& network) {
  return pairing(network).run();
}

bool is_aggregation_node(const device& part) {
  return part.kind != device_kind::network_switch && part.description.find("Aggregation Node") != std::string::npos;
}

std::uint64_t parse_guid(std::string_view text) noexcept {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  if (text.size() > 16) return 0;
  return to_integer<std::uint64_t>(text, 16).value_or(0);
}

std::string guid_text(std::uint64_t guid) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%016llx", static_cast<unsigned long long>(guid));
  return text;
}

std::string adapter_id(std::uint64_t port_guid, std::uint32_t port, std::string_view description) {
  return "H" + guid_text(port_guid - port) + " " + std::string(description);
}

}  // namespace hawser::discovery::fabric
