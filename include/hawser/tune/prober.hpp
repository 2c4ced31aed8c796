// Measures the way between ranks: rank 0 conducts, the others do what it tells them. Knows messages only.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <hawser/core/error.hpp>
#include <hawser/tune/instruments.hpp>
#include <hawser/tune/probe_order.hpp>
#include <hawser/tune/reduction_speed.hpp>

namespace hawser::tune {

/// One rank's part. `Communicator` has rank, size, send and receive as `hawser::communicator`, `Group` is its `group`.
/// All ranks make one at the same time: rank 0 measures through `tools()` and calls `end`, the others `serve`. No
/// other message of the communicator is under way meanwhile. Throws as its messages do.
template <class Communicator, class Group>
class prober {
 public:
  explicit prober(Communicator& members) : members_(members) {}

  /// Does what rank 0 says, and returns the text that it ends with.
  std::string serve() {
    for (;;) {
      const auto order = receive_one<detail::probe_order>(0);
      if (order.what == detail::probe::end) {
        std::vector<std::uint8_t> text(static_cast<std::size_t>(order.bytes));
        members_.receive(text, 0, detail::probe_label);
        return {text.begin(), text.end()};
      }
      const double result = perform(order, [&] {
        send_one(std::uint8_t{1}, 0);
        (void)receive_one<std::uint8_t>(0);
      });
      if (order.reports()) send_one(result, 0);
    }
  }

  /// On rank 0: lets the others go, with a text.
  void end(const std::string& text) {
    const detail::probe_order order{.what = detail::probe::end, .bytes = static_cast<std::int64_t>(text.size())};
    const std::vector<std::uint8_t> data(text.begin(), text.end());
    Group all(members_);
    for (int r = 1; r < members_.size(); ++r) {
      all.send(as_bytes(order), r, detail::probe_label);
      all.send(data, r, detail::probe_label);
    }
    all.wait();
  }

  /// On rank 0; valid as long as this. `pings` round trips, none begun after `ping_seconds`, or
  /// bursts of as many messages, make one figure.
  instruments tools(int pings, double ping_seconds) {
    using detail::probe;
    const auto begin = now();
    return {[=, this](link_pairs between) {
              return in_pairs(between, probe::ping, probe::answer_pings, pings, ping_seconds);
            },
            [=, this](link_pairs between) { return in_pairs(between, probe::burst, probe::swallow, pings, 0); },
            [this](link_pairs streams, std::int64_t bytes) { return stream(streams, bytes); },
            [this] { return reduce_everywhere(); }, [=] { return seconds_since(begin); }};
  }

 private:
  using clock = std::chrono::steady_clock;
  static clock::time_point now() { return clock::now(); }
  static double seconds_since(clock::time_point begin) { return std::chrono::duration<double>(now() - begin).count(); }

  template <class T>
  static std::span<const std::uint8_t> as_bytes(const T& value) {
    return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
  }
  template <class T>
  void send_one(const T& value, int to, std::uint16_t label = detail::probe_label) {
    members_.send(as_bytes(value), to, label);
  }
  template <class T>
  T receive_one(int from, std::uint16_t label = detail::probe_label) {
    T value{};
    members_.receive(std::span(reinterpret_cast<std::uint8_t*>(&value), sizeof value), from, label);
    return value;
  }

  std::vector<double> in_pairs(link_pairs between, detail::probe asks, detail::probe answers, int repetitions,
                               double limit) {
    std::map<int, detail::probe_order> orders;
    for (const link_pair& each : between) {
      orders[each.from] = {.what = asks, .repetitions = repetitions, .limit = limit, .peers = {each.to}};
      orders[each.to] = {.what = answers, .repetitions = repetitions, .peers = {each.from}};
    }
    std::map<int, double> results = conduct(orders);
    std::vector<double> listed;
    for (const link_pair& each : between) listed.push_back(results[each.from]);
    return listed;
  }

  std::vector<double> stream(link_pairs streams, std::int64_t bytes) {
    std::map<int, detail::probe_order> orders;
    for (const link_pair& each : streams) {
      detail::probe_order& sender = orders[each.from];
      if (sender.send_to >= 0) fail(errc::internal, "a probe has two streams from one rank");
      sender.send_to = each.to;
      detail::probe_order& receiver = orders[each.to];
      if (receiver.receives > detail::most_senders) fail(errc::internal, "a probe has too many streams into one rank");
      receiver.peers[static_cast<std::size_t>(receiver.receives++)] = each.from;
    }
    for (auto& [at, order] : orders) order.what = detail::probe::stream, order.bytes = bytes;
    std::map<int, double> results = conduct(orders);
    std::vector<double> listed;
    for (const link_pair& each : streams) listed.push_back(results[each.from]);
    return listed;
  }

  std::vector<double> reduce_everywhere() {
    std::map<int, detail::probe_order> orders;
    for (int r = 0; r < members_.size(); ++r) orders[r].what = detail::probe::reduce;
    std::vector<double> listed;
    for (const auto& [at, rate] : conduct(orders)) listed.push_back(rate);
    return listed;
  }

  /// One round: all prepare, all start together, some report.
  std::map<int, double> conduct(const std::map<int, detail::probe_order>& orders) {
    {
      Group all(members_);
      for (const auto& [at, order] : orders)
        if (at != 0) all.send(as_bytes(order), at, detail::probe_label);
      all.wait();
    }
    const auto all_start = [&] {
      for (const auto& [at, order] : orders)
        if (at != 0) (void)receive_one<std::uint8_t>(at);
      const std::uint8_t go = 1;
      Group all(members_);
      for (const auto& [at, order] : orders)
        if (at != 0) all.send(as_bytes(go), at, detail::probe_label);
      all.wait();
    };
    std::map<int, double> results;
    const auto own = orders.find(0);
    if (own == orders.end())
      all_start();
    else
      results[0] = perform(own->second, all_start);
    for (const auto& [at, order] : orders)
      if (at != 0 && order.reports()) results[at] = receive_one<double>(at);
    return results;
  }

  /// Does one order; `start` returns when all are ready.
  template <class Start>
  double perform(const detail::probe_order& order, Start&& start) {
    if (order.what == detail::probe::stream) return do_stream(order, start);
    start();
    const int peer = order.peers[0];
    switch (order.what) {
      case detail::probe::ping: return do_pings(peer, order.repetitions, order.limit);
      case detail::probe::answer_pings: return answer_pings(peer);
      case detail::probe::burst:
      case detail::probe::swallow: return do_burst(peer, order.repetitions, order.what == detail::probe::burst);
      case detail::probe::reduce: return measure_reduction();
      default: fail(errc::internal, "an unknown probe is asked for");
    }
  }

  /// Each ping says whether another one follows.
  double do_pings(int peer, int repetitions, double limit) {
    double lowest = 0;
    const auto first = now();
    for (int left = repetitions; left > 0; --left) {
      if (seconds_since(first) > limit) left = 1;
      const auto begin = now();
      send_one(static_cast<std::uint8_t>(left > 1), peer, detail::data_label);
      (void)receive_one<std::uint8_t>(peer, detail::data_label);
      const double half = seconds_since(begin) / 2;
      lowest = lowest == 0 ? half : std::min(lowest, half);
    }
    return lowest;
  }
  double answer_pings(int peer) {
    std::uint8_t follows = 1;
    while (follows != 0) {
      follows = receive_one<std::uint8_t>(peer, detail::data_label);
      send_one(follows, peer, detail::data_label);
    }
    return 0;
  }

  /// As many messages at once as repetitions, three times; the lowest counts.
  double do_burst(int peer, int messages, bool sends) {
    constexpr int tries = 3;
    double lowest = 0;
    for (int i = 0; i < tries; ++i) {
      std::vector<std::uint8_t> data(static_cast<std::size_t>(messages));
      const auto begin = now();
      Group all(members_);
      for (std::uint8_t& each : data) {
        if (sends)
          all.send(std::span<const std::uint8_t>(&each, 1), peer, detail::data_label);
        else
          all.receive(std::span(&each, 1), peer, detail::data_label);
      }
      all.wait();
      if (sends)
        (void)receive_one<std::uint8_t>(peer, detail::data_label);
      else
        send_one(std::uint8_t{0}, peer, detail::data_label);
      const double each = seconds_since(begin) / messages;
      lowest = i == 0 ? each : std::min(lowest, each);
    }
    return lowest;
  }

  /// The sender's clock counts, until it has the receiver's word that all is there: what arrives late, on either side,
  /// can only make the rate too low, never too high.
  template <class Start>
  double do_stream(const detail::probe_order& order, Start&& start) {
    const auto bytes = static_cast<std::size_t>(order.bytes);
    if (order.send_to >= 0 && sent_.size() < bytes) sent_.resize(bytes);
    if (order.receives > 0 && received_.size() < bytes) received_.resize(bytes);
    Group arriving(members_), leaving(members_), confirmed(members_);
    for (int i = 0; i < order.receives; ++i) post(arriving, received_, bytes, order.peers[static_cast<std::size_t>(i)]);
    std::uint8_t word = 0;
    if (order.send_to >= 0) confirmed.receive(std::span(&word, 1), order.send_to, detail::data_label);
    start();
    const auto begin = now();
    if (order.send_to >= 0) post(leaving, std::as_const(sent_), bytes, order.send_to);
    if (order.receives > 0) {
      arriving.wait();
      const std::uint8_t done = 1;
      Group words(members_);
      for (int i = 0; i < order.receives; ++i)
        words.send(as_bytes(done), order.peers[static_cast<std::size_t>(i)], detail::data_label);
      words.wait();
    }
    leaving.wait();
    confirmed.wait();
    return static_cast<double>(bytes) / seconds_since(begin);
  }

  /// In pieces, as collectives send their segments.
  template <class Buffer>
  static void post(Group& transfers, Buffer& buffer, std::size_t bytes, int peer) {
    constexpr std::size_t piece = 128 * 1024;
    for (std::size_t at = 0; at < bytes; at += piece) {
      const auto part = std::span(buffer).subspan(at, std::min(piece, bytes - at));
      if constexpr (std::is_const_v<Buffer>)
        transfers.send(part, peer, detail::data_label);
      else
        transfers.receive(part, peer, detail::data_label);
    }
  }

  Communicator& members_;
  std::vector<std::uint8_t> sent_, received_;
};

}  // namespace hawser::tune
