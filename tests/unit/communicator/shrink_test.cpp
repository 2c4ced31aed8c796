// Threads as ranks: survivors get one communicator that works, whoever dies and whenever; part of the TSan runs.
#include <hawser/communicator/in_process.hpp>

#include <gtest/gtest.h>

#include <barrier>
#include <thread>
#include <vector>

namespace hawser {
namespace {

using namespace std::chrono_literals;

/// Threads over one in-process job, whose ranks the test may declare dead.
class elastic_job {
 public:
  explicit elastic_job(int size)
      : size_(size),
        job_(bootstrap::in_process_job::create(size)),
        hub_(std::make_shared<transport::in_process_hub>(size)) {}

  bootstrap::in_process_job& job() { return *job_; }
  communicator_options options() const {
    communicator_options told;
    told.topology = "rack:[" + std::to_string(size_ / 2) + "," + std::to_string(size_ - size_ / 2) + "]";
    told.transports = {transport::in_process_factory(hub_)};
    return told;
  }

  /// Runs `body(members, rank)` on one thread per rank; a body that throws fails the test.
  template <class Body>
  void run(Body&& body) {
    std::vector<std::thread> threads;
    for (int r = 0; r < size_; ++r)
      threads.emplace_back([&, r] {
        try {
          communicator members(job_->join(r), options());
          body(members, r);
        } catch (const std::exception& failed) {
          ADD_FAILURE() << "rank " << r << ": " << failed.what();
        }
      });
    for (std::thread& each : threads) each.join();
  }

 private:
  int size_;
  std::shared_ptr<bootstrap::in_process_job> job_;
  std::shared_ptr<transport::in_process_hub> hub_;
};

/// Sums and an exchange whose results depend on every rank's number before.
void expect_works(communicator& members, const std::vector<rank>& old_ranks) {
  ASSERT_EQ(members.size(), static_cast<int>(old_ranks.size()));
  const int mine = old_ranks[static_cast<std::size_t>(members.rank().value)].value;
  std::vector<std::int32_t> sums(1000, mine);
  members.all_reduce(sums);
  std::int32_t expected = 0;
  for (const rank each : old_ranks) expected += each.value;
  EXPECT_EQ(sums, std::vector<std::int32_t>(1000, expected));
  std::vector<std::int32_t> out(old_ranks.size()), in(old_ranks.size());
  for (std::size_t r = 0; r < out.size(); ++r) out[r] = 100 * mine + old_ranks[r].value;
  members.all_to_all(out, in);
  for (std::size_t r = 0; r < in.size(); ++r) EXPECT_EQ(in[r], 100 * old_ranks[r].value + mine);
}

/// The calls that the victim makes before it dies, and those that the others are in when it does.
void work(communicator& members, int rounds) {
  std::vector<float> data(5000, 1.0F);
  for (int round = 0; round < rounds; ++round) members.all_reduce(data, op::max);
}
void work_until_error(communicator& members) {
  EXPECT_THROW(work(members, 1'000'000'000), error);
}

TEST(shrink, survivors_of_each_death_go_on) {
  for (const int size : {2, 3, 4, 5, 8})
    for (int dead = 0; dead < size; ++dead) {
      SCOPED_TRACE("rank " + std::to_string(dead) + " of " + std::to_string(size));
      elastic_job ranks(size);
      ranks.run([&](communicator& members, int r) {
        if (r == dead) return work(members, 3), ranks.job().declare_dead(r, "killed by the test");
        work_until_error(members);
        shrunk_communicator left = members.shrink();
        ASSERT_EQ(left.lost.size(), 1u);
        EXPECT_EQ(left.lost[0].number, rank(dead));
        EXPECT_EQ(left.lost[0].reason, "killed by the test");
        EXPECT_EQ(left.old_ranks[static_cast<std::size_t>(left.members->rank().value)], rank(r));
        EXPECT_EQ(left.members->hierarchy().size(), size - 1);
        expect_works(*left.members, left.old_ranks);
      });
    }
}

TEST(shrink, of_a_shrunk_communicator_and_again) {
  constexpr int size = 5;
  elastic_job ranks(size);
  ranks.run([&](communicator& first, int r) {
    std::vector<rank> original(size);
    for (int i = 0; i < size; ++i) original[static_cast<std::size_t>(i)] = rank(i);
    std::unique_ptr<communicator> members;
    communicator* now = &first;
    for (const int dead : {3, 0, 4}) {
      if (r == dead) return work(*now, 3), ranks.job().declare_dead(r);
      work_until_error(*now);
      shrunk_communicator left = now->shrink();
      std::vector<rank> renamed;
      for (const rank old : left.old_ranks) renamed.push_back(original[static_cast<std::size_t>(old.value)]);
      original = renamed;
      members = std::move(left.members);
      now = members.get();
      expect_works(*now, original);
    }
    EXPECT_EQ(original, (std::vector<rank>{1, 2}));
  });
}

/// Another rank dies when it has come as far as the stage says.
TEST(shrink, a_death_during_the_agreement_is_left_out_too) {
  for (const auto stage : {recovery_stage::ended, recovery_stage::agreed, recovery_stage::opened})
    for (const int second : {0, 2, 4}) {
      SCOPED_TRACE("stage " + std::to_string(static_cast<int>(stage)) + ", rank " + std::to_string(second));
      elastic_job ranks(5);
      ranks.run([&](communicator& members, int r) {
        if (r == 1) return work(members, 3), ranks.job().declare_dead(r);
        work_until_error(members);
        struct killed {};
        recovery_options options;
        options.observer = [&](recovery_stage now) {
          if (r != second || now != stage) return;
          ranks.job().declare_dead(r);
          throw killed();
        };
        try {
          shrunk_communicator left = members.shrink(options);
          EXPECT_NE(r, second);
          EXPECT_EQ(left.lost.size(), 2u);
          expect_works(*left.members, left.old_ranks);
        } catch (const killed&) {
          EXPECT_EQ(r, second);
        }
      });
    }
}

TEST(shrink, pending_calls_end_with_an_error_before) {
  elastic_job ranks(3);
  ranks.run([&](communicator& members, int r) {
    std::vector<double> data(100'000, 1.0);
    if (r == 2) return ranks.job().declare_dead(r);
    pending under_way = members.async().all_reduce(data);
    pending message = members.receive_async(data, 1 - r);
    shrunk_communicator left = members.shrink();
    EXPECT_THROW(under_way.wait(), error);
    EXPECT_THROW(message.wait(), error);
    expect_works(*left.members, left.old_ranks);
    EXPECT_THROW(members.barrier(), error);
    EXPECT_THROW(members.shrink(), error);
  });
}

TEST(shrink, after_an_abort_everybody_survives) {
  elastic_job ranks(4);
  std::barrier all(4);
  ranks.run([&](communicator& members, int r) {
    if (r == 2) members.abort("the loss is not a number");
    work_until_error(members);
    shrunk_communicator left = members.shrink();
    EXPECT_TRUE(left.lost.empty());
    expect_works(*left.members, left.old_ranks);
    all.arrive_and_wait();  // the next abort is another one
    if (r == 1) left.members->abort("again");
    work_until_error(*left.members);
    shrunk_communicator again = left.members->shrink();
    expect_works(*again.members, again.old_ranks);
  });
}

TEST(shrink, a_minority_may_not_go_on) {
  elastic_job ranks(5);
  ranks.run([&](communicator& members, int r) {
    if (r >= 2) return ranks.job().declare_unreachable(r, "no sign of life");  // the agreement waits for all three
    work_until_error(members);
    try {
      members.shrink();
      ADD_FAILURE() << "a minority went on";
    } catch (const error& refused) {
      EXPECT_EQ(refused.code(), errc::peer_failed);
      EXPECT_NE(std::string(refused.what()).find("majority"), std::string::npos) << refused.what();
      EXPECT_NE(std::string(refused.what()).find("2, 3, 4"), std::string::npos) << refused.what();
    }
  });
}

TEST(shrink, half_of_the_ranks_go_on_where_they_have_the_lowest) {
  for (const bool has_lowest : {true, false}) {
    elastic_job ranks(4);
    ranks.run([&](communicator& members, int r) {
      if ((r < 2) != has_lowest) return ranks.job().declare_unreachable(r);
      work_until_error(members);
      if (has_lowest)
        EXPECT_EQ(members.shrink().members->size(), 2);
      else
        EXPECT_THROW(members.shrink(), error);
    });
  }
}

TEST(shrink, whoever_was_given_up_is_told_so) {
  elastic_job ranks(3);
  ranks.run([&](communicator& members, int r) {
    if (r == 1) {
      ranks.job().declare_unreachable(1);
      try {
        members.shrink();
        ADD_FAILURE();
      } catch (const error& refused) {
        EXPECT_EQ(refused.code(), errc::peer_failed);
        EXPECT_EQ(refused.peer(), rank(1));
      }
      return;
    }
    work_until_error(members);
    shrunk_communicator left = members.shrink();
    EXPECT_FALSE(left.lost.at(0).is_certain);
    expect_works(*left.members, left.old_ranks);
  });
}

TEST(shrink, a_rank_that_does_not_come_is_named) {
  elastic_job ranks(3);
  std::barrier all(3);
  ranks.run([&](communicator& members, int r) {
    recovery_options options;
    options.timeout = 200ms;
    if (r == 0) members.abort("for the test");
    if (r == 2) return all.arrive_and_wait();
    try {
      members.shrink(options);
      ADD_FAILURE();
    } catch (const error& late) {
      EXPECT_EQ(late.code(), errc::timeout);
      EXPECT_NE(std::string(late.what()).find("ranks 2 are alive"), std::string::npos) << late.what();
    }
    all.arrive_and_wait();
  });
}

TEST(grow, newcomers_stand_behind_the_ranks_that_were_there) {
  elastic_job ranks(3);
  std::vector<std::thread> newcomers;
  for (int i = 0; i < 2; ++i)
    newcomers.emplace_back([&] {
      const auto grown = communicator::join(ranks.job().join_newcomer(), ranks.options());
      EXPECT_GE(grown->rank().value, 3);
      expect_works(*grown, {0, 1, 2, 3, 4});
    });
  ranks.run([&](communicator& members, int r) {
    const auto grown = members.grow(2);
    EXPECT_EQ(grown->rank(), rank(r));
    expect_works(*grown, {0, 1, 2, 3, 4});
    expect_works(members, {0, 1, 2});
  });
  for (std::thread& each : newcomers) each.join();
}

TEST(grow, without_newcomers_it_ends_on_all_and_the_old_one_goes_on) {
  elastic_job ranks(3);
  ranks.run([&](communicator& members, int) {
    recovery_options options;
    options.timeout = 100ms;
    try {
      members.grow(1, options);
      ADD_FAILURE();
    } catch (const error& alone) {
      EXPECT_EQ(alone.code(), errc::timeout);
      EXPECT_NE(std::string(alone.what()).find("newcomers"), std::string::npos) << alone.what();
    }
    expect_works(members, {0, 1, 2});
    EXPECT_THROW(members.grow(0), error);
  });
}

TEST(grow, after_a_loss_and_a_loss_after_that) {
  elastic_job ranks(3);
  std::thread newcomer([&] {
    const auto grown = communicator::join(ranks.job().join_newcomer(), ranks.options());
    work_until_error(*grown);
    const shrunk_communicator left = grown->shrink();
    EXPECT_EQ(left.old_ranks, (std::vector<rank>{1, 2}));
    expect_works(*left.members, left.old_ranks);
  });
  ranks.run([&](communicator& members, int r) {
    if (r == 1) return work(members, 3), ranks.job().declare_dead(r);
    work_until_error(members);
    const auto grown = members.shrink().members->grow(1);
    if (r == 0) return work(*grown, 3), ranks.job().declare_dead(r);
    work_until_error(*grown);
    const shrunk_communicator left = grown->shrink();
    EXPECT_EQ(left.old_ranks, (std::vector<rank>{1, 2}));
    expect_works(*left.members, left.old_ranks);
  });
  newcomer.join();
}

TEST(shrink, of_a_part_takes_the_part_s_survivors) {
  elastic_job ranks(6);
  ranks.run([&](communicator& members, int r) {
    const auto part = members.split(r % 2, -r);  // 5 3 1 and 4 2 0
    if (r == 3) return work(*part, 3), ranks.job().declare_dead(r);
    work_until_error(*part);
    shrunk_communicator left = part->shrink();
    std::vector<rank> in_world;
    for (const rank old : left.old_ranks) in_world.emplace_back(4 + r % 2 - 2 * old.value);
    EXPECT_EQ(in_world, r % 2 == 1 ? (std::vector<rank>{5, 1}) : (std::vector<rank>{4, 2, 0}));
    expect_works(*left.members, in_world);
  });
}

}  // namespace
}  // namespace hawser
