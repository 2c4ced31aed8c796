// One program text that drives every collective on a communicator and checks it against expected values; it returns a
// digest of all results, so that runs over different transports can be compared bit by bit.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <hawser/communicator/communicator.hpp>

namespace hawser::test {

/// What the battery found; throws at the first wrong element, naming everything needed to repeat it. `Members` has the
/// collectives, `rank` and `size` of a communicator.
template <class Members = communicator>
class battery {
 public:
  explicit battery(Members& members) : members_(members), n_(members.size()), me_(members.rank().value) {}

  std::uint64_t digest() const noexcept { return digest_; }

  template <class T>
  void all_types_of_collectives(std::int64_t count, const call_options& options = {}) {
    count_ = count;
    type_ = std::string(to_string(data_type_of_v<T>));
    options_ = options;
    reductions<T>();
    block_reductions<T>();
    moves<T>();
    ragged<T>();
    rooted<T>();
    members_.barrier(options);
  }

 private:
  /// A small exact value, different by rank and position.
  static int value(int rank, std::int64_t i) { return static_cast<int>((rank * 7 + i * 3) % 11); }

  template <class T>
  std::vector<T> made(int rank, std::int64_t count, std::int64_t offset = 0) const {
    std::vector<T> data(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i)
      data[static_cast<std::size_t>(i)] = static_cast<T>(static_cast<float>(value(rank, i + offset)));
    return data;
  }

  /// `relative`: what may differ beside the type's own tolerance, as a share of the expected value.
  template <class T, class Expected>
  void check(const char* what, std::span<const T> got, Expected&& expected, double relative = 0) {
    for (std::size_t i = 0; i < got.size(); ++i) {
      const double is = static_cast<double>(static_cast<float>(got[i])),
                   should = expected(static_cast<std::int64_t>(i));
      if (!(std::abs(is - should) <= tolerance<T>(should) + relative * std::abs(should)))
        throw std::runtime_error(std::string(what) + " of " + std::to_string(count_) + " " + type_ + " over " +
                                 std::to_string(n_) + " ranks with \"" + options_.algorithm + "\": rank " +
                                 std::to_string(me_) + " element " + std::to_string(i) + " is " + std::to_string(is) +
                                 ", should be " + std::to_string(should));
    }
    const auto bytes = std::as_bytes(got);
    for (std::byte b : bytes) digest_ = (digest_ ^ static_cast<std::uint64_t>(b)) * 0x100000001b3ULL;
  }

  /// Sums of at most 64 small integers are exact in 32 bits; the small types round.
  template <class T>
  static double tolerance(double should) {
    if constexpr (sizeof(T) >= 4 || std::is_integral_v<T>) return 0;
    return sizeof(T) == 2 ? std::abs(should) / 64 : std::abs(should) / 4 + 0.5;
  }

  double sum_at(std::int64_t i) const {
    double total = 0;
    for (int r = 0; r < n_; ++r) total += value(r, i);
    return total;
  }
  double max_at(std::int64_t i) const {
    double most = 0;
    for (int r = 0; r < n_; ++r) most = std::max<double>(most, value(r, i));
    return most;
  }

  template <class T>
  void reductions() {
    const auto input = made<T>(me_, count_);
    std::vector<T> output(input.size());
    members_.all_reduce(input, output, op::sum, options_);
    check<T>("all_reduce sum", output, [&](auto i) { return sum_at(i); });
    output = input;
    members_.all_reduce(output, op::max, options_);
    check<T>("all_reduce max in place", output, [&](auto i) { return max_at(i); });
    if constexpr (!std::is_integral_v<T>) {
      members_.all_reduce(input, output, op::avg, options_);
      check<T>(
          "all_reduce avg", output, [&](auto i) { return sum_at(i) / n_; }, 1e-5);  // division rounds
    }
  }

  template <class T>
  void block_reductions() {
    auto input = made<T>(me_, count_ * n_);
    std::vector<T> output(static_cast<std::size_t>(count_));
    members_.reduce_scatter(input, output, op::sum, options_);
    const auto expected = [&](auto i) { return sum_at(i + me_ * count_); };
    check<T>("reduce_scatter", output, expected);
    const auto own = std::span(input).subspan(static_cast<std::size_t>(me_ * count_), static_cast<std::size_t>(count_));
    members_.reduce_scatter(input, own, op::sum, options_);
    check<T>("reduce_scatter in place", own, expected);
  }

  template <class T>
  void moves() {
    const auto gathered = [&](std::int64_t i) { return value(static_cast<int>(i / count_), i % count_); };
    const auto input = made<T>(me_, count_);
    std::vector<T> all(static_cast<std::size_t>(count_ * n_));
    members_.all_gather(input, all, options_);
    check<T>("all_gather", all, gathered);
    std::fill(all.begin(), all.end(), T{});
    const auto own = std::span(all).subspan(static_cast<std::size_t>(me_ * count_), static_cast<std::size_t>(count_));
    std::copy(input.begin(), input.end(), own.begin());
    members_.all_gather(own, all, options_);
    check<T>("all_gather in place", all, gathered);

    const auto sent = made<T>(me_, count_ * n_);
    const auto exchanged = [&](std::int64_t i) {
      return value(static_cast<int>(i / count_), me_ * count_ + i % count_);
    };
    members_.all_to_all(sent, all, options_);
    check<T>("all_to_all", all, exchanged);
    all = sent;
    members_.all_to_all(all, all, options_);
    check<T>("all_to_all in place", all, exchanged);
  }

  /// Block sizes that differ by rank, zero included.
  std::int64_t block(int from, int to) const { return (count_ + from * 3 + to) % (count_ + 2); }

  template <class T>
  void ragged() {
    std::vector<std::int64_t> sent, received, blocks;
    for (int r = 0; r < n_; ++r) {
      sent.push_back(block(me_, r));
      received.push_back(block(r, me_));
      blocks.push_back(block(r, 0));
    }
    const auto total = [](const auto& list) { return std::accumulate(list.begin(), list.end(), std::int64_t{0}); };
    const auto input = made<T>(me_, total(sent));
    std::vector<T> output(static_cast<std::size_t>(total(received)));
    members_.all_to_all_v(input, sent, output, received, options_);
    check<T>("all_to_all_v", output, [&](std::int64_t i) {
      int from = 0;
      while (i >= received[static_cast<std::size_t>(from)]) i -= received[static_cast<std::size_t>(from++)];
      std::int64_t before = 0;
      for (int r = 0; r < me_; ++r) before += block(from, r);
      return value(from, before + i);
    });
    const auto own = blocks[static_cast<std::size_t>(me_)];
    std::vector<T> all(static_cast<std::size_t>(total(blocks)));
    members_.all_gather_v(made<T>(me_, own), all, blocks, options_);
    check<T>("all_gather_v", all, [&](std::int64_t i) {
      int from = 0;
      while (i >= blocks[static_cast<std::size_t>(from)]) i -= blocks[static_cast<std::size_t>(from++)];
      return value(from, i);
    });
    std::vector<T> part(static_cast<std::size_t>(own));
    members_.reduce_scatter_v(made<T>(me_, total(blocks)), part, blocks, op::sum, options_);
    const auto before = std::accumulate(blocks.begin(), blocks.begin() + me_, std::int64_t{0});
    check<T>("reduce_scatter_v", part, [&](std::int64_t i) { return sum_at(before + i); });
  }

  template <class T>
  void rooted() {
    for (int root = 0; root<n_; root += n_> 4 ? 3 : 1) {
      auto data = made<T>(me_ == root ? root : n_ + 5, count_);
      members_.broadcast(data, root, options_);
      check<T>("broadcast", data, [&](auto i) { return value(root, i); });

      const auto input = made<T>(me_, count_);
      const auto at_root = static_cast<std::size_t>(me_ == root ? 1 : 0);
      std::vector<T> output(input.size() * at_root);
      members_.reduce(input, output, root, op::sum, options_);
      check<T>("reduce", output, [&](auto i) { return sum_at(i); });

      std::vector<T> all(input.size() * static_cast<std::size_t>(n_) * at_root);
      members_.gather(input, all, root, options_);
      check<T>("gather", all, [&](auto i) { return value(static_cast<int>(i / count_), i % count_); });

      std::vector<T> own(input.size());
      members_.scatter(all, own, root, options_);
      check<T>("scatter", own, [&](auto i) { return value(me_, i); });
      ragged_and_rooted<T>(root);
    }
  }

  template <class T>
  void ragged_and_rooted(int root) {
    std::vector<std::int64_t> blocks;
    for (int r = 0; r < n_; ++r) blocks.push_back(block(r, root));
    const auto mine = made<T>(me_, blocks[static_cast<std::size_t>(me_)]);
    const std::vector<std::int64_t> known = me_ == root ? blocks : std::vector<std::int64_t>{};
    std::vector<T> all(static_cast<std::size_t>(std::accumulate(known.begin(), known.end(), std::int64_t{0})));
    members_.gather_v(mine, all, known, root, options_);
    check<T>("gather_v", all, [&](std::int64_t i) {
      int from = 0;
      while (i >= blocks[static_cast<std::size_t>(from)]) i -= blocks[static_cast<std::size_t>(from++)];
      return value(from, i);
    });

    std::vector<T> sent;  // another pattern than the one that was gathered
    for (std::size_t r = 0; r < known.size(); ++r)
      for (const T each : made<T>(n_ - static_cast<int>(r), known[r])) sent.push_back(each);
    std::vector<T> own(mine.size());
    members_.scatter_v(sent, known, own, root, options_);
    check<T>("scatter_v", own, [&](auto i) { return value(n_ - me_, i); });
  }

  Members& members_;
  int n_;
  int me_;
  std::int64_t count_ = 0;
  std::string type_;
  call_options options_;
  std::uint64_t digest_ = 0xcbf29ce484222325ULL;
};

/// The whole battery for a spread of types and counts; the digest of all ranks' results, on every rank.
inline std::uint64_t run_battery(communicator& members, bool is_short = false) {
  battery tests(members);
  const std::int64_t n = members.size();
  for (std::int64_t count : {std::int64_t{0}, std::int64_t{1}, n - 1, n, std::int64_t{17}, std::int64_t{1000}}) {
    tests.all_types_of_collectives<std::int32_t>(count);
    if (is_short && count != 17) continue;
    tests.all_types_of_collectives<float>(count);
    tests.all_types_of_collectives<bfloat16>(count);
  }
  tests.all_types_of_collectives<std::uint8_t>(3);
  tests.all_types_of_collectives<std::int64_t>(33);
  tests.all_types_of_collectives<double>(is_short ? 4'001 : 40'001);
  tests.all_types_of_collectives<float16>(5);
  tests.all_types_of_collectives<float8_e4m3>(7);
  tests.all_types_of_collectives<float8_e5m2>(7);
  std::vector<std::uint64_t> digests(static_cast<std::size_t>(n));
  members.all_gather(std::vector{tests.digest()}, digests);
  std::uint64_t all = 0;
  for (std::uint64_t each : digests) all = all * 31 + each;
  return all;
}

}  // namespace hawser::test
