// See trace.hpp.
#include <hawser/diagnosis/trace.hpp>

#include <algorithm>

#include <hawser/core/chrome_trace.hpp>

namespace hawser::diagnosis {

namespace {

constexpr double microseconds = 1e6;

/// Rows of a process: an interval goes to the first one that is free, since those of one row must not overlap.
class rows {
 public:
  explicit rows(std::int64_t first) : first_(first) {}
  std::int64_t row_for(double begin, double end) {
    const auto free = std::find_if(ends_.begin(), ends_.end(), [begin](double last) { return last <= begin; });
    const auto row = free - ends_.begin();
    if (free == ends_.end())
      ends_.push_back(end);
    else
      *free = end;
    return first_ + row;
  }

 private:
  std::int64_t first_;
  std::vector<double> ends_;
};

constexpr std::int64_t first_step_row = 1'000;  // calls that run side by side have the rows before

void add(chrome_trace& to, const dump& from) {
  to.add_process(from.rank, "rank " + std::to_string(from.rank) + (from.host.empty() ? "" : " on " + from.host));
  struct drawn {
    const dumped_step* step;
    const dumped_call* call;
  };
  std::vector<drawn> steps;
  rows of_calls(0), of_steps(first_step_row);
  for (const dumped_call& call : from.calls) {
    const double end = call.end.value_or(from.time);
    to.add(call.signature + (call.is_open() ? " (open)" : ""), from.rank, of_calls.row_for(call.begin, end),
           (call.begin + from.epoch) * microseconds, std::max(end - call.begin, 0.0) * microseconds,
           "\"number\":" + std::to_string(call.number));
    for (const dumped_step& step : call.steps) steps.push_back({&step, &call});
  }
  std::stable_sort(steps.begin(), steps.end(),
                   [](const drawn& a, const drawn& b) { return a.step->begin < b.step->begin; });
  for (const auto& [step, call] : steps) {
    const double end = step->end.value_or(from.time);
    std::string name(to_string(step->kind));
    if (step->peer >= 0)
      name += (step->kind == schedule::step_kind::send ? " to " : " from ") + std::to_string(step->peer);
    to.add(name + (step->is_open() ? " (open)" : ""), from.rank, of_steps.row_for(step->begin, end),
           (step->begin + from.epoch) * microseconds, std::max(end - step->begin, 0.0) * microseconds,
           "\"call\":" + std::to_string(call->number) + ",\"step\":" + std::to_string(step->step) +
               ",\"segment\":" + std::to_string(step->segment));
  }
}

}  // namespace

std::string to_chrome_json(const std::vector<dump>& dumps) {
  chrome_trace events;
  for (const dump& each : dumps) add(events, each);
  return events.finish();
}

}  // namespace hawser::diagnosis
