// libFuzzer target of every kind of topology file; HAWSER_FUZZ_KIND names the kind. A text ends in a graph that
// derives, merges with itself and is written and read again (JSON; as NCCL XML it is read again), or in an error that
// says where it is wrong.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>

#include <hawser/core/error.hpp>
#include <hawser/discovery/lint.hpp>
#include <hawser/discovery/nccl_xml.hpp>
#include <hawser/discovery/source.hpp>
#include <hawser/topology/derive.hpp>
#include <hawser/topology/json.hpp>
#include <hawser/topology/merge.hpp>

namespace {

const hawser::discovery::file_source* kind = nullptr;

[[noreturn]] void broken(const char* what) {
  std::fprintf(stderr, "fuzz: %s\n", what);
  std::abort();
}

bool is_refusal(const hawser::error& failure) {
  return failure.code() == hawser::errc::invalid_argument || failure.code() == hawser::errc::unsupported;
}

// JSON reads back equal. Names that are not UTF-8 cannot be written.
void round_trip_json(const hawser::topology::graph& machine) {
  std::string text;
  try {
    text = hawser::topology::to_json(machine);
  } catch (const hawser::error& failure) {
    if (!is_refusal(failure)) broken(failure.what());
    return;
  }
  if (text.size() > hawser::topology::max_json_bytes) return;
  try {
    if (hawser::topology::graph_from_json(text) != machine) broken("JSON that is read back differs");
  } catch (const hawser::error& failure) {
    broken(failure.what());
  }
}

// What is written for NCCL is read again. A host with a GPU of no bus id cannot be written.
void round_trip_nccl(const hawser::topology::graph& machine) {
  using namespace hawser;
  std::size_t hosts = 0;
  for (topology::node_index host = 0; host < machine.nodes().size() && hosts < 4; ++host) {
    if (machine.nodes()[host].kind != topology::node_kind::host) continue;
    ++hosts;
    std::string text;
    try {
      text = discovery::to_nccl_xml(machine, machine.nodes()[host].name);
    } catch (const error& failure) {
      if (!is_refusal(failure) && failure.code() != errc::not_found) broken(failure.what());
      continue;
    }
    try {
      discovery::read(discovery::file_source_of("nccl-xml"), {text, "written"});
    } catch (const error& failure) {
      if (failure.code() != errc::unsupported) broken(failure.what());
    }
  }
}

void use(const hawser::topology::graph& machine) {
  using namespace hawser;
  // A file that tells a GPU's links to switches both visible and hidden loses the hidden ones as it is merged.
  topology::graph once;
  topology::merge(once, machine);
  topology::graph twice = once;
  topology::merge(twice, machine);
  // Parts that a damaged file gives no name cannot be found again.
  const bool have_names = std::all_of(machine.nodes().begin(), machine.nodes().end(),
                                      [](const topology::node& each) { return !each.identities.empty(); });
  if (have_names && twice.nodes().size() != once.nodes().size()) broken("merging a graph again changes its nodes");
  if (have_names && twice.edges().size() != once.edges().size()) broken("merging a graph again changes its links");
  discovery::lint(machine);
  round_trip_json(machine);
  round_trip_nccl(machine);
  try {
    topology::derive(machine);
  } catch (const error& failure) {
    if (failure.code() == errc::internal) throw;
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* const name = std::getenv("HAWSER_FUZZ_KIND");
  if (!name) broken("HAWSER_FUZZ_KIND names no kind");
  kind = &hawser::discovery::file_source_of(name);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hawser;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const discovery::document file{text, "input"};
  kind->recognises(file);
  try {
    use(discovery::read(*kind, file));
  } catch (const error& failure) {
    if (failure.code() != errc::parse && failure.code() != errc::unsupported) broken(failure.what());
  }
  return 0;
}
