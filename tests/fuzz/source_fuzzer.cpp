// libFuzzer target of every kind of topology file; HAWSER_FUZZ_KIND names the kind. A text ends in a graph that
// derives, merges with itself and is written and read again, or in an error that says where it is wrong.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include <hawser/core/error.hpp>
#include <hawser/discovery/lint.hpp>
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

void use(const hawser::topology::graph& machine) {
  using namespace hawser;
  topology::graph twice = machine;
  topology::merge(twice, machine);
  // Parts that a damaged file gives no name cannot be found again.
  const bool have_names = std::all_of(machine.nodes().begin(), machine.nodes().end(),
                                      [](const topology::node& each) { return !each.identities.empty(); });
  if (have_names && twice.nodes().size() != machine.nodes().size()) broken("merging a graph with itself adds nodes");
  if (have_names && twice.edges().size() != machine.edges().size()) broken("merging a graph with itself adds links");
  discovery::lint(machine);
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
