// Ranks that disagree on a count get an error, all of them: none hangs, and no message is left for a later call.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <string>

#include <support/threads_over.hpp>

namespace hawser {
namespace {

using buffer = std::vector<float>;

/// One form of a collective, called with `count` elements per block.
struct form {
  std::string name;
  void (*run)(communicator& members, std::int64_t count);
};

buffer of(std::int64_t elements) {
  return buffer(static_cast<std::size_t>(elements), 1.0F);
}

std::vector<std::int64_t> blocks_of(communicator& members, std::int64_t count) {
  return std::vector<std::int64_t>(static_cast<std::size_t>(members.size()), count);
}

const std::vector<form>& forms_without_root() {
  static const std::vector<form> all{
      {"all_reduce",
       [](communicator& members, std::int64_t n) {
         buffer data = of(n);
         members.all_reduce(data);
       }},
      {"reduce_scatter",
       [](communicator& members, std::int64_t n) {
         buffer out = of(n);
         members.reduce_scatter(of(n * members.size()), out);
       }},
      {"reduce_scatter_v",
       [](communicator& members, std::int64_t n) {
         buffer out = of(n);
         members.reduce_scatter_v(of(n * members.size()), out, blocks_of(members, n));
       }},
      {"all_gather",
       [](communicator& members, std::int64_t n) {
         buffer out = of(n * members.size());
         members.all_gather(of(n), out);
       }},
      {"all_gather_v",
       [](communicator& members, std::int64_t n) {
         buffer out = of(n * members.size());
         members.all_gather_v(of(n), out, blocks_of(members, n));
       }},
      {"all_to_all",
       [](communicator& members, std::int64_t n) {
         buffer out = of(n * members.size());
         members.all_to_all(of(n * members.size()), out);
       }},
  };
  return all;
}

const std::vector<form>& forms_with_root() {
  static const std::vector<form> all{
      {"broadcast",
       [](communicator& members, std::int64_t n) {
         buffer data = of(n);
         members.broadcast(data, 0);
       }},
      {"reduce",
       [](communicator& members, std::int64_t n) {
         buffer out = of(n);
         members.reduce(of(n), out, 0);
       }},
      {"gather",
       [](communicator& members, std::int64_t n) {
         buffer out = of(n * members.size());
         members.gather(of(n), out, 0);
       }},
      {"gather_v",
       [](communicator& members, std::int64_t n) {
         buffer out = of(n * members.size());
         members.gather_v(of(n), out, blocks_of(members, n), 0);
       }},
      {"scatter",
       [](communicator& members, std::int64_t n) {
         buffer out = of(n);
         members.scatter(of(n * members.size()), out, 0);
       }},
      {"scatter_v",
       [](communicator& members, std::int64_t n) {
         buffer out = of(n);
         members.scatter_v(of(n * members.size()), blocks_of(members, n), out, 0);
       }},
  };
  return all;
}

std::vector<form> forms() {
  std::vector<form> all = forms_without_root();
  all.insert(all.end(), forms_with_root().begin(), forms_with_root().end());
  return all;
}

/// Runs a body on all ranks that ends in an error on each, at least one of them a mismatch; a time-out is none of
/// those.
template <class Body>
void expect_mismatch(const std::string& transport, int size, Body&& body) {
  communicator_options options;
  options.peer_timeout = milliseconds(400);  // calls are compared after a quarter of it
  options.operation_timeout = milliseconds(30'000);
  options.abort_timeout = milliseconds(200);
  std::atomic<int> mismatches{0}, others{0};
  test::run_threads_over(transport, size, options, [&](communicator& members) {
    try {
      body(members);
      members.barrier();
    } catch (const error& raised) {
      if (raised.code() == errc::mismatch)
        ++mismatches;
      else if (raised.code() == errc::aborted || raised.code() == errc::peer_failed)
        ++others;
      else
        ADD_FAILURE() << raised.what();
    }
  });
  EXPECT_GE(mismatches, 1);
  EXPECT_EQ(mismatches + others, size);
}

TEST(count_mismatch, one_rank_has_nothing_and_the_others_something) {
  for (const std::string& transport : test::thread_transports())
    for (const form& each : forms())
      for (int size : {2, 4})
        for (int empty : {0, size - 1}) {
          SCOPED_TRACE(transport + " " + each.name + ", rank " + std::to_string(empty) + " of " + std::to_string(size));
          expect_mismatch(transport, size,
                          [&](communicator& members) { each.run(members, members.rank() == rank(empty) ? 0 : 100); });
        }
}

TEST(count_mismatch, one_rank_has_something_and_the_others_nothing) {
  for (const form& each : forms()) {
    SCOPED_TRACE(each.name);
    expect_mismatch("in_process", 3,
                    [&](communicator& members) { each.run(members, members.rank() == rank(0) ? 100 : 0); });
  }
}

/// Fewer elements than ranks: some intervals of the shorter vector are empty, those of the longer one are not.
TEST(count_mismatch, one_element_against_two) {
  for (const form& each : forms())
    for (int odd : {0, 1}) {
      SCOPED_TRACE(each.name);
      expect_mismatch("in_process", 2,
                      [&](communicator& members) { each.run(members, members.rank() == rank(odd) ? 1 : 2); });
    }
}

/// What rank 0 sends to rank 1 is not what rank 1 expects from it.
void exchange(communicator& members, std::int64_t sent_to_1, std::int64_t expected_from_0, const char* algorithm) {
  const auto self = members.rank().value;
  auto sent = blocks_of(members, 1), received = blocks_of(members, 1);
  if (self == 0) sent[1] = sent_to_1;
  if (self == 1) received[0] = expected_from_0;
  const auto sum = [](const auto& counts) { return std::accumulate(counts.begin(), counts.end(), std::int64_t{0}); };
  buffer output = of(sum(received));
  call_options forced;
  forced.algorithm = algorithm;
  members.all_to_all_v(of(sum(sent)), sent, output, received, forced);
}

TEST(count_mismatch, of_private_counts_and_nothing) {
  for (const std::string& transport : test::thread_transports())
    for (const char* algorithm : {"pairwise", "bruck"})
      for (const auto& [sent, expected] : {std::pair{0, 5}, std::pair{5, 0}, std::pair{4, 5}}) {
        SCOPED_TRACE(transport + " " + algorithm + " " + std::to_string(sent) + " " + std::to_string(expected));
        expect_mismatch(transport, 3, [&](communicator& members) { exchange(members, sent, expected, algorithm); });
      }
}

TEST(count_mismatch, of_gathers_and_scatters_whose_root_knows) {
  for (const std::string& transport : test::thread_transports())
    for (const auto& [own, at_root] : {std::pair{0, 5}, std::pair{5, 0}})
      for (bool gathers : {true, false}) {
        SCOPED_TRACE(transport + (gathers ? " gather_v" : " scatter_v"));
        expect_mismatch(transport, 3, [&](communicator& members) {
          auto blocks = blocks_of(members, 2);
          blocks[1] = at_root;
          const std::int64_t mine = members.rank() == rank(1) ? own : 2, all = 4 + at_root;
          buffer one = of(mine), whole = of(all);
          if (gathers)
            members.gather_v(one, whole, blocks, 0);
          else
            members.scatter_v(whole, blocks, one, 0);
        });
      }
}

TEST(count_mismatch, of_messages) {
  for (const std::string& transport : test::thread_transports())
    for (const auto& [sent, received] : {std::pair{0, 5}, std::pair{5, 0}, std::pair{4, 5}, std::pair{200'000, 7}}) {
      SCOPED_TRACE(transport + " " + std::to_string(sent) + " " + std::to_string(received));
      expect_mismatch(transport, 2, [&](communicator& members) {
        buffer data = of(members.rank() == rank(0) ? sent : received);
        members.rank() == rank(0) ? members.send(data, 1) : members.receive(data, 0);
      });
    }
}

TEST(count_zero, on_all_ranks_is_a_call_like_any_other) {
  for (const std::string& transport : test::thread_transports())
    test::run_threads_over(transport, 5, {}, [](communicator& members) {
      for (const form& each : forms()) each.run(members, 0);
      buffer data = of(10);
      members.all_reduce(data);
      ASSERT_EQ(data, buffer(10, 5.0F));
    });
}

}  // namespace
}  // namespace hawser
