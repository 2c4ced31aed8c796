// Bruck's all-to-all of every radix: proved by the verifier, and what each member sends against the closed forms.
#include <gtest/gtest.h>

#include <hawser/algorithm/bruck.hpp>
#include <hawser/algorithm/generate.hpp>
#include <hawser/schedule/verify.hpp>

namespace hawser::algorithm {
namespace {

schedule::request exchange(bool ragged) {
  schedule::request what;
  what.what = ragged ? schedule::collective::all_to_all_v : schedule::collective::all_to_all;
  what.has_ragged_blocks = ragged;
  return what;
}

schedule::schedule written(const schedule::request& what, int n, std::int64_t radix, int self) {
  builder out(what, self, n);
  const group members{n, self, [](int i) { return rank(i); }};
  bruck_all_to_all_of(
      radix, {members, detail::block_of_each(buffer::input, members), detail::block_of_each(buffer::output, members)},
      out);
  return std::move(out).finish();
}

/// Digits of `value` that are not 0.
std::int64_t nonzero_digits(std::int64_t value, std::int64_t radix) {
  std::int64_t digits = 0;
  for (; value > 0; value /= radix) digits += value % radix != 0;
  return digits;
}

TEST(bruck, every_radix_is_proved) {
  for (int n = 1; n <= 18; ++n)
    for (std::int64_t radix = 2; radix <= n + 1; ++radix)
      for (const bool ragged : {false, true}) {
        const schedule::request what = exchange(ragged);
        const auto found = schedule::verify(
            what, n, [&](rank r) { return schedule::derive_dependences(written(what, n, radix, r.value)); });
        EXPECT_TRUE(found.empty()) << n << " ranks, radix " << radix << ": " << to_string(found.front());
      }
}

TEST(bruck, sends_a_message_per_digit_value_and_a_block_per_digit) {
  for (int n = 2; n <= 70; ++n)
    for (std::int64_t radix : {2, 3, 4, 5, 8, 16, 70}) {
      const schedule::schedule made = written(exchange(false), n, radix, n / 2);
      std::int64_t messages = 0, blocks = 0, hops = 0;
      for (const schedule::step& each : made.steps) {
        if (!each.sends()) continue;
        ++messages;
        for (const region& r : made.at(each.source)) blocks += r.count * r.first.length().floor();
      }
      for (std::int64_t distance = 1; distance < n; ++distance) hops += nonzero_digits(distance, radix);
      EXPECT_EQ(blocks, hops) << n << " ranks, radix " << radix;
      EXPECT_EQ(made.scratch_blocks, hops - (n - 1)) << "a block for each hop beyond the first";
      EXPECT_LE(messages, (radix - 1) * detail::digits_of(n, radix));
      std::int64_t full = radix;
      while (full < n) full *= radix;
      if (full == n) {
        EXPECT_EQ(messages, (radix - 1) * detail::digits_of(n, radix)) << "a power of the radix uses every value";
      }
    }
}

TEST(bruck, the_square_root_as_radix_makes_two_hops) {
  for (int n = 3; n <= 200; ++n) {
    EXPECT_LE(detail::digits_of(n, detail::square_root(n)), 2) << n;
    EXPECT_LE(detail::bruck_sqrt_steps(n), 4 * detail::square_root(n));
  }
}

}  // namespace
}  // namespace hawser::algorithm
