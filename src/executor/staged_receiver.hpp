// The receiving side of staged messages: it decides how a message is cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "staged_wire.hpp"

namespace hawser::executor {

/// Receives of one endpoint. What is posted on the caller's tags is posted at once and takes no pinned buffer; only a
/// message that its sender has announced, and whose turn it is, gets them.
class staged_receiver {
 public:
  staged_receiver(staged_ground& ground, pinned_pool& buffers, pinned_pool& small_buffers)
      : ground_(ground), buffers_(buffers), small_buffers_(small_buffers), copies_(ground.device) {}
  staged_receiver(const staged_receiver&) = delete;
  staged_receiver& operator=(const staged_receiver&) = delete;

  /// As the transport's.
  void receive(rank peer, transport::tag match, transport::sink into, transport::completion& done);
  copy_queue& copies() noexcept { return copies_; }
  /// Fails all messages of the peer, now and later. Those end when the transport below and the copies let go of them.
  void fail_peer(const transport::failure& why) { break_lane(lane_from(why.peer), why); }
  void fail_all(const transport::failure& why);

 private:
  struct lane;
  struct incoming;
  /// What a message or a piece is told of by others.
  template <class Base, class Whole>
  struct part : Base {
    Whole* whole = nullptr;
  };
  /// A piece: its receive is posted, then it is granted; it arrives and is copied to where it belongs.
  struct piece : transport::completion, copy_work {
    incoming* whole = nullptr;
    std::list<piece>::iterator self;
    std::size_t offset = 0, bytes = 0;
    pinned_buffer* through = nullptr;
    part<transport::completion, piece> told;  // its grant
    grant::text text{};
    int held = 0;  // transfers and a copy that refer to it
  };
  /// A message that does not come straight through. It ends when nothing holds it and all has arrived, or it has
  /// failed.
  struct incoming {
    lane* home = nullptr;
    std::list<incoming>::iterator self;
    transport::sink into;
    transport::completion* done = nullptr;
    bool is_staged = false, is_long = false;
    std::uint32_t number = 0;
    std::size_t largest = 0, granted = 0, arrived = 0;
    int held = 0;  // transfers, copies and pieces that refer to it
    std::optional<transport::failure> why;
    part<transport::completion, incoming> first;  // itself, or its announcement
    part<copy_work, incoming> copied;             // of a small one
    pinned_buffer* through = nullptr;
    std::vector<std::byte> copy;
    announcement::text text{};
    std::list<piece> pieces;
  };
  /// All about one peer.
  struct lane {
    staged_receiver* owner = nullptr;
    rank peer;
    std::list<incoming> all;
    std::deque<incoming*> coming;  // announced, and not granted in full
    int under_way = 0;             // pieces that are granted and have not arrived
    bool wants_buffer = false;
    std::optional<transport::failure> broken;
  };

  lane& lane_from(rank peer);
  void on_announced(incoming& message);
  std::optional<transport::failure> judge(incoming& message, const announcement& of) const;
  transport::failure other_size(const incoming& message, const std::string& sent) const;
  static piece& make_piece(incoming& of, std::size_t bytes);
  void refuse(incoming& message);
  void let_in(lane& at);
  bool may_come(const lane& at, const incoming& next) const;
  void let_in_piece(incoming& next, pinned_buffer* through);
  transport::sink sink_of(piece& coming);
  void begin_small_copies();
  void serve_waiting();
  void let_go(piece& of);
  void break_lane(lane& broken, const transport::failure& why);
  void finish_if_over(incoming& message);

  static void on_first(transport::completion& self, const transport::failure* failed);
  static void on_small_copied(copy_work& self, const transport::failure* failed);
  static void on_told(transport::completion& self, const transport::failure* failed);
  static void on_piece(transport::completion& self, const transport::failure* failed);
  static void on_piece_copied(copy_work& self, const transport::failure* failed);
  static void consume(void* state, std::size_t offset, const std::byte* from, std::size_t bytes);

  staged_ground& ground_;
  pinned_pool& buffers_;
  pinned_pool& small_buffers_;
  std::map<rank, lane> lanes_;
  std::deque<incoming*> want_small_;  // buffers
  std::deque<lane*> want_buffer_;
  copy_queue copies_;
};

}  // namespace hawser::executor
