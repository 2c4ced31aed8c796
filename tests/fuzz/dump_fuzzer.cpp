// libFuzzer target of dumps: a text is refused as such, or reads back equal and has a verdict.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/core/error.hpp>
#include <hawser/diagnosis/hang.hpp>

namespace {

[[noreturn]] void broken(const char* what) {
  std::fprintf(stderr, "fuzz: %s\n", what);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hawser;
  try {
    const diagnosis::dump read =
        diagnosis::dump_from_json({reinterpret_cast<const char*>(data), size}, "rank-0.dump.json");
    if (diagnosis::dump_from_json(diagnosis::to_json(read)) != read) broken("a dump that is read back differs");
    diagnosis::dump other = read;  // as if a second rank had left the same
    other.rank = read.rank == 0 && read.size > 1 ? 1 : 0;
    std::vector<diagnosis::dump> both{read};
    if (other.rank != read.rank) both.insert(other.rank < read.rank ? both.begin() : both.end(), other);
    if (diagnosis::find_hang(both).sentence.empty()) broken("a verdict without a sentence");
  } catch (const error& failure) {
    if (failure.code() != errc::parse) broken(failure.what());
  }
  return 0;
}
