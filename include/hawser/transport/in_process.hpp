// Threads as ranks: a receiver copies, or reduces, straight from the sender's buffer. Part of hawser::runtime.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/transport/endpoint.hpp>
#include <hawser/transport/matching.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::transport {

/// What the ranks of one process share: a mailbox per rank. It lives as long as any endpoint.
class in_process_hub {
 public:
  /// Throws errc::invalid_argument for a size below one, errc::resource when descriptors are used up.
  explicit in_process_hub(int size);
  ~in_process_hub();

  /// Ranks that share it.
  int size() const noexcept;
  /// The hub of a communicator that came out of this one's job, the same for all that name it.
  std::shared_ptr<in_process_hub> successor(const std::string& incarnation, int size);

 private:
  friend class in_process_transport;
  struct mailbox;
  struct letter;
  struct parcel;
  std::vector<std::unique_ptr<mailbox>> mailboxes_;
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<in_process_hub>> successors_;  // under mutex_
};

/// One rank's endpoint. Each endpoint is used by one thread at a time, different endpoints by different threads.
///
/// A send stays in the sender's memory until the receiver has fetched it and said so; its completion is called from
/// the sender's own `progress`. A sender may take a message back (peer_failed, shutdown) as long as nobody reads it; in
/// that case it waits for the reader, which is copying that moment. Messages to an endpoint that was shut down, and
/// receives from it that nothing can satisfy any more, fail with errc::peer_failed.
class in_process_transport {
 public:
  /// Each rank of the hub is opened at most once.
  in_process_transport(std::shared_ptr<in_process_hub> hub, rank self);
  ~in_process_transport();
  in_process_transport(in_process_transport&&) = delete;

  std::string_view name() const noexcept { return "in_process"; }
  /// As the concept `transport` says.
  void send(rank peer, tag match, std::span<const std::byte> bytes, completion& done);
  void receive(rank peer, tag match, sink into, completion& done);
  bool progress();
  bool arm();
  int wait_descriptor() const noexcept;
  bool consumes_in_place(rank) const noexcept { return true; }
  bool reaches(rank peer) const noexcept { return peer.value >= 0 && peer.value < hub_->size(); }
  void peer_failed(const failure& why);
  void shutdown();

 private:
  using hub = in_process_hub;

  match_queue& queue_of(rank peer);
  hub::mailbox& mailbox_of(rank peer);
  hub::parcel& new_parcel(rank peer, std::span<const std::byte> bytes, completion& done);
  void open_letter(const hub::letter& letter);
  void fetch(match_queue& queue, arrival& message);
  void answer(hub::parcel& parcel, bool is_delivered);
  static hub::parcel& parcel_of(const arrival& offered);
  void refuse(hub::parcel& parcel);
  void take_back(hub::parcel& parcel, const failure& why);

  std::shared_ptr<in_process_hub> hub_;
  rank self_;
  hub::mailbox* own_;
  std::vector<std::unique_ptr<match_queue>> queues_;  // by peer, made on first use
  std::vector<hub::letter> inbox_;                    // what progress has taken out of the mailbox
  std::optional<failure> closed_;
};

static_assert(transport<in_process_transport>);

/// Makes the endpoints of a process with `size` ranks, in rank order.
std::vector<any_transport> in_process_endpoints(int size);

/// A registry line whose `open` gives rank `environment.self` its endpoint of that hub.
factory in_process_factory(std::shared_ptr<in_process_hub> hub);

}  // namespace hawser::transport
