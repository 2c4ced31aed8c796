// See aggregator.hpp: waits for what rank 0 says of each call, and runs the switch's part of it.
#include <hawser/communicator/aggregator.hpp>

#include <chrono>
#include <map>

#include <hawser/algorithm/generate.hpp>
#include <hawser/executor/reduce.hpp>

#include "state.hpp"
#include "switch_calls.hpp"

namespace hawser {

namespace {

using detail::switch_call;

/// Operations kept for calls to come, each with its scratch; all are forgotten at once.
constexpr std::size_t most_kept = 16;
/// How long an idle aggregator sleeps before it looks around; failures wake it.
constexpr std::chrono::minutes longest_idle{10};

class aggregator {
 public:
  aggregator(std::unique_ptr<bootstrap::bootstrap> door, communicator_options options)
      : owner_(std::move(door), std::move(options)), tree_(detail::agree_on_machine(owner_).tree) {
    (void)detail::agree_on_decisions(owner_, tree_);
    next_call_.owner = this;
    next_call_.done = &aggregator::on_message;
  }

  /// Until the job ends.
  void run() {
    listen();
    while (!is_over_) {
      if (!owner_.engine().wait_for(has_news_, std::chrono::steady_clock::now() + longest_idle)) continue;
      has_news_.store(false, std::memory_order_relaxed);
      owner_.check();
      if (failed_) throw detail::to_error(owner_.fail(*failed_), "in-network reduction");
      if (std::exchange(has_message_, false)) serve(switch_call::parse(message_));
    }
  }

 private:
  struct message : transport::completion {
    aggregator* owner = nullptr;
  };
  /// The switch's part of a call's shape; used by one call at a time.
  struct part {
    aggregator* owner = nullptr;
    std::unique_ptr<executor::operation> operation;
    bool is_running = false;
  };

  void listen() {
    owner_.engine().receive(0, switch_call::match,
                            {.data = reinterpret_cast<std::byte*>(message_.data()), .bytes = message_.size()},
                            next_call_);
  }

  static void on_message(transport::completion& self, const transport::failure* failed) {
    aggregator& owner = *static_cast<message&>(self).owner;
    if (failed != nullptr) owner.failed_ = *failed;
    owner.has_message_ = failed == nullptr;
    owner.has_news_.store(true, std::memory_order_release);
  }

  static void on_ended(void* state) {
    part& ended = *static_cast<part*>(state);
    ended.is_running = false;
    if (!ended.operation->failed()) return;
    if (!ended.owner->failed_) ended.owner->failed_ = *ended.operation->failed();
    ended.owner->has_news_.store(true, std::memory_order_release);
  }

  /// Calls may run side by side, so that the next message is waited for at once.
  void serve(const switch_call& call) {
    is_over_ = call.is_end;
    if (is_over_) return;
    part& mine = part_for(call);
    mine.is_running = true;
    owner_.engine().start(*mine.operation, call.number);
    listen();
  }

  part& part_for(const switch_call& call) {
    switch_call shape = call;
    shape.number = 0;
    const auto key = shape.to_message();
    const auto [first, last] = parts_.equal_range(key);
    for (auto each = first; each != last; ++each)
      if (!each->second->is_running) return *each->second;
    if (parts_.size() >= most_kept) std::erase_if(parts_, [](const auto& each) { return !each.second->is_running; });
    auto made = std::make_unique<part>();
    made->owner = this;
    made->operation = make_operation(call, *made);
    return *parts_.emplace(key, std::move(made))->second;
  }

  std::unique_ptr<executor::operation> make_operation(const switch_call& call, part& state) {
    schedule::schedule steps = algorithm::generate(tree_, call.what, call.what.algorithm,
                                                   detail::switch_of(tree_, owner_.served_levels(), owner_.self()));
    executor::operation_arguments arguments;
    arguments.program =
        std::make_shared<const executor::compiled_program>(schedule::derive_dependences(std::move(steps)));
    arguments.scratch_count = call.what.count;
    arguments.element_bytes = call.what.element_bytes;
    arguments.sends_empty_messages = true;
    if (schedule::reduces(call.what.what)) arguments.reduce = executor::make_reducer(call.what.type, call.what.op);
    arguments.segments = call.segments;
    arguments.window = call.window;
    arguments.ended = &aggregator::on_ended;
    arguments.state = &state;
    return std::make_unique<executor::operation>(std::move(arguments), owner_.engine().wire());
  }

  // What transfers point at outlives the job, whose end shuts the transports down.
  std::multimap<std::array<char, switch_call::message_bytes>, std::unique_ptr<part>> parts_;
  message next_call_;
  std::array<char, switch_call::message_bytes> message_{};
  bool has_message_ = false, is_over_ = false;
  std::optional<transport::failure> failed_;
  std::atomic<bool> has_news_{false};
  detail::job owner_;
  topology::hierarchy tree_;
};

}  // namespace

void serve_switch(std::unique_ptr<bootstrap::bootstrap> job, communicator_options options, std::string level) {
  options.aggregates = std::move(level);
  options.must_decisions_fit = false;  // the ranks check that, whose figures may have been measured since
  aggregator(std::move(job), std::move(options)).run();
}

}  // namespace hawser
