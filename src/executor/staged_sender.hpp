// The sending side of staged messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "staged_wire.hpp"

namespace hawser::executor {

/// Sends of one endpoint. Per peer, what goes on the caller's tags leaves in the caller's order; pieces leave in the
/// order in which they were granted.
class staged_sender {
 public:
  staged_sender(staged_ground& ground, pinned_pool& buffers, pinned_pool& small_buffers)
      : ground_(ground), buffers_(buffers), small_buffers_(small_buffers), copies_(ground.device) {}
  staged_sender(const staged_sender&) = delete;
  staged_sender& operator=(const staged_sender&) = delete;

  /// As the transport's.
  void send(rank peer, transport::tag match, std::span<const std::byte> bytes, transport::completion& done);
  copy_queue& copies() noexcept { return copies_; }
  /// Fails all messages to the peer, now and later. Those end when the transport below and the copies let go of them.
  void fail_peer(const transport::failure& why) { break_lane(lane_to(why.peer), why); }
  void fail_all(const transport::failure& why);

 private:
  struct lane;
  struct outgoing;
  /// What a message is told of by others.
  template <class Base>
  struct part : Base {
    outgoing* whole = nullptr;
  };
  /// A piece of a message that the receiver waits for. It is ready when its bytes can go out.
  struct piece : transport::completion, copy_work {
    outgoing* whole = nullptr;
    std::list<piece>::iterator self;
    std::span<const std::byte> bytes;
    pinned_buffer* through = nullptr;
    bool is_ready = false;
  };
  /// A message that does not go straight through. It ends when nothing holds it and it is sent, refused, or has failed.
  struct outgoing {
    lane* home = nullptr;
    std::list<outgoing>::iterator self;
    transport::tag match;
    std::span<const std::byte> bytes;
    transport::completion* done = nullptr;
    bool is_staged = false, is_long = false;
    bool is_ready = false;  // may go out on its tag
    bool is_sent = false;
    std::uint32_t number = 0;
    std::size_t granted = 0, sent = 0;
    int held = 0;  // transfers, copies and pieces that refer to it
    std::optional<transport::failure> why;
    part<transport::completion> first;  // itself, or its announcement
    part<copy_work> copied;             // of a small one
    pinned_buffer* through = nullptr;
    std::vector<std::byte> copy;
    announcement::text text{};
    std::list<piece> pieces;
  };
  /// All about one peer.
  struct lane : transport::completion {
    staged_sender* owner = nullptr;
    rank peer;
    std::list<outgoing> all;
    std::deque<outgoing*> leaving;                 // in the caller's order, not yet out
    std::map<std::uint32_t, outgoing*> ungranted;  // announced, and not granted in full
    std::deque<piece*> pieces;                     // in the order of their grants, not yet out
    std::uint32_t next_number = 0;
    bool is_listening = false;  // for a grant
    grant::text heard{};
    std::optional<transport::failure> broken;
  };

  lane& lane_to(rank peer);
  void let_out(lane& from);
  void post_first(outgoing& message);
  void listen(lane& at);
  void take(lane& at, const grant& given);
  void begin_small_copies();
  void begin_piece_copies();
  void let_pieces_out(lane& from);
  void end_piece(piece& ended);
  void break_lane(lane& broken, const transport::failure& why);
  void finish_if_over(outgoing& message);

  static void on_first(transport::completion& self, const transport::failure* failed);
  static void on_small_copied(copy_work& self, const transport::failure* failed);
  static void on_grant(transport::completion& self, const transport::failure* failed);
  static void on_piece_copied(copy_work& self, const transport::failure* failed);
  static void on_piece(transport::completion& self, const transport::failure* failed);

  staged_ground& ground_;
  pinned_pool& buffers_;
  pinned_pool& small_buffers_;
  std::map<rank, lane> lanes_;
  std::deque<outgoing*> want_small_;  // buffers
  std::deque<piece*> want_buffer_;
  copy_queue copies_;
};

}  // namespace hawser::executor
