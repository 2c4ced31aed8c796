// What happened when, for people: the steps of each class of ranks as Chrome's trace events.
// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU (Trace Event Format); Perfetto reads
// it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/core/units.hpp>

namespace hawser::simulate {

/// One step of one segment on one class of ranks.
struct trace_event {
  std::int32_t rank_class = 0;
  std::uint32_t step = 0;
  std::int64_t segment = 0;
  std::int64_t slot = 0;
  seconds begin{};  ///< posted; of a message: from then on it waited for the other end, too
  seconds end{};
};

/// Collects at most `limit` events; further ones are counted only.
class trace {
 public:
  explicit trace(std::size_t limit = 1'000'000) : limit_(limit) {}
  /// Keeps an event while there is room, else counts it.
  void add(const trace_event& each) {
    if (events_.size() < limit_)
      events_.push_back(each);
    else
      ++dropped_;
  }
  const std::vector<trace_event>& events() const noexcept { return events_; }
  std::int64_t dropped() const noexcept { return dropped_; }

 private:
  std::size_t limit_;
  std::int64_t dropped_ = 0;
  std::vector<trace_event> events_;
};

namespace detail {

inline std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  return out + "\"";
}

}  // namespace detail

/// JSON text. `name_of(class)` names a class, `describe(class, step)` a step. Times become microseconds.
template <class NameOf, class Describe>
std::string to_chrome_json(const trace& all, NameOf&& name_of, Describe&& describe) {
  std::string text = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
  std::vector<bool> is_named;
  const char* separator = "\n";
  char number[160];
  for (const trace_event& each : all.events()) {
    const auto c = static_cast<std::size_t>(each.rank_class);
    if (is_named.size() <= c) is_named.resize(c + 1, false);
    if (!is_named[c]) {
      is_named[c] = true;
      text += separator + std::string("{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":") + std::to_string(c) +
              ",\"args\":{\"name\":" + detail::quoted(name_of(each.rank_class)) + "}}";
      separator = ",\n";
    }
    std::snprintf(number, sizeof number,
                  "\"pid\":%d,\"tid\":%lld,\"ts\":%.6f,\"dur\":%.6f,\"args\":{\"step\":%u,\"segment\":%lld}}",
                  each.rank_class, static_cast<long long>(each.slot), each.begin.count() * 1e6,
                  (each.end - each.begin).count() * 1e6, each.step, static_cast<long long>(each.segment));
    text += separator + std::string("{\"ph\":\"X\",\"name\":") + detail::quoted(describe(each.rank_class, each.step)) +
            "," + number;
    separator = ",\n";
  }
  return text + "\n]}\n";
}

}  // namespace hawser::simulate
