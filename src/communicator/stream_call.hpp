// One call on a device: checked, planned, and laid out for the executor of streams.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include <hawser/executor/stream_executor.hpp>

#include "state.hpp"

namespace hawser::detail {

/// The stages of a communicator's plans, remembered; peers numbered as in the communicator.
class staged_programs {
 public:
  /// This rank's of a plan.
  std::shared_ptr<const executor::staged_program> of(communicator_state& members, const schedule::plan& made,
                                                     const schedule::request& what);

 private:
  using key = std::tuple<schedule::collective, std::string, std::string, std::int32_t, bool, bool, bool>;
  std::map<key, std::shared_ptr<const executor::staged_program>> known_;
};

/// Throws as `stream_forms::launch`, nothing being enqueued.
class stream_call {
 public:
  stream_call(communicator_state& members, staged_programs& programs, const call& made);
  stream_call(const stream_call&) = delete;
  stream_call& operator=(const stream_call&) = delete;

  const executor::stream_arguments& arguments() const noexcept { return arguments_; }
  const schedule::plan& plan() const noexcept { return *plan_; }

 private:
  void refuse_what_devices_cannot() const;
  void make_request();
  void lay_out(const executor::staged_program& program);
  void scale();

  communicator_state& members_;
  const call& call_;
  schedule::request request_;
  std::shared_ptr<const schedule::plan> plan_;
  std::vector<std::int64_t> input_offsets_, output_offsets_;
  executor::stream_arguments arguments_;
};

}  // namespace hawser::detail
