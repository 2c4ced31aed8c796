// A job under attack: strangers make --connections real connections to its store's and its ranks' ports. None may be
// accepted, and the job must neither fail nor be wrong. Prints how fast it was meanwhile, and alone. [--seed N]
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <hawser/bootstrap/store.hpp>
#include <hawser/communicator/communicator.hpp>
#include <hawser/transport/tcp.hpp>

#include "stranger.hpp"

namespace {

using namespace hawser;
using clock = std::chrono::steady_clock;

const std::string secret = "the secret of the attacked job";
constexpr int ranks = 2;

/// What an honest rank would say in a handshake, recorded against an acceptor of this process.
std::pair<std::vector<std::byte>, std::vector<std::byte>> record(const introduction& self) {
  handshake initiator = handshake::initiate(secret, self), acceptor = handshake::accept(secret, self.purpose);
  const auto hello = initiator.output();
  const std::vector<std::byte> first(hello.begin(), hello.end());
  initiator.sent(first.size());
  acceptor.feed(first);
  const auto challenge = acceptor.output();
  initiator.feed(std::vector<std::byte>(challenge.begin(), challenge.end()));
  const auto proof = initiator.output();
  return {first, {proof.begin(), proof.end()}};
}

/// The attacked job: two ranks over TCP, each a thread that calls all_reduce until it is told to stop.
class job {
 public:
  job() : store_(served()) {
    for (int r = 0; r < ranks; ++r) threads_.emplace_back([this, r] { run(r); });
  }
  ~job() {
    is_over_ = true;
    for (std::thread& each : threads_) each.join();
  }
  int store_port() const { return store_.port(); }
  int rank_port() { return port_of_rank_0_.get_future().get(); }
  std::int64_t calls() const { return calls_; }
  std::string problem() {
    std::lock_guard lock(mutex_);
    return problem_;
  }

 private:
  static bootstrap::store_server_options served() {
    bootstrap::store_server_options options;
    options.size = ranks;
    options.secret = secret;
    return options;
  }

  /// TCP, which tells on what port it listens.
  communicator_options options_for() {
    transport::factory line = transport::tcp_factory();
    line.open = [this, open = line.open](const transport::endpoint_environment& told) {
      transport::endpoint_environment own = told;
      own.publish = [&, this](std::string_view key, std::string_view value) {
        if (key == "tcp/0") port_of_rank_0_.set_value(std::stoi(std::string(value.substr(value.find(' ') + 1))));
        told.publish(key, value);
      };
      return open(own);
    };
    communicator_options options;
    options.transports = {line};
    options.topology = "gpu:2";
    return options;
  }

  void run(int self) {
    try {
      bootstrap::store_options door;
      door.self = self;
      door.size = ranks;
      door.port = store_.port();
      door.secret = secret;
      door.server_rank.reset();
      communicator members(std::make_unique<bootstrap::store_bootstrap>(door), options_for());
      std::vector<std::int64_t> data(2048);
      for (std::int64_t call = 0;; ++call) {
        // The last element tells whether to go on, so that both stop after the same call.
        data.assign(data.size(), call);
        data.back() = is_over_ ? 1 : 0;
        members.all_reduce(data);
        if (data.front() != ranks * call) throw error(errc::internal, "a wrong result");
        if (self == 0) calls_ = call;
        if (data.back() > 0) return;
      }
    } catch (const std::exception& failed) {
      std::lock_guard lock(mutex_);
      problem_ = failed.what();
    }
  }

  bootstrap::store_server store_;
  std::promise<int> port_of_rank_0_;
  std::atomic<bool> is_over_{false};
  std::atomic<std::int64_t> calls_{0};
  std::mutex mutex_;
  std::string problem_;
  std::vector<std::thread> threads_;
};

/// The job's calls per second while `act` runs.
template <class Act>
double speed_during(job& attacked, Act&& act) {
  const auto began = clock::now();
  const std::int64_t before = attacked.calls();
  act();
  return static_cast<double>(attacked.calls() - before) / std::chrono::duration<double>(clock::now() - began).count();
}

/// The outcome of all attacks.
struct tally {
  std::int64_t made = 0, accepted = 0;
};

/// `count` connections, to store and rank in turn, of every kind in turn, at most `per_second`.
tally attack_with(std::deque<test::stranger>& strangers, std::int64_t count, double per_second) {
  tally seen;
  const auto began = clock::now();
  for (; seen.made < count; ++seen.made) {
    const auto kind = static_cast<test::attack>(seen.made / 2 % static_cast<std::int64_t>(test::attack::last));
    if (strangers[static_cast<std::size_t>(seen.made % 2)].try_one(kind)) {
      ++seen.accepted;
      std::printf("hostile: ACCEPTED: %s\n", test::to_string(kind));
    }
    std::this_thread::sleep_until(began + std::chrono::duration<double>(static_cast<double>(seen.made) / per_second));
  }
  return seen;
}

std::int64_t option(int count, char** arguments, const char* name, std::int64_t otherwise) {
  for (int i = 1; i + 1 < count; ++i)
    if (std::strcmp(arguments[i], name) == 0) return std::atoll(arguments[i + 1]);
  return otherwise;
}

}  // namespace

int main(int count, char** arguments) {
  const std::int64_t connections = option(count, arguments, "--connections", 3'000);
  const auto per_second = static_cast<double>(option(count, arguments, "--per-second", 2'000));
  const auto seed = static_cast<std::uint64_t>(option(count, arguments, "--seed", 1));
  std::printf("hostile: seed %llu, %lld connections, at most %.0f a second\n", static_cast<unsigned long long>(seed),
              static_cast<long long>(connections), per_second);
  job attacked;
  const introduction of_store{service::store, rank(1), rank(0), ranks},
      of_rank{service::transport, rank(1), rank(0), ranks};
  std::deque<test::stranger> strangers;
  auto [store_hello, store_proof] = record(of_store);
  auto [rank_hello, rank_proof] = record(of_rank);
  strangers.emplace_back(attacked.store_port(), of_store, store_hello, store_proof, seed);
  strangers.emplace_back(attacked.rank_port(), of_rank, rank_hello, rank_proof, seed + 1);
  // In turns, so that other load of the machine weighs on both alike.
  constexpr int turns = 6;
  const std::chrono::duration<double> pause(static_cast<double>(connections) / turns / per_second);
  double alone = 0, under_attack = 0;
  tally all;
  for (int turn = 0; turn < turns; ++turn) {
    alone += speed_during(attacked, [&] { std::this_thread::sleep_for(pause); });
    under_attack += speed_during(attacked, [&] {
      const tally seen = attack_with(strangers, connections / turns, per_second);
      all.made += seen.made;
      all.accepted += seen.accepted;
    });
  }
  const std::string problem = attacked.problem();
  std::printf(
      "hostile: %lld connections, %lld refused by the kernel, %lld accepted; the job made %.0f calls/s alone, %.0f "
      "under attack (%+.1f %%)%s%s\n",
      static_cast<long long>(all.made), static_cast<long long>(strangers[0].refused() + strangers[1].refused()),
      static_cast<long long>(all.accepted), alone / turns, under_attack / turns, 100 * (under_attack / alone - 1),
      problem.empty() ? "" : "; IT FAILED: ", problem.c_str());
  return all.accepted == 0 && problem.empty() && attacked.calls() > 0 ? 0 : 1;
}
