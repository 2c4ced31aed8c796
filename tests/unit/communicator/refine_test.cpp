// Refinement: measured choices replace the model's, on all ranks alike, and only where they may.
#include <gtest/gtest.h>

#include <mutex>
#include <numeric>

#include <hawser/core/error.hpp>

#include <support/threads_over.hpp>

namespace hawser {
namespace {

/// A machine on which a message seems to take a second, so that the model chooses the fewest rounds, whatever the
/// bytes.
communicator_options deceived() {
  communicator_options options;
  options.topology = "rank:8@1TB/s,1s";
  return options;
}

std::vector<float> contribution(const communicator& members, std::size_t count) {
  std::vector<float> data(count);
  std::iota(data.begin(), data.end(), static_cast<float>(members.rank().value));
  return data;
}

void expect_sums(communicator& members, std::size_t count) {
  std::vector<float> data = contribution(members, count);
  members.all_reduce(data);
  const auto n = static_cast<float>(members.size());
  for (std::size_t i = 0; i < count; i += 997) ASSERT_EQ(data[i], n * static_cast<float>(i) + n * (n - 1) / 2) << i;
}

errc code_of(communicator& members, const refinement_options& options) {
  try {
    members.refine(options);
  } catch (const error& refused) {
    return refused.code();
  }
  return errc::internal;  // nothing was refused
}

/// One shot reduces eight times as many bytes as two shots do over eight ranks.
TEST(refine, puts_what_was_measured_in_the_place_of_what_the_model_took_for_fastest) {
  constexpr std::size_t many = 1 << 20, few = 16;
  std::mutex mutex;
  std::vector<std::vector<refinement>> of_ranks;
  run_in_process(8, deceived(), [&](communicator& members) {
    expect_sums(members, many);
    expect_sums(members, few);
    schedule::request what;
    what.count = many;
    EXPECT_EQ(members.plan_for(what).algorithm, "one_shot");
    const std::vector<refinement> found = members.refine({.budget = seconds{0.4}});
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].before.algorithm, "one_shot");
    EXPECT_TRUE(found[0].has_changed()) << found[0].before.time.count() << " s, " << found[0].after.algorithm << " "
                                        << found[0].after.time.count() << " s";
    for (const refinement& each : found) {
      const schedule::plan plan = members.plan_for(each.what);
      EXPECT_EQ(plan.algorithm, each.after.algorithm);
      EXPECT_EQ(plan.segments, each.after.segments);
      EXPECT_EQ(plan.chosen_by.starts_with("refinement"), each.has_changed()) << plan.chosen_by;
      if (each.has_changed()) {
        EXPECT_LE(each.after.time * 1.05, each.before.time);
      }
    }
    expect_sums(members, many);
    expect_sums(members, few);  // a kept run of the old choice would wait for messages that nobody sends
    const std::lock_guard lock(mutex);
    of_ranks.push_back(found);
  });
  for (const auto& found : of_ranks)
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(found[i].after.is_same_as(of_ranks[0][i].after));
}

TEST(refine, measures_a_shape_once_unless_asked_again) {
  run_in_process(3, {}, [](communicator& members) {
    EXPECT_TRUE(members.refine({}).empty());
    for (int i = 0; i < 3; ++i) expect_sums(members, 100);
    refinement_options options{.budget = seconds{0.05}};
    EXPECT_EQ(members.refine(options).size(), 1u);
    EXPECT_TRUE(members.refine(options).empty());  // its own calls are none of the job's
    options.again = true;
    EXPECT_EQ(members.refine(options).size(), 1u);
    std::vector<float> more = contribution(members, 200);
    members.broadcast(more, rank(1));
    members.barrier();
    options.again = false;
    const auto found = members.refine(options);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].what.what, schedule::collective::broadcast);
    EXPECT_EQ(found[1].what.what, schedule::collective::barrier);
  });
}

TEST(refine, works_for_every_collective_over_every_transport) {
  for (const std::string& transport : test::thread_transports())
    test::run_threads_over(transport, 4, {}, [](communicator& members) {
      const auto n = static_cast<std::size_t>(members.size());
      std::vector<std::int32_t> all(12 * n, members.rank().value), part(12, members.rank().value), out(12 * n), own(12);
      const auto call_all = [&] {
        members.all_reduce(all, out);
        members.reduce_scatter(all, part);
        members.all_gather(part, out);
        members.all_to_all(all, out);
        members.broadcast(part, rank(2));
        members.reduce(part, own, rank(1));
        members.gather(part, out, rank(3));
        members.scatter(out, part, rank(0));
      };
      call_all();
      EXPECT_EQ(members.refine({.budget = seconds{0.2}, .worth = 1}).size(), 8u);
      call_all();
      std::vector<std::int32_t> ones(12, 1);
      members.all_reduce(ones);
      EXPECT_EQ(ones, std::vector(12, static_cast<std::int32_t>(n)));
    });
}

TEST(refine, leaves_alone_what_others_have_decided) {
  run_in_process(2, {}, [](communicator& members) {
    std::vector<float> data(64, 1);
    call_options forced, repeatable, canonical, cut;
    forced.algorithm = "ring";
    repeatable.reproducibility = schedule::mode::run_to_run;
    canonical.reproducibility = schedule::mode::canonical;
    cut.segments = 2;
    for (const call_options& each : {forced, repeatable, canonical, cut}) members.all_reduce(data, op::sum, each);
    const std::int64_t counts[] = {32, 32};
    std::vector<float> part(32);
    members.reduce_scatter_v(data, part, counts);
    EXPECT_TRUE(members.refine({}).empty());
    members.all_reduce(data);
    EXPECT_TRUE(members.refine({.most_bytes = 255}).empty());
    EXPECT_EQ(members.refine({.budget = seconds{0.01}, .most_bytes = 256}).size(), 1u);
  });
}

TEST(refine, a_persistent_call_keeps_its_plan) {
  run_in_process(8, deceived(), [](communicator& members) {
    std::vector<std::int32_t> in(1 << 18, 1), out(1 << 18);
    persistent planned = members.persistent().all_reduce(in, out);
    const std::string before = planned.plan().algorithm;
    members.refine({.budget = seconds{0.1}});
    EXPECT_EQ(planned.plan().algorithm, before);
    planned.start();
    planned.wait();
    EXPECT_EQ(out, std::vector(out.size(), 8));
  });
}

TEST(refine, refuses_what_cannot_be_measured) {
  run_in_process(2, {}, [](communicator& members) {
    for (const refinement_options& bad : {refinement_options{.budget = seconds{0}}, refinement_options{.algorithms = 0},
                                          refinement_options{.worth = 0.9}})
      EXPECT_EQ(code_of(members, bad), errc::invalid_argument);
    std::vector<std::int32_t> data(64, 1);  // the messages of both fit each other
    members.all_reduce(data, members.rank() == rank(0) ? op::sum : op::max);
    EXPECT_EQ(code_of(members, {}), errc::mismatch);
  });
}

}  // namespace
}  // namespace hawser
