// hawser doctor: looks at this machine and says what stands in the way of fast communication.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <hawser/discovery/discover.hpp>
#include <hawser/discovery/peer_access.hpp>
#include <hawser/discovery/summary.hpp>
#include <hawser/topology/nearest.hpp>

#include "describe_topology.hpp"
#include "doctor_hang.hpp"
#include "fast_paths.hpp"
#include "verbs.hpp"

namespace hawser::cli {
namespace {

using nlohmann::ordered_json;

/// The NICs that a GPU should use.
struct rail {
  std::string gpu;
  topology::nic_distance distance = topology::nic_distance::unknown;
  std::vector<std::string> nics;
};

struct diagnosis {
  discovery::summary summary;
  discovery::peer_report peers;
  std::vector<rail> rails;
  std::vector<discovery::phase> phases;
  std::vector<fast_path> fast_paths;

  bool is_healthy() const {
    return std::ranges::none_of(summary.findings,
                                [](const auto& each) { return each.level == topology::severity::error; });
  }
};

std::vector<rail> rails_of(const topology::graph& machine) {
  std::vector<rail> all;
  for (topology::node_index each = 0; each < machine.nodes().size(); ++each) {
    if (machine.nodes()[each].kind != topology::node_kind::gpu) continue;
    const topology::near_nics near = nearest_nics(machine, each, topology::nics_considered::hardware);
    rail found{machine.nodes()[each].name, near.distance, {}};
    for (topology::node_index nic : near.nics) found.nics.push_back(machine.nodes()[nic].name);
    all.push_back(std::move(found));
  }
  return all;
}

diagnosis examine() {
  std::vector<fast_path> tried = try_fast_paths();  // first: it forks
  const discovery::discovery found = discovery::discover();
  diagnosis made{discovery::summarise(found.machine), discovery::ask_peer_access(), rails_of(found.machine),
                 found.phases, std::move(tried)};
  for (const topology::finding& each : made.peers.findings)
    if (std::ranges::find(made.summary.findings, each) == made.summary.findings.end())
      made.summary.findings.push_back(each);
  return made;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& each : names) text += (text.empty() ? "" : ", ") + each;
  return text;
}

std::string peers_in_words(const discovery::peer_report& peers) {
  if (peers.pairs.empty()) return "peer access: there are no two GPUs of one host here\n";
  std::string text = "peer access\n";
  for (const discovery::peer_access& each : peers.pairs) {
    const bool works = each.can_read && each.can_write;
    const std::string below = each.nearest.empty() ? "" : " (" + each.nearest + ")";
    const std::string answer = works ? "yes, over " + std::string(to_string(each.path)) : "no: " + each.why_not;
    text += formatted("  %-20s -> %-20s %s%s\n", each.gpu.c_str(), each.peer.c_str(), answer.c_str(), below.c_str());
  }
  return text;
}

std::string rails_in_words(const std::vector<rail>& rails) {
  if (rails.empty()) return "rails: there are no GPUs here\n";
  std::string text = "rails (the NIC of each GPU)\n";
  for (const rail& each : rails)
    text +=
        formatted("  %-20s %s\n", each.gpu.c_str(),
                  each.nics.empty() ? "none: no NIC is known"
                                    : (joined(each.nics) + " (" + std::string(to_string(each.distance)) + ")").c_str());
  return text;
}

std::string in_words(const diagnosis& made) {
  return discovery::to_text(made.summary) + "\n" + peers_in_words(made.peers) + "\n" + rails_in_words(made.rails) +
         "\n" + in_words(made.fast_paths) + "\n" + describe(made.phases);
}

std::string in_json(const diagnosis& made) {
  ordered_json peers = ordered_json::array(), rails = ordered_json::array(), phases = ordered_json::array();
  for (const discovery::peer_access& each : made.peers.pairs)
    peers.push_back({{"gpu", each.gpu},
                     {"peer", each.peer},
                     {"read", each.can_read},
                     {"write", each.can_write},
                     {"path", std::string(to_string(each.path))},
                     {"nearest", each.nearest.empty() ? ordered_json() : ordered_json(each.nearest)},
                     {"why_not", each.why_not.empty() ? ordered_json() : ordered_json(each.why_not)}});
  for (const rail& each : made.rails)
    rails.push_back({{"gpu", each.gpu}, {"distance", std::string(to_string(each.distance))}, {"nics", each.nics}});
  for (const discovery::phase& each : made.phases)
    phases.push_back({{"name", each.name}, {"seconds", each.time.count()}});
  ordered_json fast_paths = ordered_json::array();
  for (const fast_path& each : made.fast_paths)
    fast_paths.push_back({{"name", each.name}, {"is_trusted", each.is_trusted}, {"reason", each.reason}});
  const ordered_json document{{"schema", "hawser.doctor/1"},
                              {"summary", ordered_json::parse(discovery::to_json(made.summary))},
                              {"peer_access", peers},
                              {"rails", rails},
                              {"fast_paths", fast_paths},
                              {"phases", phases}};
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

verb add_doctor(CLI::App& program, const context&) {
  auto form = std::make_shared<std::string>("text");
  CLI::App* const app =
      program.add_subcommand("doctor", "Look at this machine: findings, peer access, the NIC of each GPU, fast paths");
  app->add_option("--format", *form, "text or json (docs/schema/doctor-1.json)")
      ->capture_default_str()
      ->type_name("FORMAT");
  const verb hang = add_doctor_hang(*app);
  return {app, [form, hang] {
            if (hang.app->parsed()) return hang.run();
            const format wanted = parse_format(*form);
            const diagnosis made = examine();
            std::fputs((wanted == format::json ? in_json(made) : in_words(made)).c_str(), stdout);
            return made.is_healthy() ? exit_success : exit_found_wrong;
          }};
}

}  // namespace hawser::cli
