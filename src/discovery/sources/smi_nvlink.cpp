// nvidia-smi nvlink -s: the NVLinks of each GPU of a host. It does not say where they lead.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "smi_nvlink_counts.hpp"
#include "smi_nvlink_parse.hpp"
#include "sources.hpp"

namespace hawser::discovery {
namespace {

namespace attribute = topology::attribute;
namespace identity = topology::identity;
using topology::provenance;
using topology::severity;

bool recognises(const document& file) {
  bool has_gpu = false, has_more = false;
  for (line_reader lines(file.text.substr(0, std::size_t{64} << 10)); lines.next();) {
    const std::string_view line = trimmed(lines.line());
    const bool is_gpu = line.find("GPU ") != std::string_view::npos && line.find("(UUID: ") != std::string_view::npos;
    const bool is_link =
        line.starts_with("Link ") && (line.ends_with("GB/s") || line.find("inactive") != std::string_view::npos);
    has_gpu = has_gpu || is_gpu;
    has_more = has_more || !(is_gpu || line.empty());
    if (has_gpu && (is_link || line.find("Unable to retrieve N") != std::string_view::npos)) return true;
  }
  return has_gpu && !has_more;  // of GPUs without NVLink only the names are listed
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& each : names) all += (all.empty() ? "" : ", ") + each;
  return all;
}

class builder {
 public:
  builder(const document& file, const std::string& host_name)
      : file_(file), all_(parse_smi_nvlink(file)), host_name_(host_name) {}

  topology::graph run() {
    host_ = into_.add_node(
        {.kind = topology::node_kind::host, .name = host_name_, .identities = {identity::host(host_name_)}});
    for (const auto& [number, gpu] : all_.gpus) add_gpu(number, gpu);
    add_switches();
    note_gaps();
    into_.tell(topology::aspect::hosts);
    if (!all_.is_elided) into_.tell(topology::aspect::gpus);
    return std::move(into_);
  }

 private:
  void add_gpu(int number, const nvlink_status& gpu) {
    topology::node part{.kind = topology::node_kind::gpu,
                        .name = host_name_ + ":GPU" + std::to_string(number),
                        .identities = {identity::gpu(host_name_, number)},
                        .attributes = {{attribute::index, std::to_string(number)}, {attribute::model, gpu.name}}};
    if (!gpu.uuid.empty()) {
      part.attributes[attribute::uuid] = gpu.uuid;
      if (!into_.find(identity::uuid(gpu.uuid))) part.identities.push_back(identity::uuid(gpu.uuid));
    }
    std::size_t active = 0;
    std::vector<std::string> inactive;
    std::set<double> rates;
    for (const auto& [link, rate] : gpu.links) {
      if (rate) rates.insert(*rate);
      rate ? void(++active) : inactive.push_back(std::to_string(link));
    }
    if (!gpu.links.empty() || gpu.has_none) {
      part.attributes[attribute::nvlinks_active] = std::to_string(active);
      part.attributes[attribute::nvlinks_inactive] = std::to_string(inactive.size());
    }
    if (!inactive.empty()) part.attributes["nvlinks_inactive_numbers"] = joined(inactive);
    if (!rates.empty()) part.attributes["nvlink_rate"] = to_string(bandwidth{*rates.begin() * 1e9});
    if (rates.size() > 1)
      into_.note({severity::warning, "unequal-nvlink-rates", part.name,
                  "its links have from " + to_string(bandwidth{*rates.begin() * 1e9}) + " to " +
                      to_string(bandwidth{*rates.rbegin() * 1e9}) + ": a slow one bounds what is striped over all"});
    node_of_.push_back(into_.add_node(std::move(part)));
    into_.contain(host_, node_of_.back());
  }

  // Where the product leaves no doubt, the links lead to NVSwitches.
  void add_switches() {
    const auto linked = [](const auto& each) {
      return std::ranges::any_of(each.second.links, [](const auto& link) { return link.second.has_value(); });
    };
    const auto number = static_cast<std::size_t>(std::ranges::count_if(all_.gpus, linked));
    if (number == 0) {
      if (!all_.is_elided) into_.tell(topology::aspect::nvlink);
      return;
    }
    const bool is_switched = std::ranges::all_of(
        all_.gpus, [&](const auto& each) { return is_always_switched(each.second.name, all_.gpus.size()); });
    if (!is_switched) {
      into_.note({severity::info, "nvlink-peers-untold", host_name_,
                  "the file says how many NVLinks are active, not where they lead, which may be other GPUs or "
                  "NVSwitches; nvidia-smi topo -m or NCCL's topology file tell it"});
      return;
    }
    const auto joined_by = into_.add_node({.kind = topology::node_kind::nvswitch,
                                           .name = host_name_ + ":NVSwitch",
                                           .identities = {identity::nvswitches(host_name_)},
                                           .attributes = {{attribute::virtual_part, "1"}}});
    into_.contain(host_, joined_by);
    std::size_t next = 0;
    for (const auto& [gpu, status] : all_.gpus) {
      for (const auto& [link, rate] : status.links)
        if (rate)
          into_.add_edge({.a = node_of_[next],
                          .b = joined_by,
                          .kind = topology::edge_kind::nvlink,
                          .rate = bandwidth{*rate * 1e9},
                          .source = provenance::file});
      ++next;
    }
    if (!all_.is_elided) into_.tell(topology::aspect::nvlink);
  }

  void note_gaps() {
    const std::string subject(file_.name);
    if (all_.is_elided)
      into_.note({severity::warning, "text-elided", subject,
                  "\"...\" stands for a part of the text: GPUs or links are missing"});
    if (!all_.contradictory_links.empty())
      into_.note({severity::warning, "contradictory-links", subject,
                  shortened(joined(all_.contradictory_links)) + ": told twice and differently; the first is taken"});
    if (!all_.unknown_links.empty())
      into_.note({severity::warning, "unknown-link-status", subject,
                  shortened(joined(all_.unknown_links)) + ": taken for inactive"});
  }

  const document& file_;
  smi_nvlink_document all_;
  const std::string& host_name_;
  topology::graph into_;
  topology::node_index host_ = 0;
  std::vector<topology::node_index> node_of_;  // in the order of their numbers
};

topology::graph read(const document& file, const read_options& options) {
  return builder(file, options.host).run();
}

}  // namespace

const file_source smi_nvlink{"smi-nvlink", "nvidia-smi nvlink -s", max_text_bytes, recognises, read};

}  // namespace hawser::discovery
