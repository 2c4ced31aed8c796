// The shapes of calls whose choice the cost model has made, in the order of their first calls, for refinement.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <hawser/communicator/call.hpp>
#include <hawser/schedule/request.hpp>

namespace hawser::detail {

/// A request, and a call that makes it, without its buffers.
struct call_shape {
  schedule::request what;
  call made;
  bool is_refined = false;
};

/// Calls are made in the same order on all ranks, and so all hold the same shapes.
class call_shapes {
 public:
  /// More are not noted: a job has few, and measuring them takes time.
  static constexpr std::size_t most = 64;

  /// Notes a call's shape, once, while not paused.
  void note(const schedule::request& what, const call& made) {
    if (is_paused_ || all_.size() >= most) return;
    for (const call_shape& each : all_)
      if (is_same(each, what, made)) return;
    all_.push_back({what, made, false});
    all_.back().made.input = nullptr;
    all_.back().made.output = nullptr;
  }
  void pause(bool now) noexcept { is_paused_ = now; }

  std::vector<call_shape>& all() noexcept { return all_; }

 private:
  static bool is_same(const call_shape& known, const schedule::request& what, const call& made) {
    return known.what.what == what.what && known.what.count == what.count && known.what.type == what.type &&
           known.what.op == what.op && known.what.root == what.root &&
           known.made.options.accumulation == made.options.accumulation && known.made.type == made.type;
  }

  std::vector<call_shape> all_;
  bool is_paused_ = false;
};

}  // namespace hawser::detail
