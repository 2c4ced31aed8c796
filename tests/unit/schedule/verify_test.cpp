// Hand-made schedules, right and wrong: each kind of violation is found, and named where it is.
#include <hawser/schedule/builder.hpp>
#include <hawser/schedule/verify.hpp>

#include <gtest/gtest.h>

#include <functional>

namespace {

using namespace hawser::schedule;
using hawser::rank;
using writer = std::function<void(int self, builder&)>;

region_list all(buffer where, std::int64_t first = 0, std::int64_t last = 1) {
  return {{where, 1, 0, {first, last}}};
}
region_list part(buffer where, std::uint64_t from, std::uint64_t to, std::uint64_t of) {
  return {{where, 1, 0, {fraction(from, of), fraction(to, of)}}};
}
request ask(collective what, rank root = 0, bool in_place = false) {
  request r;
  r.what = what;
  r.root = root;
  r.in_place = in_place;
  return r;
}

constexpr buffer input = buffer::input, output = buffer::output, scratch = buffer::scratch;

std::vector<violation> check(const request& what, int ranks, const writer& write, const verify_options& options = {}) {
  return verify(
      what, ranks,
      [&](rank r) {
        builder out(what, r, ranks);
        write(r.value, out);
        return derive_dependences(std::move(out).finish());
      },
      options);
}

std::string text(const std::vector<violation>& found) {
  std::string all_of_them;
  for (const violation& each : found) all_of_them += to_string(each) + "\n";
  return all_of_them;
}

#define EXPECT_CLEAN(found)                      \
  do {                                           \
    const auto found_ = (found);                 \
    EXPECT_TRUE(found_.empty()) << text(found_); \
  } while (false)

/// The first violation of a kind; fails where there is none.
violation first(const std::vector<violation>& found, violation_kind kind) {
  for (const violation& each : found)
    if (each.kind == kind) return each;
  ADD_FAILURE() << "no " << to_string(kind) << " among\n" << text(found);
  return {};
}

/// A correct all-reduce of two ranks.
void exchange(int self, builder& out) {
  out.send(1 - self, all(input));
  out.recv_reduce(1 - self, all(output), all(input), self == 0 ? side::right : side::left);
}

TEST(verify, right_schedules_are_clean) {
  EXPECT_CLEAN(check(ask(collective::all_reduce), 2, exchange));
  EXPECT_CLEAN(check(ask(collective::all_reduce), 2, exchange, {.check_order = true}));
  EXPECT_CLEAN(check(ask(collective::barrier), 2, exchange));
  EXPECT_CLEAN(check(ask(collective::all_reduce), 1, [](int, builder& out) { out.copy(all(output), all(input)); }));
}

TEST(verify, missing_contribution_of_a_step_left_out) {
  const auto found = check(ask(collective::all_reduce), 3, [](int self, builder& out) {
    if (self == 0) {
      out.recv_reduce(1, all(output), all(input));  // nothing from 2
      out.send(1, all(output));
      out.send(2, all(output));
    } else {
      if (self == 1) out.send(0, all(input));
      out.recv(0, all(output));
    }
  });
  EXPECT_EQ(found.size(), 3U) << text(found);
  const violation v = first(found, violation_kind::missing_contribution);
  EXPECT_EQ(v.who, rank(0));
  EXPECT_NE(v.what.find("rank 2"), std::string::npos) << v.what;
  EXPECT_NE(v.what.find("output[0,1)"), std::string::npos) << v.what;
}

TEST(verify, output_that_is_never_written) {
  const auto found = check(ask(collective::broadcast), 2, [](int self, builder& out) {
    if (self == 0) out.copy(all(output), all(input));
  });
  EXPECT_EQ(first(found, violation_kind::missing_contribution).who, rank(1));
}

TEST(verify, part_of_the_output_that_is_never_written) {
  const auto found = check(ask(collective::all_reduce), 1,
                           [](int, builder& out) { out.copy(part(output, 0, 2, 3), part(input, 0, 2, 3)); });
  EXPECT_NE(first(found, violation_kind::missing_contribution).what.find("output[2/3,1)"), std::string::npos);
}

TEST(verify, double_contribution_names_rank_and_step) {
  const auto found = check(ask(collective::all_reduce), 2, [](int self, builder& out) {
    exchange(self, out);
    out.send(1 - self, all(input));
    if (self == 0) out.recv_reduce(1, all(output), all(output));
    if (self == 1) out.recv(0, {{scratch, 1, 0, {out.reserve_scratch(1), 1}}});
  });
  const violation v = first(found, violation_kind::double_contribution);
  EXPECT_EQ(v.who, rank(0));
  EXPECT_EQ(v.step, 3U);
  EXPECT_EQ(v.peer, rank(1));
  EXPECT_NE(v.what.find("rank 1"), std::string::npos) << v.what;
}

TEST(verify, a_barrier_may_count_a_token_twice_but_not_lose_it) {
  const writer twice = [](int self, builder& out) {
    exchange(self, out);
    out.send(1 - self, all(input));
    out.recv_reduce(1 - self, all(output), all(output));
  };
  EXPECT_CLEAN(check(ask(collective::barrier), 2, twice));
  first(check(ask(collective::all_reduce), 2, twice), violation_kind::double_contribution);
  first(check(ask(collective::barrier), 2, [](int, builder& out) { out.copy(all(output), all(input)); }),
        violation_kind::missing_contribution);
}

TEST(verify, wrong_destination_of_foreign_blocks) {
  const auto found = check(ask(collective::all_to_all), 2, [](int self, builder& out) {
    out.copy(all(output, 1 - self, 2 - self), all(input, self, self + 1));  // own block where the peer's belongs
    out.send(1 - self, all(input, 1 - self, 2 - self));
    out.recv(1 - self, all(output, self, self + 1));
  });
  EXPECT_EQ(found.size(), 4U) << text(found);
  first(found, violation_kind::wrong_destination);
}

TEST(verify, wrong_destination_of_data_mixed_across_blocks) {
  const auto found = check(ask(collective::reduce_scatter), 2, [](int self, builder& out) {
    out.send(1 - self, all(input, self, self + 1));  // the block it should keep
    out.recv_reduce(1 - self, all(output), all(input, self, self + 1));
  });
  EXPECT_EQ(first(found, violation_kind::wrong_destination).step, 1U);
}

TEST(verify, wrong_order_only_where_order_counts) {
  const writer reversed = [](int self, builder& out) {
    out.send(1 - self, all(input));
    out.recv_reduce(1 - self, all(output), all(input), self == 1 ? side::right : side::left);
  };
  EXPECT_CLEAN(check(ask(collective::all_reduce), 2, reversed));
  const auto found = check(ask(collective::all_reduce), 2, reversed, {.check_order = true});
  EXPECT_EQ(first(found, violation_kind::wrong_order).step, 1U);
}

TEST(verify, wrong_order_of_a_gap) {
  const auto found = check(ask(collective::reduce), 3,
                           [](int self, builder& out) {
                             if (self > 0) return out.send(0, all(input));
                             out.recv_reduce(2, all(output), all(input));  // 0 and 2 before 1
                             out.recv_reduce(1, all(output), all(output));
                           },
                           {.check_order = true});
  EXPECT_EQ(first(found, violation_kind::wrong_order).who, rank(0));
}

TEST(verify, deadlock_names_the_cycle) {
  // Each receives into the output before it sends what it received: a cycle of data around the ring.
  const auto found = check(ask(collective::broadcast), 3, [](int self, builder& out) {
    out.recv((self + 2) % 3, all(output));
    out.send((self + 1) % 3, all(output));
  });
  const violation v = first(found, violation_kind::deadlock);
  for (const char* who : {"rank 0", "rank 1", "rank 2"}) EXPECT_NE(v.what.find(who), std::string::npos) << v.what;
}

TEST(verify, deadlock_of_sends_that_wait_for_their_receive) {
  // A write after read: the receive may start only when the synchronous send has completed, on both sides.
  const auto found = check(ask(collective::all_reduce, 0, true), 2, [](int self, builder& out) {
    out.send(1 - self, all(output));
    out.recv_reduce(1 - self, all(output), all(output));
  });
  first(found, violation_kind::deadlock);
}

TEST(verify, deadlock_of_messages_posted_in_different_orders) {
  // Per lane messages match in order, so the second send needs the first to have started, which needs data from 1.
  const auto found = check(ask(collective::all_to_all), 2, [](int self, builder& out) {
    const auto s = out.reserve_scratch(2);
    if (self == 0) {
      out.recv(1, all(scratch, s, s + 1));
      out.send(1, all(scratch, s, s + 1));
      out.send(1, all(input, 1, 2));
    } else {
      out.recv(0, all(scratch, s, s + 1));
      out.recv(0, all(scratch, s + 1, s + 2));
      out.send(0, all(scratch, s + 1, s + 2));
    }
  });
  first(found, violation_kind::deadlock);
}

TEST(verify, unmatched_send_and_receive) {
  auto found = check(ask(collective::all_reduce), 2, [](int self, builder& out) {
    exchange(self, out);
    if (self == 0) out.send(1, all(input));
  });
  EXPECT_EQ(found.size(), 1U) << text(found);
  EXPECT_EQ(first(found, violation_kind::unmatched_send).step, 2U);

  found = check(ask(collective::all_reduce), 2, [](int self, builder& out) {
    exchange(self, out);
    if (self == 1) out.recv(0, {{scratch, 1, 0, {out.reserve_scratch(1), 1}}});
  });
  EXPECT_EQ(found.size(), 1U) << text(found);
  const violation v = first(found, violation_kind::unmatched_receive);
  EXPECT_EQ(v.who, rank(1));
  EXPECT_EQ(v.peer, rank(0));
}

TEST(verify, channels_match_apart) {
  const auto found = check(ask(collective::all_reduce), 2, [](int self, builder& out) {
    out.use_channel(self == 0 ? 0 : 1);
    exchange(self, out);
  });
  first(found, violation_kind::unmatched_send);
  first(found, violation_kind::unmatched_receive);
}

TEST(verify, a_peer_that_does_not_exist) {
  first(check(ask(collective::broadcast), 2,
              [](int self, builder& out) {
                if (self == 0) out.send(2, all(input));
              }),
        violation_kind::unmatched_send);
}

TEST(verify, size_mismatch_in_length_and_in_coordinates) {
  const auto with_target = [](const region_list& target) {
    return check(ask(collective::broadcast), 2, [&](int self, builder& out) {
      if (self == 0) {
        out.copy(all(output), all(input));
        out.send(1, part(input, 0, 1, 2));
        out.send(1, part(input, 1, 2, 2));
      } else {
        out.recv(0, target);
        out.recv(0, part(output, 1, 2, 2));
      }
    });
  };
  EXPECT_CLEAN(with_target(part(output, 0, 1, 2)));
  EXPECT_EQ(first(with_target(all(output)), violation_kind::size_mismatch).peer, rank(1));
  // As long as what is sent, but elsewhere in the block: for an odd count one element too many.
  first(with_target(part(output, 1, 2, 2)), violation_kind::size_mismatch);
}

TEST(verify, race_where_a_dependence_is_dropped) {
  const auto drop_dependences = [](rank r) {
    builder out(ask(collective::broadcast), r, 3);
    if (r.value > 0) out.recv(r.value - 1, all(output));
    if (r.value == 0) out.copy(all(output), all(input));
    if (r.value < 2) out.send(r.value + 1, all(output));
    program p = derive_dependences(std::move(out).finish());
    if (r.value == 1) {
      p.waits_for.assign(2, 0);
      p.first_dependent.assign(3, 0);
      p.dependents.clear();
    }
    return p;
  };
  const auto found = verify(ask(collective::broadcast), 3, drop_dependences);
  const violation v = first(found, violation_kind::race);
  EXPECT_EQ(v.who, rank(1));
  EXPECT_EQ(v.step, 1U);
  EXPECT_NE(v.what.find("output[0,1)"), std::string::npos) << v.what;
}

TEST(verify, a_dependence_through_other_steps_is_enough) {
  const auto transitive = [](rank r) {
    builder out(ask(collective::all_reduce), r, 1);
    out.copy(all(output), all(input));
    out.reserve_scratch(1);
    out.copy(all(scratch), all(output));
    out.copy(all(output), all(scratch));  // writes what 0 wrote: ordered through 1
    program p = derive_dependences(std::move(out).finish());
    p.waits_for = {0, 1, 1};
    p.first_dependent = {0, 1, 2, 2};
    p.dependents = {1, 2};
    return p;
  };
  EXPECT_CLEAN(verify(ask(collective::all_reduce), 1, transitive));
}

TEST(verify, race_inside_one_step) {
  first(check(ask(collective::all_to_all), 2,
              [](int, builder& out) {
                const auto s = out.reserve_scratch(3);
                out.copy(all(scratch, s, s + 2), all(input, 0, 2));
                out.copy(all(scratch, s + 1, s + 3), all(scratch, s, s + 2));  // shifted onto itself
              }),
        violation_kind::race);
  first(check(ask(collective::all_to_all), 2,
              [](int, builder& out) {
                out.copy({{output, 1, 0, {0, 1}}, {output, 1, 0, {0, 1}}}, all(input, 0, 2));  // one target twice
              }),
        violation_kind::race);
}

TEST(verify, counts_of_dependences_that_do_not_fit_the_dependences) {
  const auto with_count = [](std::uint32_t count) {
    return verify(ask(collective::all_reduce), 1, [count](rank r) {
      builder out(ask(collective::all_reduce), r, 1);
      out.copy(all(output), all(input));
      out.copy({{scratch, 1, 0, {out.reserve_scratch(1), 1}}}, all(output));
      program p = derive_dependences(std::move(out).finish());
      p.waits_for[1] = count;
      return p;
    });
  };
  EXPECT_CLEAN(with_count(1));
  EXPECT_EQ(first(with_count(0), violation_kind::race).step, 1U);
  EXPECT_EQ(first(with_count(2), violation_kind::deadlock).step, 1U);
}

TEST(verify, dependences_that_point_backwards) {
  const auto found = verify(ask(collective::all_reduce), 1, [](rank r) {
    builder out(ask(collective::all_reduce), r, 1);
    out.copy(all(output), all(input));
    program p = derive_dependences(std::move(out).finish());
    p.waits_for = {1};
    p.first_dependent = {0, 1};
    p.dependents = {0};
    return p;
  });
  first(found, violation_kind::deadlock);
}

TEST(verify, scratch_overflow) {
  const auto found = check(ask(collective::all_reduce), 1, [](int, builder& out) {
    out.reserve_scratch(2);
    out.copy(all(scratch, 2, 3), all(input));
    out.copy(all(output), all(scratch, 2, 3));
  });
  EXPECT_EQ(first(found, violation_kind::scratch_overflow).step, 0U);
}

TEST(verify, out_of_bounds_of_input_output_and_strides) {
  const auto with_source = [](const region_list& source) {
    return check(ask(collective::all_to_all), 2, [&](int self, builder& out) { out.send(1 - self, source); });
  };
  first(with_source(all(output, 1, 3)), violation_kind::out_of_bounds);
  first(check(ask(collective::all_to_all), 2, [](int, builder& out) { out.copy(all(output), all(input, 2, 3)); }),
        violation_kind::out_of_bounds);
  first(check(ask(collective::all_to_all), 2,
              [](int, builder& out) {
                out.copy({{output, 2, 1, {0, 1}}}, {{input, 2, 2, {0, 1}}});
              }),
        violation_kind::out_of_bounds);
}

TEST(verify, uninitialised_reads) {
  const auto of_scratch = check(ask(collective::all_reduce), 1, [](int, builder& out) {
    out.copy(all(output), {{scratch, 1, 0, {out.reserve_scratch(1), 1}}});
  });
  EXPECT_EQ(first(of_scratch, violation_kind::uninitialised_read).step, 0U);
  // Only the root of a broadcast has an input.
  const auto of_input =
      check(ask(collective::broadcast, 1), 2, [](int, builder& out) { out.copy(all(output), all(input)); });
  const violation v = first(of_input, violation_kind::uninitialised_read);
  EXPECT_EQ(v.who, rank(0));
}

TEST(verify, input_overwritten_out_of_place) {
  const auto found = check(ask(collective::all_reduce), 2, [](int self, builder& out) {
    out.send(1 - self, all(input));
    out.recv_reduce(1 - self, all(output), all(input));
    out.copy(all(input), all(output));
  });
  EXPECT_EQ(first(found, violation_kind::input_overwritten).step, 2U);
}

TEST(verify, in_place_only_the_own_block_of_a_larger_input_may_change) {
  const auto summing_into = [](bool own) {
    return check(ask(collective::reduce_scatter, 0, true), 2, [own](int self, builder& out) {
      const int block = own ? self : 1 - self;
      out.send(1 - self, all(input, 1 - self, 2 - self));
      out.recv_reduce(1 - self, all(input, block, block + 1), all(input, block, block + 1));
    });
  };
  EXPECT_CLEAN(summing_into(true));
  first(summing_into(false), violation_kind::input_overwritten);
}

TEST(verify, misaligned_move) {
  const auto found = check(ask(collective::all_reduce), 1, [](int, builder& out) {
    out.copy(part(output, 0, 1, 2), part(input, 1, 2, 2));
    out.copy(part(output, 1, 2, 2), part(input, 0, 1, 2));
  });
  EXPECT_EQ(first(found, violation_kind::misaligned_move).step, 0U);
  first(check(ask(collective::all_reduce), 1, [](int, builder& out) { out.copy(all(output), part(input, 0, 1, 2)); }),
        violation_kind::misaligned_move);
}

TEST(verify, whole_blocks_may_move_anywhere) {
  EXPECT_CLEAN(check(ask(collective::all_gather), 2, [](int self, builder& out) {
    out.send(1 - self, all(input));
    out.copy(all(output, self, self + 1), all(input));
    out.recv(1 - self, all(output, 1 - self, 2 - self));
  }));
}

TEST(verify, stops_at_the_limit) {
  const auto found = check(ask(collective::all_gather), 8, [](int, builder&) {}, {.max_violations = 5});
  EXPECT_EQ(found.size(), 5U);
}

TEST(verify, a_full_list_does_not_hide_that_shapes_differ) {
  // The unmatched send fills the list; the mismatch behind it must still keep the data from being moved.
  const auto found = check(ask(collective::broadcast), 2,
                           [](int self, builder& out) {
                             if (self == 0) {
                               out.send(1, all(input));
                               out.use_channel(1);
                               out.send(1, part(input, 0, 1, 3));
                             } else {
                               out.use_channel(1);
                               out.recv(0, all(output));
                             }
                           },
                           {.max_violations = 1});
  EXPECT_EQ(found.size(), 1U) << text(found);
}

TEST(verify, a_program_of_another_rank_is_refused) {
  const auto found = verify(ask(collective::barrier), 2,
                            [](rank) { return derive_dependences(builder(ask(collective::barrier), 0, 2).finish()); });
  EXPECT_EQ(first(found, violation_kind::out_of_bounds).who, rank(0));
}

}  // namespace
