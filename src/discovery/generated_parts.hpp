// How many parts a few bytes of a file may stand for: "n[1-500000]" is a host list of 11.
#pragma once

#include <cstddef>

namespace hawser::discovery {

/// `most`; a 128th of it in builds for fuzzing, where AddressSanitizer makes each part several times as large and slow
/// and the fuzzer holds each graph three times. The macro is libFuzzer's convention for that.
constexpr std::size_t generated_parts(std::size_t most) {
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  return most / 128;
#else
  return most;
#endif
}

}  // namespace hawser::discovery
