// Hostile files, each in a process of its own whose memory and time are measured: they end in a graph or in an error of
// the parser, within 1 GiB.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <new>
#include <string>

#include <gtest/gtest.h>

#include <hawser/core/error.hpp>
#include <hawser/discovery/load.hpp>
#include <hawser/discovery/source.hpp>
#include <hawser/topology/merge.hpp>

#include "discovery/fabric_support.hpp"
#include "support/needs.hpp"

namespace hawser::discovery {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_sanitized = true;
#else
constexpr bool is_sanitized = false;
#endif

constexpr long most_kib = 1 << 20;
constexpr double most_seconds = 20;  // of processor time; a machine may be slow, a quadratic parser takes minutes

enum outcome { read_well = 0, refused = 10, out_of_memory = 11, other_failure = 12 };

int run(const std::function<void()>& reads) {
  try {
    reads();
    return read_well;
  } catch (const error& failure) {
    std::printf("    %.150s\n", failure.what());
    std::fflush(stdout);
    return failure.code() == errc::parse || failure.code() == errc::unsupported ? refused : other_failure;
  } catch (const std::bad_alloc&) {
    return out_of_memory;
  } catch (const std::exception&) {
    return other_failure;
  }
}

/// Reads in a child process; returns how it ended after checking what it took.
int measured(const std::string& name, const std::function<void()>& reads) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) _exit(run(reads));
  int status = 0;
  rusage used{};
  EXPECT_EQ(wait4(child, &status, 0, &used), child);
  const double seconds = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
  std::printf("  %-44s %6.2f s, peak %4ld MiB\n", name.c_str(), seconds, used.ru_maxrss / 1024);
  EXPECT_TRUE(WIFEXITED(status)) << name << ": signal " << WTERMSIG(status);
  EXPECT_LT(used.ru_maxrss, most_kib) << name;
  EXPECT_LT(seconds, most_seconds) << name;
  const int ended = WIFEXITED(status) ? WEXITSTATUS(status) : other_failure;
  EXPECT_TRUE(ended == read_well || ended == refused) << name << ": " << ended;
  return ended;
}

int measured(const std::string& kind, const std::string& what, const std::function<std::string()>& text) {
  return measured(kind + ", " + what, [&] {
    const std::string whole = text();
    read(file_source_of(kind), {whole, "hostile"});
  });
}

std::string repeated(std::string_view piece, std::size_t times, std::string start = {}, std::string_view end = {}) {
  start.reserve(start.size() + piece.size() * times + end.size());
  for (std::size_t each = 0; each < times; ++each) start += piece;
  return start += end;
}
std::string filled(std::string_view piece, std::size_t bytes, std::string start = {}, std::string_view end = {}) {
  const std::size_t around = start.size() + end.size();
  return repeated(piece, (bytes - around) / piece.size(), std::move(start), end);
}

class limits : public ::testing::Test {
 protected:
  void SetUp() override {
    if (is_sanitized) GTEST_SKIP() << "times and memory are measured without sanitizers";
  }
};

constexpr const char* xml_kinds[] = {"nccl-xml", "flagcx-xml", "hwloc-xml", "smi-q-xml", "simgrid"};
constexpr const char* yaml_kinds[] = {"slurm-yaml", "kubernetes", "topograph", "astra-sim"};

TEST_F(limits, xml_nested_a_million_deep) {
  for (const char* kind : xml_kinds)
    EXPECT_EQ(
        measured(kind, "10^6 nested elements", [] { return repeated("</a>", 1'000'000, repeated("<a>", 1'000'000)); }),
        refused);
}

TEST_F(limits, xml_entities_are_not_expanded) {
  const auto bomb = [] {
    std::string text = "<?xml version=\"1.0\"?>\n<!DOCTYPE system [<!ENTITY a0 \"lol\">";
    for (int each = 1; each < 20; ++each) {
      text += "<!ENTITY a" + std::to_string(each) + " \"";
      for (int times = 0; times < 10; ++times) text += "&a" + std::to_string(each - 1) + ";";
      text += "\">";
    }
    return text + "]><system version=\"1\"><cpu numaid=\"&a19;\">&a19;</cpu></system>";
  };
  for (const char* kind : xml_kinds) measured(kind, "entity bomb", bomb);
}

TEST_F(limits, xml_of_the_largest_size) {
  EXPECT_EQ(measured("nccl-xml", "32 MiB of elements", [] { return filled("<a/>", max_markup_bytes, "<system>"); }),
            refused);
  EXPECT_EQ(measured("simgrid", "32 MiB of texts and elements", [] { return filled("x<b>", max_markup_bytes); }),
            refused);
  measured("simgrid", "32 MiB of attributes", [] { return filled(" b=\"\"", max_markup_bytes, "<platform", "/>"); });
  for (const char* kind : xml_kinds)
    EXPECT_EQ(measured(kind, "more than 32 MiB", [] { return std::string(max_markup_bytes + 1, '<'); }), refused);
}

TEST_F(limits, yaml_aliases_do_not_multiply) {
  const auto bomb = [] {
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
    for (int each = 1; each < 20; ++each) {
      const std::string before = "*a" + std::to_string(each - 1);
      text += "a" + std::to_string(each) + ": &a" + std::to_string(each) + " [";
      for (int times = 0; times < 9; ++times) text += (times == 0 ? "" : ", ") + before;
      text += "]\n";
    }
    return text;
  };
  const auto long_text = [] { return filled("*a,", 2 << 20, "a: &a " + std::string(1 << 20, 'x') + "\nb: [", "]"); };
  const auto nested = [] {
    std::string text;
    for (int each = 0; each < 250; ++each) text += "&a" + std::to_string(each) + " [";
    return filled("x,", 1 << 20, std::move(text));
  };
  for (const char* kind : yaml_kinds) {
    EXPECT_EQ(measured(kind, "alias bomb", bomb), refused);
    EXPECT_EQ(measured(kind, "aliases of a long text", long_text), refused);
    measured(kind, "anchors within anchors", nested);
    EXPECT_EQ(measured(kind, "a value in itself", [] { return std::string("a: &a [*a]\n"); }), refused);
  }
}

TEST_F(limits, yaml_of_the_largest_size) {
  for (const char* kind : yaml_kinds)
    EXPECT_EQ(measured(kind, "more than 4 MiB", [] { return std::string(max_yaml_bytes + 1, '\n'); }), refused);
  measured("topograph", "4 MiB of lists", [] { return filled("[],", max_yaml_bytes, "a: [", "]"); });
  measured("topograph", "4 MiB of values", [] { return filled("a,", max_yaml_bytes, "a: [", "]"); });
  EXPECT_EQ(measured("topograph", "4 MiB nested", [] { return std::string(max_yaml_bytes, '['); }), refused);
}

TEST_F(limits, json_of_the_largest_size) {
  for (const char* kind : {"hawser-json", "kubernetes", "topograph"}) {
    EXPECT_EQ(measured(kind, "more than 32 MiB", [] { return filled(" ", max_markup_bytes + 1, "{"); }), refused);
    EXPECT_EQ(measured(kind, "32 MiB of lists", [] { return filled("[],", max_markup_bytes, "["); }), refused);
    EXPECT_EQ(measured(kind, "32 MiB of objects", [] { return filled(R"({"a":{}},)", max_markup_bytes, "["); }),
              refused);
    EXPECT_EQ(measured(kind, "nested", [] { return std::string(max_markup_bytes, '['); }), refused);
  }
}

TEST_F(limits, text_of_the_largest_size) {
  const std::filesystem::path sparse =
      std::filesystem::temp_directory_path() / ("hawser_limits_" + std::to_string(getpid()));
  std::ofstream(sparse, std::ios::binary) << "SwitchName=s Nodes=n[0-3]\n#";
  std::filesystem::resize_file(sparse, max_text_bytes);  // takes no room on the disk
  const auto gathered_from = [&](const std::string& kind) {
    const std::string argument[] = {kind + sparse.string()};
    gather(argument);
  };
  // Recognised by its content, and held once: twice would be half a GiB.
  EXPECT_EQ(measured("256 MiB of text, recognised", [&] { gathered_from(""); }), read_well);
  measured("256 MiB of text as smi-topo", [&] { gathered_from("smi-topo:"); });
  measured("256 MiB of text as ibnetdiscover", [&] { gathered_from("ibnetdiscover:"); });
  std::filesystem::resize_file(sparse, max_text_bytes + 1);
  EXPECT_EQ(measured("more than 256 MiB of text", [&] { gathered_from(""); }), refused);
  std::filesystem::remove(sparse);
}

// Each just below its source's limit on the parts that a text may stand for; they are merged as well.
TEST_F(limits, few_bytes_that_stand_for_many_parts) {
  const auto whole = [](const std::string& kind, const std::string& what, const std::string& text) {
    if (const auto is_built = test::can([&] { read(file_source_of(kind), {"", "nothing"}); }); !is_built) {
      std::printf("  %s, left out: %s\n", kind.c_str(), is_built.message());
      return;
    }
    const int ended = measured(kind + ", " + what, [&] {
      topology::graph merged;
      topology::merge(merged, read(file_source_of(kind), {text, "hostile"}));
    });
    EXPECT_EQ(ended, read_well) << what;
  };
  const std::string domain = "]: 0a1b2c3d-0000-1111-2222-333344445555\n";
  whole("cluster-uuids", "half a million hosts", "n[1-250000" + domain + "m[1-249999" + domain);
  const std::string rates = "bandwidth: [ 50 ]\nlatency: [ 500 ]\n";
  whole("astra-sim", "a ring of half a million", "topology: [ Ring ]\nnpus_count: [ 524288 ]\n" + rates);
  whole("astra-sim", "half a million links", "topology: [ FullyConnected ]\nnpus_count: [ 1024 ]\n" + rates);
  whole("htsim", "half a million hosts",
        "Nodes 480000\nTiers 2\nPodsize 480000\n\nTier 0\nDownlink_speed_Gbps 400\nRadix_Down 8\nRadix_Up 8\n"
        "Downlink_Latency_ns 300\n\nTier 1\nDownlink_speed_Gbps 400\nRadix_Down 60000\nDownlink_Latency_ns 500\n");
  std::string nodes = "apiVersion: v1\nkind: NodeList\nitems:\n";
  for (int node = 0; node < 488; ++node)
    nodes += "- apiVersion: v1\n  kind: Node\n  metadata:\n    name: n" + std::to_string(node) +
             "\n    labels:\n      nvidia.com/gpu.count: \"1024\"\n";
  whole("kubernetes", "half a million GPUs", nodes);
}

TEST_F(limits, a_switch_of_a_hundred_thousand_ports) {
  EXPECT_EQ(measured("ibnetdiscover", "10^5 ports",
                     [] {
                       return hawser::testing::ibnetdiscover_text(
                           {.leaves = 1, .spines = 0, .hosts_per_leaf = 100'000, .speed = "4xNDR"});
                     }),
            read_well);
}

}  // namespace
}  // namespace hawser::discovery
