// Messages between two ranks go one after the other, as through a socket or a stream: where links are those of one
// pair of ranks each, and not classes of them.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>

namespace hawser::simulate {

/// Who may move and who waits, per pair of ranks.
class message_lines {
 public:
  using pair = std::pair<std::int32_t, std::int32_t>;  ///< from, to

  /// Whether a message may move now; else it has a place in its line.
  bool is_next(pair between, std::uint32_t message) {
    std::deque<std::uint32_t>& line = lines_[between];
    if (line.empty() || line.front() != message) line.push_back(message);
    return line.front() == message;
  }
  /// The first of a line is through: who comes next.
  std::optional<std::uint32_t> advance(pair between) {
    std::deque<std::uint32_t>& line = lines_[between];
    line.pop_front();
    if (line.empty()) return std::nullopt;
    return line.front();
  }

 private:
  std::map<pair, std::deque<std::uint32_t>> lines_;
};

}  // namespace hawser::simulate
