// See tune.hpp: probes over the communicator's own messages.
#include <hawser/communicator/tune.hpp>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <set>
#include <sstream>

#include <hawser/tune/prober.hpp>

#include "state.hpp"

namespace hawser {

namespace {

using prober = tune::prober<communicator, group>;

/// Rank 0 measures and tells all others the result, or why there is none.
template <class Measure>
std::string measured_by_first(communicator& members, const tune::effort& how, Measure&& measure) {
  prober probes(members);
  constexpr char good = '+', bad = '-';
  if (members.rank() != rank(0)) {
    const std::string told = probes.serve();
    if (told.front() == bad) fail(errc::unsupported, told.substr(1));
    return told.substr(1);
  }
  try {
    std::string result = measure(probes.tools(how.pings, how.ping_seconds));
    probes.end(good + result);
    return result;
  } catch (const error& problem) {
    if (problem.code() != errc::unsupported) throw;  // the job has failed: nobody is left to be told
    probes.end(bad + std::string(problem.what()));
    throw;
  }
}

/// UTC, ISO 8601.
std::string date_now() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm broken{};
  gmtime_r(&now, &broken);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &broken);
  return text;
}

std::string transports_of(const communicator& members) {
  std::set<std::string_view> names;
  for (int r = 0; r < members.size(); ++r)
    if (members.rank() != rank(r)) names.insert(members.transport_to(r));
  std::string text;
  for (std::string_view each : names) text.append(text.empty() ? "" : ", ").append(each);
  return text.empty() ? "none (one rank)" : text;
}

/// The host of each member, numbered from 0 in the order of their first ranks.
std::vector<int> hosts_of(const communicator& members) {
  const auto state = members.state();
  std::vector<int> known, hosts;
  for (int r = 0; r < members.size(); ++r) {
    const int host = state->owner().host_numbers()[static_cast<std::size_t>(state->in_job(r).value)];
    const auto found = std::find(known.begin(), known.end(), host);
    hosts.push_back(static_cast<int>(found - known.begin()));
    if (found == known.end()) known.push_back(host);
  }
  return hosts;
}

std::string to_text(const tune::inferred& racks) {
  std::ostringstream text;
  text.precision(17);
  text << racks.racks << ' ' << static_cast<int>(racks.by) << ' ' << racks.confidence << ' ' << racks.inside << ' '
       << racks.across << ' ' << racks.pairs << ' ' << racks.rounds << ' ' << racks.rack_of_host.size();
  for (int each : racks.rack_of_host) text << ' ' << each;
  text << ' ' << racks.reason;
  return text.str();
}

tune::inferred inferred_from(const std::string& told) {
  std::istringstream text(told);
  tune::inferred racks;
  int by = 0;
  std::size_t hosts = 0;
  text >> racks.racks >> by >> racks.confidence >> racks.inside >> racks.across >> racks.pairs >> racks.rounds >> hosts;
  racks.by = static_cast<tune::clue>(by);
  racks.rack_of_host.resize(hosts);
  for (int& each : racks.rack_of_host) text >> each;
  if (!text || hosts == 0) fail(errc::internal, "the racks that rank 0 found cannot be read");
  text.get();
  std::getline(text, racks.reason);
  return racks;
}

}  // namespace

tune::tuning calibrate(communicator& members, const tune::effort& how) {
  return calibrate(members, members.hierarchy(), how);
}

tune::tuning calibrate(communicator& members, const topology::hierarchy& tree, const tune::effort& how) {
  return tune::tuning_from_json(measured_by_first(members, how, [&](const tune::instruments& with) {
    tune::tuning measured = tune::calibrate(with, tree, how);
    measured.date = date_now();
    measured.host =
        members.state()->owner().host_names()[static_cast<std::size_t>(members.state()->in_job(members.rank()).value)];
    measured.transports = transports_of(members);
    return tune::to_json(measured);
  }));
}

tune::inferred infer_racks(communicator& members, const tune::infer_options& how) {
  const std::vector<int> hosts = hosts_of(members);
  return inferred_from(measured_by_first(members, tune::effort{}, [&](const tune::instruments& with) {
    std::vector<int> first;
    for (int r = 0; r < members.size(); ++r)
      if (hosts[static_cast<std::size_t>(r)] == static_cast<int>(first.size())) first.push_back(r);
    return to_text(tune::infer_racks(with, first, how));
  }));
}

topology::hierarchy hierarchy_of(const communicator& members, const tune::inferred& racks, bool takes_rates) {
  return tune::hierarchy_of(racks, hosts_of(members), detail::memory_link, detail::network_link, takes_rates);
}

}  // namespace hawser
