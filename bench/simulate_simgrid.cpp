// hawser's simulator against SimGrid (S4U, CM02): the same platform and schedules; times and wall clocks side by side.
// Exits with 1 where the times differ by more than 5 %, or classes and single ranks at all.
// usage: simulate_simgrid COLLECTIVE TOPOLOGY ALGORITHM BYTES_PER_BLOCK [SEGMENTS]; SimGrid runs one case per process.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <simgrid/s4u.hpp>

#include <hawser/schedule/segments.hpp>
#include <hawser/simulate/simulate.hpp>
#include <hawser/topology/synthetic.hpp>

namespace {

using namespace hawser;
namespace s4u = simgrid::s4u;

/// One rank's program with the order in which messages of one lane are posted, as the executor compiles it.
struct rank_code {
  schedule::program program;
  std::vector<double> bytes;
  std::vector<std::vector<std::uint32_t>> next;  // released when issued
  std::vector<std::uint32_t> waits;
};

rank_code compile(schedule::schedule written, double block_bytes) {
  rank_code code{schedule::derive_dependences(std::move(written)), {}, {}, {}};
  const auto& steps = code.program.source.steps;
  code.next.resize(steps.size());
  code.waits = code.program.waits_for;
  std::map<std::tuple<std::int32_t, std::uint16_t, bool>, std::uint32_t> last;
  for (std::uint32_t i = 0; i < steps.size(); ++i) {
    const schedule::step& s = steps[i];
    code.bytes.push_back(cost::detail::volume(code.program.source.at(s.sends() ? s.source : s.target)) * block_bytes);
    if (!s.sends() && !s.receives()) continue;
    const auto [at, is_first] = last.try_emplace({s.peer.value, s.channel, s.sends()}, i);
    if (is_first) continue;
    code.next[at->second].push_back(i);
    ++code.waits[i];
    at->second = i;
  }
  return code;
}

/// A rank: posts what is ready, waits for any of its messages. Work on the rank itself takes no time here.
class actor {
 public:
  actor(const rank_code& code, std::int64_t segments, std::int64_t window)
      : code_(code), segments_(segments), window_(std::min(segments, window)) {}

  void operator()() {
    for (std::int64_t w = 0; w < window_; ++w) begin(next_segment_++);
    while (true) {
      while (!ready_.empty()) {
        const auto [segment, step] = ready_.back();
        ready_.pop_back();
        issue(segment, step);
      }
      if (pending_.empty()) return;
      const auto done = static_cast<std::size_t>(s4u::Comm::wait_any(pending_));
      const auto [segment, step] = what_[done];
      pending_[done] = pending_.back();
      what_[done] = what_.back();
      pending_.pop_back();
      what_.pop_back();
      completed(segment, step);
    }
  }

 private:
  using at = std::pair<std::int64_t, std::uint32_t>;

  void begin(std::int64_t segment) {
    waits_[segment] = code_.waits;
    left_[segment] = code_.waits.size();
    for (std::uint32_t i = 0; i < code_.waits.size(); ++i)
      if (code_.waits[i] == 0) ready_.emplace_back(segment, i);
  }
  void release(std::int64_t segment, std::uint32_t step) {
    if (--waits_[segment][step] == 0) ready_.emplace_back(segment, step);
  }
  void issue(std::int64_t segment, std::uint32_t step) {
    const schedule::step& s = code_.program.source.steps[step];
    for (std::uint32_t next : code_.next[step]) release(segment, next);
    if (!s.sends() && !s.receives()) return completed(segment, step);
    const auto self = code_.program.source.self.value;
    const auto lane = std::to_string(s.sends() ? self : s.peer.value) + ">" +
                      std::to_string(s.sends() ? s.peer.value : self) + "#" + std::to_string(s.channel) + "@" +
                      std::to_string(segment);
    s4u::Mailbox* const box = s4u::Mailbox::by_name(lane);
    static int payload = 0;
    if (s.sends()) {
      pending_.push_back(box->put_async(
          &payload, static_cast<std::uint64_t>(
                        std::llround(code_.bytes[step] * schedule::segmentation(segments_).share(segment)))));
    } else {
      pending_.push_back(box->get_async<int>(&sink_));
    }
    what_.emplace_back(segment, step);
  }
  void completed(std::int64_t segment, std::uint32_t step) {
    for (std::uint32_t next : code_.program.dependents_of(step)) release(segment, next);
    if (--left_[segment] > 0) return;
    waits_.erase(segment);
    if (next_segment_ < segments_) begin(next_segment_++);
  }

  const rank_code& code_;
  std::int64_t segments_, window_, next_segment_ = 0;
  int* sink_ = nullptr;
  std::vector<at> ready_, what_;
  std::vector<s4u::CommPtr> pending_;
  std::map<std::int64_t, std::vector<std::uint32_t>> waits_;
  std::map<std::int64_t, std::size_t> left_;
};

/// A host per rank; the links of docs/simulator.md, all latency on the way out.
void build_platform(const topology::hierarchy& tree) {
  s4u::NetZone* const zone = s4u::create_full_zone("machine");
  std::vector<std::vector<std::pair<s4u::Link*, s4u::Link*>>> links(static_cast<std::size_t>(tree.depth()));
  for (int d = 0; d < tree.depth(); ++d)
    for (std::int64_t u = 0; u < tree.at(d).units.total(); ++u) {
      const std::string name = tree.at(d).name + std::to_string(u);
      const double rate = tree.at(d).up.rate.bytes_per_second;
      links[static_cast<std::size_t>(d)].emplace_back(
          zone->create_link(name + ".out", rate)->set_latency(tree.at(d).up.latency.count())->seal(),
          zone->create_link(name + ".in", rate)->set_latency(0)->seal());
    }
  std::vector<s4u::Host*> hosts;
  for (std::int64_t p = 0; p < tree.size(); ++p)
    hosts.push_back(zone->create_host("rank" + std::to_string(tree.rank_at(p).value), 1e9)->seal());
  for (std::int64_t a = 0; a < tree.size(); ++a)
    for (std::int64_t b = 0; b < tree.size(); ++b) {
      if (a == b) continue;
      std::vector<s4u::LinkInRoute> way;
      for (int d = tree.depth() - 1; d >= tree.parting_level(a, b); --d)
        way.emplace_back(links[static_cast<std::size_t>(d)][static_cast<std::size_t>(tree.unit_of(a, d))].first);
      for (int d = tree.parting_level(a, b); d < tree.depth(); ++d)
        way.emplace_back(links[static_cast<std::size_t>(d)][static_cast<std::size_t>(tree.unit_of(b, d))].second);
      zone->add_route(hosts[static_cast<std::size_t>(a)]->get_netpoint(),
                      hosts[static_cast<std::size_t>(b)]->get_netpoint(), nullptr, nullptr, way, false);
    }
  zone->seal();
}

constexpr double agreement = 0.05;
constexpr int runs = 21;

/// What hawser's simulator found, and its wall clocks in seconds: of the first run, and of all, in order.
struct timing {
  simulate::result found{};
  double first = 0;
  std::vector<double> took{};
  double median() const { return took[took.size() / 2]; }
};

std::vector<std::string> simgrid_settings() {
  return {"simulate_simgrid",
          "--cfg=network/model:CM02",
          "--cfg=network/latency-factor:1",
          "--cfg=network/bandwidth-factor:1",
          "--cfg=network/weight-S:0",
          "--cfg=network/TCP-gamma:0",
          "--cfg=network/crosstraffic:0",
          "--cfg=contexts/stack-size:64",
          "--log=root.thresh:error"};
}

double since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

timing time_hawser(const topology::hierarchy& tree, const schedule::request& what, const char* algorithm,
                   simulate::options how, bool uses_classes) {
  how.uses_classes = uses_classes;
  timing taken;
  for (int i = 0; i < runs; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    taken.found = simulate::simulate(tree, what, algorithm, how);
    taken.took.push_back(since(begin));
  }
  taken.first = taken.took.front();
  std::sort(taken.took.begin(), taken.took.end());
  return taken;
}

}  // namespace

int main(int count, char** values) {
  std::vector<std::string> simgrid = simgrid_settings();
  std::vector<char*> arguments;
  for (std::string& each : simgrid) arguments.push_back(each.data());
  int number = static_cast<int>(arguments.size());
  s4u::Engine world(&number, arguments.data());
  if (count < 5) {
    std::fprintf(stderr, "usage: simulate_simgrid COLLECTIVE TOPOLOGY ALGORITHM BYTES_PER_BLOCK [SEGMENTS]\n");
    return 2;
  }
  schedule::request what;
  what.what = schedule::parse_collective(values[1]);
  what.count = std::atoll(values[4]) / static_cast<std::int64_t>(what.element_bytes);
  const topology::hierarchy tree = topology::parse_synthetic(values[2]);
  simulate::options how;
  how.segments = count > 5 ? std::atoll(values[5]) : 1;
  how.host = {.per_message = seconds{0}, .reduction = bandwidth{std::numeric_limits<double>::infinity()}};

  const auto timed = [&](bool uses_classes) { return time_hawser(tree, what, values[3], how, uses_classes); };
  const timing by_classes = timed(true), by_ranks = timed(false);
  const simulate::result &classes = by_classes.found, &single = by_ranks.found;

  build_platform(tree);
  const auto begin = std::chrono::steady_clock::now();  // as hawser's time does, this includes making the schedules
  std::vector<rank_code> codes;
  for (int r = 0; r < static_cast<int>(tree.size()); ++r)
    codes.push_back(compile(algorithm::generate(tree, what, values[3], r), static_cast<double>(what.block_bytes())));
  for (std::size_t r = 0; r < codes.size(); ++r)
    s4u::Actor::create("rank" + std::to_string(r), world.host_by_name("rank" + std::to_string(r)),
                       actor(codes[r], how.segments, how.window));
  world.run();
  const double took = since(begin), time = s4u::Engine::get_clock();
  std::printf(
      "%-12s %-22s %-38s %10s %4lld  %.6e %.6e %+6.2f%%  %9.3f %9.3f (%.3f) %9.3f (%.3f)  %6.0fx (%.0fx) %6.0fx "
      "(%.0fx)\n",
      values[1], values[2], values[3], values[4], static_cast<long long>(how.segments), time, classes.time.count(),
      100 * (classes.time.count() / time - 1), took * 1e3, by_classes.median() * 1e3, by_classes.first * 1e3,
      by_ranks.median() * 1e3, by_ranks.first * 1e3, took / by_classes.median(), took / by_classes.first,
      took / by_ranks.median(), took / by_ranks.first);
  const bool is_exact = std::abs(single.time.count() - classes.time.count()) < 1e-9 * single.time.count();
  return is_exact && std::abs(classes.time.count() / time - 1) <= agreement ? 0 : 1;
}
