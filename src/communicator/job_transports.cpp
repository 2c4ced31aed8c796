// Which transports carry a job's messages, and how they are opened: for its own loop, and for others beside it.
#include <algorithm>

#include "job.hpp"
#include "successor.hpp"

namespace hawser::detail {

std::string_view job::transport_inside_hosts() const {
  const auto found = std::find_if(options_.transports.begin(), options_.transports.end(),
                                  [](const auto& line) { return line.reaches == transport::reach::host; });
  return found == options_.transports.end() ? transport_between_hosts() : std::string_view(found->name);
}

std::string_view job::transport_between_hosts() const {
  std::string refused;
  const transport::factory* const line = network_line(own_lines(), refused);
  return line ? std::string_view(line->name) : std::string_view();
}

std::vector<job::known_line> job::own_lines() const {
  std::vector<known_line> lines;
  for (std::size_t i = 0; i < options_.transports.size(); ++i)
    lines.push_back({&options_.transports[i], suits_all_[i]});
  return lines;
}

/// The transport between hosts: the first that suits all of them, else the first.
const transport::factory* job::network_line(const std::vector<known_line>& lines, std::string& refused) const {
  const transport::factory* first = nullptr;
  for (const known_line& each : lines) {
    const transport::factory& line = *each.line;
    if (line.reaches != transport::reach::network) continue;
    // Without a secret there is nothing to prove, and a handshake about it says nothing.
    const bool is_known = line.is_authenticated && !door_->secret().empty();
    if ((options_.require_auth && !is_known) || (options_.has_tls && !line.can_encrypt)) {
      refused.append(refused.empty() ? "" : ", ").append(line.name);
      continue;
    }
    if (each.suits_all) return &line;
    if (!first) first = &line;
  }
  return first;
}

/// In the order in which they are asked for a rank.
std::vector<const transport::factory*> job::lines_by_reach(const std::vector<known_line>& of,
                                                           std::string& refused) const {
  std::vector<const transport::factory*> lines;
  for (const known_line& each : of)
    if (each.line->reaches != transport::reach::network) lines.push_back(each.line);
  std::stable_sort(lines.begin(), lines.end(), [](const auto* a, const auto* b) { return a->reaches < b->reaches; });
  if (const transport::factory* between = network_line(of, refused)) lines.push_back(between);
  return lines;
}

transport::endpoint_environment job::environment_for(const wiring& where) const {
  transport::endpoint_environment environment;
  const auto self = static_cast<std::size_t>(where.door.self().value);
  environment.self = where.door.self();
  environment.size = where.door.size();
  for (int r = 0; r < environment.size; ++r)
    if (where.host_numbers[static_cast<std::size_t>(r)] == where.host_numbers[self])
      environment.neighbours.emplace_back(r);
  environment.publish = [&door = where.door](std::string_view key, std::string_view value) { door.put(key, value); };
  environment.look_up = [&door = where.door, this](std::string_view key) {
    return door.get(key, options_.rendezvous_timeout);
  };
  environment.secret = door_->secret();
  environment.has_tls = options_.has_tls;
  environment.incarnation = where.incarnation;
  environment.peer_timeout = options_.peer_timeout;
  environment.interface = options_.interface.empty() ? door_->local_address() : options_.interface;
  return environment;
}

std::unique_ptr<transport::router> job::open_transports(const wiring& where, const std::vector<known_line>& all) const {
  const transport::endpoint_environment environment = environment_for(where);
  auto wire = std::make_unique<transport::router>();
  std::vector<bool> is_routed(static_cast<std::size_t>(environment.size), false);
  is_routed[static_cast<std::size_t>(environment.self.value)] = true;  // a rank sends itself nothing
  std::string refused;
  for (const transport::factory* line : lines_by_reach(all, refused)) {
    if (line->reaches == transport::reach::network &&
        std::find(is_routed.begin(), is_routed.end(), false) == is_routed.end())
      continue;
    if (line->reaches == transport::reach::host && environment.neighbours.size() < 2) continue;
    const std::size_t number = wire->add(decorated(line->open(environment)));
    for (int r = 0; r < environment.size; ++r) {
      if (is_routed[static_cast<std::size_t>(r)] || !wire->at(number).reaches(r)) continue;
      wire->route(r, number);
      is_routed[static_cast<std::size_t>(r)] = true;
    }
  }
  const auto unreached = std::find(is_routed.begin(), is_routed.end(), false);
  if (unreached != is_routed.end())
    hawser::fail(errc::unsupported, "no transport reaches rank " + std::to_string(unreached - is_routed.begin()),
                 refused.empty()    ? "none of the job's transports goes there"
                 : options_.has_tls ? "TLS is asked for, which " + refused + " does not have"
                                    : "require_auth refuses " + refused + ", which cannot prove the job's secret",
                 door_->secret().empty() && !refused.empty() ? "the job has none: set HAWSER_SECRET_FILE"
                                                             : "enable tcp between hosts");
  return wire;
}

std::unique_ptr<transport::router> job::open_transports() const {
  return open_transports({*door_, host_numbers_, door_->scope()}, own_lines());
}

std::unique_ptr<transport::router> job::open_transports_beside(const wiring& where) const {
  std::vector<known_line> lines = own_lines();
  std::erase_if(lines, [](const known_line& each) { return !each.line->is_renewable; });
  const transport::registry others = substitutes(options_.transports);
  for (const transport::factory& line : others) lines.push_back({&line, true});
  return open_transports(where, lines);
}

}  // namespace hawser::detail
