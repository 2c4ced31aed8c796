// Copies past the caches: every byte arrives, whatever the alignment, and none beside them changes.
#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

#include <hawser/transport/streaming_copy.hpp>

namespace hawser::transport {
namespace {

TEST(streaming_copy, moves_every_byte_and_no_other) {
  constexpr std::size_t room = 1024;
  constexpr std::byte untouched{0xee};
  std::vector<std::byte> from(room);
  for (std::size_t i = 0; i < room; ++i) from[i] = static_cast<std::byte>(i * 7 + 1);
  for (const std::size_t bytes : {0, 1, 15, 63, 64, 65, 127, 128, 200, 700})
    for (std::size_t to_offset = 0; to_offset < 65; to_offset += 13)
      for (std::size_t from_offset = 0; from_offset < 65; from_offset += 7) {
        std::vector<std::byte> to(room, untouched);
        copy_past_caches(to.data() + to_offset, from.data() + from_offset, bytes);
        for (std::size_t i = 0; i < room; ++i) {
          const bool is_copied = i >= to_offset && i < to_offset + bytes;
          ASSERT_EQ(to[i], is_copied ? from[i - to_offset + from_offset] : untouched)
              << i << " of " << bytes << " from " << from_offset << " to " << to_offset;
        }
      }
}

}  // namespace
}  // namespace hawser::transport
