// What rank 0 tells the others to do while it measures: fixed records between equal machines of one job.
#pragma once

#include <array>
#include <cstdint>

namespace hawser::tune::detail {

enum class probe : std::int32_t {
  answer_pings,  ///< of `peers[0]`
  ping,          ///< `peers[0]`; reports seconds per half round trip, the lowest
  swallow,       ///< small messages of `peers[0]`
  burst,         ///< of small messages to `peers[0]`; reports seconds per message
  stream,        ///< to `send_to` (-1: no one), and from `peers`; a sender reports bytes/s
  reduce,        ///< reports bytes/s
  end            ///< `bytes` of text follow
};

/// Streams into one rank at a time.
inline constexpr int most_senders = 7;

struct probe_order {
  probe what = probe::end;
  std::int32_t send_to = -1;
  std::int32_t receives = 0;  ///< how many of `peers` count
  std::int32_t repetitions = 0;
  std::int64_t bytes = 0;
  double limit = 0;  ///< seconds
  std::array<std::int32_t, most_senders + 1> peers{};

  bool reports() const noexcept {
    return what == probe::ping || what == probe::burst || what == probe::reduce ||
           (what == probe::stream && send_to >= 0);
  }
};

/// Of the messages that carry all this, and of those that are measured. The caller's are not under way meanwhile.
inline constexpr std::uint16_t probe_label = 0xffff;
inline constexpr std::uint16_t data_label = 0xfffe;

}  // namespace hawser::tune::detail
