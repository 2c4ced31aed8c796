// What happened when, for people: the steps of each class of ranks as Chrome's trace events.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <hawser/core/chrome_trace.hpp>
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

/// JSON text. `name_of(class)` names a class, `describe(class, step)` a step. Times become microseconds.
template <class NameOf, class Describe>
std::string to_chrome_json(const trace& all, NameOf&& name_of, Describe&& describe) {
  chrome_trace events;
  std::vector<bool> is_named;
  for (const trace_event& each : all.events()) {
    const auto c = static_cast<std::size_t>(each.rank_class);
    if (is_named.size() <= c) is_named.resize(c + 1, false);
    if (!is_named[c]) {
      is_named[c] = true;
      events.add_process(each.rank_class, name_of(each.rank_class));
    }
    events.add(describe(each.rank_class, each.step), each.rank_class, each.slot, each.begin.count() * 1e6,
               (each.end - each.begin).count() * 1e6,
               "\"step\":" + std::to_string(each.step) + ",\"segment\":" + std::to_string(each.segment));
  }
  return events.finish();
}

}  // namespace hawser::simulate
