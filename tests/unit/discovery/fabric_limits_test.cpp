// Sizes and damage: large fabrics in time and memory, mutated files in a graph or an error.
#include <sys/resource.h>

#include <ctime>

#include <hawser/discovery/source.hpp>
#include <hawser/topology/derive.hpp>

#include "discovery/fabric_support.hpp"
#include "support/mutate.hpp"
#include "topology/support.hpp"

namespace hawser::discovery {
namespace {

using testing::count_of;
using testing::links_of;
using topology::graph;
using topology::node_kind;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_sanitized = true;
#else
constexpr bool is_sanitized = false;
#endif

// Of this process, so that other load does not count.
double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

struct timed_read {
  graph machine;
  double seconds;
};

timed_read read(const std::string& kind, const std::string& text) {
  const double start = cpu_seconds();
  graph machine = file_source_of(kind).read({text, "generated"}, {});
  return {std::move(machine), cpu_seconds() - start};
}

long peak_mib() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return used.ru_maxrss / 1024;
}

TEST(fabric_limits, six_hundred_devices_take_less_than_a_fifth_of_a_second) {
  const testing::fat_tree tree{.leaves = 24, .spines = 12, .hosts_per_leaf = 24, .speed = "4xNDR"};
  const timed_read found = read("ibnetdiscover", testing::ibnetdiscover_text(tree));
  std::printf("612 devices, 864 links: %.4f s\n", found.seconds);
  EXPECT_EQ(count_of(found.machine, node_kind::host), 576U);
  EXPECT_EQ(count_of(found.machine, node_kind::leaf_switch), 24U);
  EXPECT_EQ(count_of(found.machine, node_kind::spine_switch), 12U);
  EXPECT_EQ(links_of(found.machine), 576U + 24 * 12);
  if (!is_sanitized) {
    EXPECT_LT(found.seconds, 0.2);
  }
  const topology::hierarchy derived = topology::derive(found.machine).hosted.tree;
  const auto& levels = derived.levels();
  ASSERT_EQ(levels.size(), 2U);
  EXPECT_EQ(levels[0].units.total(), 24);
}

TEST(fabric_limits, a_switch_with_a_hundred_thousand_ports_stays_linear) {
  if (is_sanitized) GTEST_SKIP() << "times and memory are measured without sanitizers";
  double shorter = 0;
  for (const int ports : {20'000, 100'000}) {
    const testing::fat_tree tree{.leaves = 1, .spines = 0, .hosts_per_leaf = ports, .speed = "4xNDR"};
    const timed_read found = read("ibnetdiscover", testing::ibnetdiscover_text(tree));
    std::printf("%d ports: %.3f s\n", ports, found.seconds);
    EXPECT_EQ(links_of(found.machine), static_cast<std::size_t>(ports));
    if (shorter > 0) {
      EXPECT_LT(found.seconds, 10 * shorter + 0.5);
    }
    shorter = found.seconds;
  }
}

constexpr std::size_t large = std::size_t{64} << 20;

std::string repeated(std::string text, const std::string& line) {
  text.reserve(large + line.size());
  while (text.size() < large) text += line;
  return text;
}

std::string of_many_ports() {
  std::string text = "Switch 9 \"S-00000000000000aa\" # \"a\"\n";
  text.reserve(large + 64);
  for (int port = 0; text.size() < large; ++port) text += "[" + std::to_string(port) + "]\"S-00000000000000ab\"[1]\n";
  return text;
}

std::string of_many_hosts() {
  std::string text = "Switch 9 \"S-00000000000000aa\" # \"a\"\n";
  text.reserve(large + 256);
  for (int host = 1; text.size() < large; ++host)
    text += "[" + std::to_string(host) + "]\"H-" + testing::guid_digits(1, host) + "\"[1] # \"node" +
            std::to_string(host) +
            " mlx5_0\" lid 5 4xNDR and a long remark, so that there are a quarter of a million hosts at most" +
            std::string(160, '.') + "\n";
  return text;
}

// Reads, says how it went, and expects a result or an error in bounded time.
void expect_bounded(const std::string& kind, const std::string& text) {
  const double start = cpu_seconds();
  std::string result;
  try {
    result = std::to_string(links_of(file_source_of(kind).read({text, "generated"}, {}))) + " links";
  } catch (const error& failure) {
    EXPECT_EQ(failure.code(), errc::parse);
    result = failure.what();
  }
  const double seconds = cpu_seconds() - start;
  std::printf("64 MiB of %s: %.2f s, peak %ld MiB: %s\n", kind.c_str(), seconds, peak_mib(), result.c_str());
  EXPECT_LT(seconds, 30);
}

TEST(fabric_limits, files_of_64_mib_end_in_a_result_or_an_error) {
  if (is_sanitized) GTEST_SKIP() << "times and memory are measured without sanitizers";
  expect_bounded("ibnetdiscover", of_many_ports());
  expect_bounded("ibnetdiscover", of_many_hosts());
  expect_bounded("ibnetdiscover", repeated("Switch 9 \"S-00000000000000aa\" # \"a\"\n", "no part of a fabric\n"));
  expect_bounded("ibnetdiscover", repeated("Switch 9 \"S-00000000000000aa\" # \"", "x \""));
  expect_bounded("ibnetdiscover-p", repeated("", "CA 1 1 0x1 4x EDR - SW 1 1 0x2 ( 'a' - 'b' )\n"));
  expect_bounded("iblinkinfo", repeated("Switch: 0x1 a:\n", "1 1[ ] ==( 4X 2.5 Gbps A/ L)==> 2 1[ ] \"b\" ( )\n"));
  EXPECT_LT(peak_mib(), 1024);
}

TEST(fabric_limits, a_chain_of_switches_is_cut_at_the_highest_tier) {
  std::string text =
      "Switch 3 \"S-0000000000000001\" # \"s1\"\n[1] \"H-00000000000000ff\"[1] # \"n1 mlx5_0\" lid 1 4xNDR\n";
  for (int each = 1; each < 200; ++each) {
    const auto id = [](int number) { return "\"S-" + testing::guid_digits(0, number) + "\""; };
    text += "Switch 3 " + id(each) + " # \"t" + std::to_string(each) + "\"\n[2] " + id(each + 1) + "[3]\n";
    if (each == 1) text += "[3] \"S-0000000000000001\"[2]\n";
  }
  const graph machine = file_source_of("ibnetdiscover").read({text, "generated"}, {});
  int highest = 0;
  for (const topology::node& each : machine.nodes()) highest = std::max(highest, topology::switch_tier(each));
  EXPECT_EQ(highest, topology::max_switch_tier);
  const auto is_deep = [](const topology::finding& each) { return each.code == "fabric-too-deep"; };
  EXPECT_TRUE(std::any_of(machine.findings().begin(), machine.findings().end(), is_deep));
}

TEST(fabric_limits, findings_of_one_code_are_few) {
  std::string text = "Switch 99999 \"S-0000000000000001\" # \"s1\"\n";
  for (int port = 1; port <= 2000; ++port)
    text += "[" + std::to_string(port) + "] \"S-0000000000000001\"[" + std::to_string(port + 5000) + "]\n";
  const graph machine = file_source_of("ibnetdiscover").read({text, "generated"}, {});
  std::size_t loops = 0;
  for (const topology::finding& each : machine.findings()) loops += each.code == "self-loop" ? 1 : 0;
  EXPECT_EQ(loops, 9U);
}

TEST(fabric_limits, mutated_fixtures_end_in_a_graph_or_an_error) {
  for (const char* kind : {"ibnetdiscover", "ibnetdiscover-p", "iblinkinfo", "ibsim-net"})
    EXPECT_GT(testing::expect_survives(file_source_of(kind), 200, topology::test_seed()), 0) << kind;
}

}  // namespace
}  // namespace hawser::discovery
