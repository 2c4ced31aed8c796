// NCCL over threads as ranks and streams that are threads: what it promises of groups, failures and ends, no more.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/fake_nccl_collectives.hpp"
#include "support/thread_device.hpp"

namespace hawser::test {

/// The NCCL of one job, whose communicators do not block. A group's work completes on its stream when all matching
/// calls have been started by their ranks. Calls that NCCL forbids are noted in `violations`. Thread-safe.
class fake_nccl {
 public:
  /// What tests may look at or choose before ranks start.
  int version = 22809;
  bool tells_peers = true;  ///< that a rank has aborted becomes an error of its peers, as over sockets

  explicit fake_nccl(std::uint64_t seed = 1) : random_(static_cast<unsigned>(seed)) {}

  /// The functions that rank `self` calls, whose streams are this device's.
  nccl::functions of(int self, thread_device& device);

  /// The `call`-th call (from 1) of a rank that may fail does so, with this code.
  void fail_at(int self, int call, ncclResult_t code = ncclSystemError) { fail_ = {self, "", call, code}; }
  /// The same of the calls of one function.
  void fail_at(int self, const std::string& name, int call, ncclResult_t code = ncclSystemError) {
    fail_ = {self, name, call, code};
  }
  /// The name of the call that failed on purpose; empty where none has.
  std::string failed() const {
    return locked([&] { return failed_; });
  }
  /// A rank's communicators notice this from now on.
  void break_rank(int self, ncclResult_t code) {
    locked([&] {
      for (const auto& each : comms_)
        if (each->self == self && !each->is_over) each->error = code;
    });
  }
  /// Communicators, operators and registrations that live.
  std::size_t live() const {
    return locked([&] {
      std::size_t count = 0;
      for (const auto& each : comms_)
        if (!each->is_over) count += 1 + each->operators.size() + each->registrations.size();
      return count;
    });
  }
  std::size_t made() const {
    return locked([&] { return comms_.size(); });
  }
  std::size_t aborted() const {
    return locked([&] { return aborted_; });
  }
  std::vector<std::string> violations() const {
    return locked([&] { return violations_; });
  }
  /// The configuration of the newest communicator, and the devices that were chosen.
  ncclConfig_t config() const {
    return locked([&] { return config_; });
  }
  std::vector<int> devices() const {
    return locked([&] { return devices_; });
  }

 private:
  struct message {
    void* data = nullptr;
    std::size_t bytes = 0;
    bool is_send = false, is_done = false;
    int peer = 0;
  };
  struct channel {
    std::deque<message*> sends, recvs;
  };
  struct comm;
  struct split_call {
    comm* parent;
    int color, key;
  };
  /// Communicators that belong together.
  struct group {
    int size = 0;
    std::vector<comm*> members;
    int joined = 0;
    std::map<std::pair<int, int>, channel> channels;
    std::map<std::uint64_t, std::vector<collective_call*>> collectives;
    std::map<int, std::vector<split_call>> splits;
  };
  struct comm {
    int self = 0, place = 0;
    std::shared_ptr<group> in;
    bool is_over = false, was_aborted = false, is_finalised = false;
    ncclResult_t error = ncclSuccess;
    int polls_left = 0, splits = 0, on_streams = 0;
    ncclComm_t* split_to = nullptr;
    comm* child = nullptr;
    std::uint64_t collectives = 0;
    std::map<int, double> operators;
    std::set<void*> registrations;
  };
  struct failing {
    int self = -1;
    std::string name{};  ///< empty: any
    int call = 0;
    ncclResult_t code = ncclSystemError;
  };
  /// What one thread has called since ncclGroupStart.
  struct pending {
    int depth = 0;
    ncclResult_t error = ncclSuccess;  ///< of a call; then the group's end starts nothing
    comm* with = nullptr;
    cudaStream_t stream = nullptr;
    std::vector<message> messages;
    std::vector<collective_call> collectives;
  };

  template <class F>
  std::invoke_result_t<F&> locked(F&& work) const {
    std::lock_guard lock(mutex_);
    return work();
  }
  static pending& own() {
    thread_local pending of_thread;
    return of_thread;
  }
  ncclResult_t note(const std::string& what) {
    violations_.push_back(what);
    return ncclInvalidUsage;
  }
  /// The result to give up with, or success; for calls on a communicator also whether it may be used.
  ncclResult_t enter(int self, const char* name) {
    if (self != fail_.self || (!fail_.name.empty() && fail_.name != name) || ++calls_ != fail_.call) return ncclSuccess;
    failed_ = name;
    return fail_.code;
  }
  ncclResult_t enter(int self, const char* name, ncclComm_t handle) {
    const comm& c = of_handle(handle);
    if (c.is_over) return note(std::string(name) + " on a communicator that has ended");
    if (c.self != self) return note(std::string(name) + " on another rank's communicator");
    if (is_busy(c)) return note(std::string(name) + " on a communicator that is in progress");
    if (c.error != ncclSuccess) return c.error;
    return enter(self, name);
  }
  static comm& of_handle(ncclComm_t handle) { return *reinterpret_cast<comm*>(handle); }
  static ncclComm_t handle_of(comm* c) { return reinterpret_cast<ncclComm_t>(c); }
  static bool is_busy(const comm& c) {
    return c.error == ncclSuccess && (c.in->joined < c.in->size || c.split_to != nullptr || c.polls_left > 0 ||
                                      (c.is_finalised && c.on_streams > 0));
  }
  comm* make(int self, const std::shared_ptr<group>& in, int place) {
    comm& made = *comms_.emplace_back(std::make_unique<comm>());
    made.self = self;
    made.place = place;
    made.in = in;
    in->members[static_cast<std::size_t>(place)] = &made;
    ++in->joined;
    return &made;
  }

  ncclResult_t init(int self, ncclComm_t* to, int size, const ncclUniqueId& id, int place, ncclConfig_t* config);
  ncclResult_t split(int self, ncclComm_t parent, int color, int key, ncclComm_t* to, ncclConfig_t* config);
  void complete_split(std::vector<split_call>& calls);
  ncclResult_t poll(int self, ncclComm_t handle, ncclResult_t* state);
  ncclResult_t abort(int self, ncclComm_t handle);
  ncclResult_t add(int self, const char* name, ncclComm_t handle, cudaStream_t stream, thread_device& device,
                   const message* moved, const collective_call* called);
  ncclResult_t end_group(thread_device& device);
  void run(pending& work, bool is_counted);
  void match(channel& between);
  void set_communicators(nccl::functions& f, int self);
  void set_point_to_point(nccl::functions& f, int self, thread_device& device);
  void set_collectives(nccl::functions& f, int self, thread_device& device);
  void set_memory(nccl::functions& f, int self);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::minstd_rand random_;
  std::vector<std::unique_ptr<comm>> comms_;  // for ever, so that what is called too late is seen
  std::map<std::string, std::shared_ptr<group>> groups_;
  int ids_ = 0, operators_ = ncclNumOps;
  std::uintptr_t registrations_ = 0;
  std::size_t aborted_ = 0;
  failing fail_;
  int calls_ = 0;  ///< that might have failed
  std::string failed_;
  ncclConfig_t config_{};
  std::vector<int> devices_;
  std::vector<std::string> violations_;
};

inline ncclResult_t fake_nccl::init(int self, ncclComm_t* to, int size, const ncclUniqueId& id, int place,
                                    ncclConfig_t* config) {
  std::lock_guard lock(mutex_);
  *to = nullptr;
  if (const auto failed = enter(self, "ncclCommInitRankConfig"); failed != ncclSuccess) return failed;
  if (config->magic != 0xcafebeef || config->blocking != 0) return note("a configuration that blocks or is none");
  config_ = *config;
  auto& in = groups_[std::string(id.internal, sizeof id.internal)];
  if (!in) {
    in = std::make_shared<group>();
    in->size = size;
    in->members.resize(static_cast<std::size_t>(size));
  }
  if (in->size != size || place >= size || in->members[static_cast<std::size_t>(place)] != nullptr)
    return note("members that do not fit together");
  *to = handle_of(make(self, in, place));
  return ncclInProgress;
}

inline ncclResult_t fake_nccl::split(int self, ncclComm_t parent, int color, int key, ncclComm_t* to,
                                     ncclConfig_t* config) {
  std::lock_guard lock(mutex_);
  if (const auto failed = enter(self, "ncclCommSplit", parent); failed != ncclSuccess) return failed;
  config_ = *config;
  comm& from = of_handle(parent);
  *to = nullptr;
  from.split_to = to;
  auto& calls = from.in->splits[from.splits++];
  calls.push_back({&from, color, key});
  if (static_cast<int>(calls.size()) == from.in->size) complete_split(calls);
  return ncclInProgress;
}

inline void fake_nccl::complete_split(std::vector<split_call>& calls) {
  std::stable_sort(calls.begin(), calls.end(),
                   [](const auto& a, const auto& b) { return std::pair(a.color, a.key) < std::pair(b.color, b.key); });
  for (auto first = calls.begin(); first != calls.end();) {
    const auto last = std::find_if(first, calls.end(), [&](const auto& each) { return each.color != first->color; });
    auto in = std::make_shared<group>();
    in->size = static_cast<int>(last - first);
    in->members.resize(static_cast<std::size_t>(in->size));
    for (int place = 0; first != last; ++first, ++place)
      if (!first->parent->is_over) first->parent->child = make(first->parent->self, in, place);
  }
}

inline ncclResult_t fake_nccl::poll(int self, ncclComm_t handle, ncclResult_t* state) {
  std::lock_guard lock(mutex_);
  comm& c = of_handle(handle);
  if (c.is_over) return note("ncclCommGetAsyncError on a communicator that has ended");
  if (const auto failed = enter(self, "ncclCommGetAsyncError"); failed != ncclSuccess) return failed;
  if (c.child != nullptr) *std::exchange(c.split_to, nullptr) = handle_of(std::exchange(c.child, nullptr));
  *state = c.error != ncclSuccess ? c.error : is_busy(c) ? ncclInProgress : ncclSuccess;
  if (c.polls_left > 0) --c.polls_left;
  return ncclSuccess;
}

inline ncclResult_t fake_nccl::abort(int self, ncclComm_t handle) {
  std::lock_guard lock(mutex_);
  comm& c = of_handle(handle);
  if (c.is_over) return note("ncclCommAbort on a communicator that has ended");
  const auto failed = enter(self, "ncclCommAbort");  // it ends all the same
  if (c.child != nullptr) *c.split_to = handle_of(c.child);
  c.is_over = c.was_aborted = true;
  ++aborted_;
  for (comm* each : c.in->members)
    if (tells_peers && each != nullptr && !each->is_finalised && each->error == ncclSuccess)
      each->error = ncclRemoteError;
  changed_.notify_all();
  return failed;
}

inline ncclResult_t fake_nccl::add(int self, const char* name, ncclComm_t handle, cudaStream_t stream,
                                   thread_device& device, const message* moved, const collective_call* called) {
  pending& current = own();
  {
    std::lock_guard lock(mutex_);
    if (const auto failed = enter(self, name, handle); failed != ncclSuccess) {
      if (current.depth > 0) current.error = failed;
      return failed;
    }
    comm& c = of_handle(handle);
    if (current.with != nullptr && (current.with != &c || current.stream != stream))
      return note("a group of several streams");
    if (moved != nullptr && (moved->peer < 0 || moved->peer >= c.in->size)) return note("a peer that is not there");
    current.with = &c;
    current.stream = stream;
    if (moved != nullptr) current.messages.push_back(*moved);
    if (called != nullptr) current.collectives.push_back(*called);
  }
  return current.depth == 0 ? end_group(device) : ncclSuccess;
}

inline ncclResult_t fake_nccl::end_group(thread_device& device) {
  auto work = std::make_shared<pending>(std::exchange(own(), {}));
  if (work->error != ncclSuccess || work->with == nullptr) return work->error;
  const auto stream = static_cast<stream_handle>(reinterpret_cast<std::uintptr_t>(work->stream));
  const bool is_counted = !device.is_capturing(stream);
  {
    std::lock_guard lock(mutex_);
    work->with->polls_left = static_cast<int>(random_() % 3);
    work->with->on_streams += is_counted ? 1 : 0;
  }
  device.enqueue(stream, [this, work, is_counted] {
    pending again = *work;
    run(again, is_counted);
  });
  return ncclInProgress;
}

inline void fake_nccl::match(channel& between) {
  while (!between.sends.empty() && !between.recvs.empty()) {
    message &from = *between.sends.front(), &to = *between.recvs.front();
    if (from.bytes != to.bytes) note("a message whose ends have different sizes");
    std::memcpy(to.data, from.data, std::min(from.bytes, to.bytes));
    from.is_done = to.is_done = true;
    between.sends.pop_front();
    between.recvs.pop_front();
  }
}

inline void fake_nccl::run(pending& work, bool is_counted) {
  std::unique_lock lock(mutex_);
  comm& c = *work.with;
  if (c.is_over && !c.was_aborted) note("work of a communicator that was destroyed");
  group& in = *c.in;
  for (message& each : work.messages) {
    channel& between = in.channels[each.is_send ? std::pair(c.place, each.peer) : std::pair(each.peer, c.place)];
    (each.is_send ? between.sends : between.recvs).push_back(&each);
    match(between);
  }
  for (collective_call& each : work.collectives) {
    auto& calls = in.collectives[c.collectives++];
    for (const collective_call* other : calls)
      if (other != nullptr && !each.matches(*other))
        note("collectives that do not match: " + each.name + ", " + other->name);
    calls.resize(static_cast<std::size_t>(in.size));
    calls[static_cast<std::size_t>(c.place)] = &each;
    if (std::count(calls.begin(), calls.end(), nullptr) == 0) {
      perform(calls);
      for (collective_call* done : calls) done->name.clear();
    }
  }
  changed_.notify_all();
  changed_.wait(lock, [&] {
    return c.is_over ||
           (std::all_of(work.messages.begin(), work.messages.end(), [](const message& m) { return m.is_done; }) &&
            std::all_of(work.collectives.begin(), work.collectives.end(),
                        [](const auto& m) { return m.name.empty(); }));
  });
  for (auto& [ends, between] : in.channels)
    for (message& each : work.messages) std::erase(each.is_send ? between.sends : between.recvs, &each);
  for (auto& [number, calls] : in.collectives)
    for (collective_call& each : work.collectives)
      std::replace(calls.begin(), calls.end(), &each, static_cast<collective_call*>(nullptr));
  c.on_streams -= is_counted ? 1 : 0;
}

}  // namespace hawser::test

#include "support/fake_nccl_table.hpp"
