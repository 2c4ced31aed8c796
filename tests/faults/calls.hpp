// A random sequence of collectives that all ranks derive from one seed, each with a known result.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <hawser/communicator/communicator.hpp>
#include <hawser/transport/host_memory.hpp>

namespace hawser::test {

/// Makes calls on a communicator and counts wrong elements. All ranks construct it with equal seeds.
class random_calls {
 public:
  using memory = std::pmr::memory_resource*;
  using vector = std::pmr::vector<std::int64_t>;

  /// `most`: elements of the largest vector, at least 64. `from`: where buffers lie.
  random_calls(std::uint64_t seed, std::int64_t most, memory from) : random_(seed), most_(most), from_(from) {}

  std::int64_t made() const noexcept { return made_; }
  /// Collectives that have returned here; the number of the one that is under way.
  std::int64_t completed() const noexcept { return completed_; }
  /// To be called, with its number, when a collective has returned.
  void watch(std::function<void(std::int64_t call)> watcher) { watcher_ = std::move(watcher); }
  /// Elements that were not what they should be.
  std::int64_t wrong() const noexcept { return wrong_; }
  /// What the last call was, for messages.
  const std::string& last() const noexcept { return last_; }

  /// One call. Throws as the communicator does.
  void make_one(communicator& members) {
    const auto kind = random_() % 8;
    // Sizes of all magnitudes: small ones take other algorithms than large ones.
    const auto magnitude = std::uniform_real_distribution<double>(0, std::log2(static_cast<double>(most_)))(random_);
    const auto count = static_cast<std::int64_t>(std::exp2(magnitude));
    const rank root(static_cast<int>(random_() % static_cast<std::uint64_t>(members.size())));
    ++made_;
    last_ = std::to_string(kind) + " of " + std::to_string(count);
    switch (kind) {
      case 0: return all_reduce(members, count);
      case 1: return reduce_scatter(members, share(members, count));
      case 2: return all_gather(members, share(members, count));
      case 3: return all_to_all(members, share(members, count));
      case 4: return broadcast(members, count, root);
      case 5: return reduce(members, count, root);
      case 6: return gather_scatter(members, share(members, count), root);
      default: return barrier(members);
    }
  }

  /// Whether any rank wants to stop; itself a call.
  bool agree_to_stop(communicator& members, bool wants) {
    std::vector<std::int32_t> flag{wants ? 1 : 0};
    members.all_reduce(flag, op::max);
    over();
    return flag[0] != 0;
  }
  /// One more call.
  void barrier(communicator& members) {
    members.barrier();
    over();
  }

 private:
  void over() {
    if (watcher_) watcher_(completed_);
    ++completed_;
  }
  static std::int64_t share(const communicator& members, std::int64_t count) {
    return std::max<std::int64_t>(1, count / members.size());
  }
  std::int64_t value(int r, std::int64_t i) const { return made_ * 31 + r * 1'000'003 + i * 7; }
  std::int64_t sum(int n, std::int64_t i) const {
    return n * (made_ * 31 + i * 7) + std::int64_t{1'000'003} * n * (n - 1) / 2;
  }
  vector empty(std::int64_t count) const { return vector(static_cast<std::size_t>(count), -1, from_); }
  vector filled(int r, std::int64_t count) const {
    vector made = empty(count);
    for (std::int64_t i = 0; i < count; ++i) made[static_cast<std::size_t>(i)] = value(r, i);
    return made;
  }
  template <class Expected>
  void check(const vector& got, Expected&& expected) {
    for (std::size_t i = 0; i < got.size(); ++i) wrong_ += got[i] != expected(static_cast<std::int64_t>(i));
  }

  void all_reduce(communicator& members, std::int64_t count) {
    vector data = filled(members.rank().value, count);
    members.all_reduce(data);
    over();
    check(data, [&](std::int64_t i) { return sum(members.size(), i); });
  }
  void reduce_scatter(communicator& members, std::int64_t count) {
    const vector input = filled(members.rank().value, count * members.size());
    vector output = empty(count);
    members.reduce_scatter(input, output);
    over();
    check(output, [&](std::int64_t i) { return sum(members.size(), i + count * members.rank().value); });
  }
  void all_gather(communicator& members, std::int64_t count) {
    const vector input = filled(members.rank().value, count);
    vector output = empty(count * members.size());
    members.all_gather(input, output);
    over();
    check(output, [&](std::int64_t i) { return value(static_cast<int>(i / count), i % count); });
  }
  void all_to_all(communicator& members, std::int64_t count) {
    const int me = members.rank().value;
    const vector input = filled(me, count * members.size());
    vector output = empty(count * members.size());
    members.all_to_all(input, output);
    over();
    check(output, [&](std::int64_t i) { return value(static_cast<int>(i / count), i % count + count * me); });
  }
  void broadcast(communicator& members, std::int64_t count, rank root) {
    vector data = members.rank() == root ? filled(root.value, count) : empty(count);
    members.broadcast(data, root);
    over();
    check(data, [&](std::int64_t i) { return value(root.value, i); });
  }
  void reduce(communicator& members, std::int64_t count, rank root) {
    const vector input = filled(members.rank().value, count);
    vector output = empty(members.rank() == root ? count : 0);
    members.reduce(input, output, root);
    over();
    check(output, [&](std::int64_t i) { return sum(members.size(), i); });
  }
  void gather_scatter(communicator& members, std::int64_t count, rank root) {
    const vector input = filled(members.rank().value, count);
    vector all = empty(members.rank() == root ? count * members.size() : 0), back = empty(count);
    members.gather(input, all, root);
    over();
    check(all, [&](std::int64_t i) { return value(static_cast<int>(i / count), i % count); });
    members.scatter(all, back, root);
    over();
    check(back, [&](std::int64_t i) { return value(members.rank().value, i); });
  }

  std::mt19937_64 random_;
  std::int64_t most_;
  memory from_;
  std::int64_t made_ = 0, completed_ = 0, wrong_ = 0;
  std::function<void(std::int64_t)> watcher_;
  std::string last_;
};

}  // namespace hawser::test
