// Texts that the caller has room for, and ranks that it passes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include <hawser/communicator/communicator.hpp>

namespace hawser::c {

/// As snprintf: as much as fits, ended by 0; `length`, if not null, is that of the whole text. Throws
/// errc::invalid_argument for a capacity without memory.
inline void copy(std::string_view from, char* text, std::size_t capacity, std::size_t* length) {
  if (text == nullptr && capacity > 0)
    fail(errc::invalid_argument, "the text is a null pointer", "its capacity is " + std::to_string(capacity),
         "pass 0 for both to ask for the length");
  if (length != nullptr) *length = from.size();
  if (capacity == 0) return;
  const std::size_t copied = std::min(from.size(), capacity - 1);
  std::memcpy(text, from.data(), copied);
  text[copied] = 0;
}

/// Throws errc::invalid_argument.
inline void check_rank(const communicator& members, int peer) {
  if (peer < 0 || peer >= members.size())
    fail(errc::invalid_argument, "there is no rank " + std::to_string(peer),
         "the communicator has " + std::to_string(members.size()), "ranks go from 0 to size - 1");
}

}  // namespace hawser::c
