// See chakra.hpp.
#include "chakra.hpp"

#ifdef HAWSER_HAS_PROTOBUF
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <hawser/simulate/goal.hpp>

#include "chakra.pb.h"
#endif

namespace hawser::cli {

#ifndef HAWSER_HAS_PROTOBUF

void check_chakra() {
  fail(errc::unsupported, "cannot write Chakra traces", "this hawser was built without protobuf",
       "install libprotobuf-dev and protobuf-compiler and build it again, or write goal:FILE");
}

std::string to_chakra(const schedule::program&, const schedule::request&, const cost::parameters&) {
  check_chakra();
  return {};
}

#else

void check_chakra() {}

namespace {

constexpr const char* version = "0.0.4";
constexpr std::int32_t tags_per_channel = 1 << 16;
constexpr int most_channels = 1 << 15;

/// A step is node 2 i; where it reduces what arrives, 2 i + 1 is the reduction.
std::uint64_t node_of(std::size_t step) {
  return 2 * static_cast<std::uint64_t>(step);
}

class trace_of_rank {
 public:
  trace_of_rank(const schedule::program& code, const schedule::request& what, const cost::parameters& host)
      : code_(code), what_(what), host_(host), needs_(code.source.steps.size()) {
    for (std::size_t i = 0; i < needs_.size(); ++i)
      for (const std::uint32_t next : code.dependents_of(i)) needs_[next].push_back(i);
  }

  std::string write() {
    chakra::GlobalMetadata first;
    first.set_version(version);
    append(first);
    for (std::size_t i = 0; i < needs_.size(); ++i) add_step(i);
    return std::move(text_);
  }

 private:
  /// Each message stands behind its length, as Chakra's readers expect it.
  void append(const google::protobuf::MessageLite& message) {
    google::protobuf::io::StringOutputStream out(&text_);
    google::protobuf::io::CodedOutputStream coded(&out);
    coded.WriteVarint32(static_cast<std::uint32_t>(message.ByteSizeLong()));
    if (!message.SerializeToCodedStream(&coded))
      fail(errc::io, "cannot write a Chakra node", "protobuf has refused it", "report this");
  }

  chakra::Node node(std::uint64_t id, chakra::NodeType type, std::string name) const {
    chakra::Node made;
    made.set_id(id);
    made.set_type(type);
    made.set_name(std::move(name));
    chakra::Attribute& where = *made.add_attr();
    where.set_name("is_cpu_op");
    where.set_bool_val(false);
    return made;
  }

  void add_step(std::size_t i) {
    const schedule::step& s = code_.source.steps[i];
    const std::int64_t bytes = simulate::detail::exact_bytes(what_, code_.source.at(s.sends() ? s.source : s.target));
    const bool is_message = s.sends() || s.receives();
    chakra::Node made = is_message ? message_node(i, s, bytes) : work_node(node_of(i), s.kind, bytes);
    for (const std::size_t before : needs_[i])
      made.add_data_deps(node_of(before) + (code_.source.steps[before].kind == schedule::step_kind::recv_reduce));
    append(made);
    if (s.kind != schedule::step_kind::recv_reduce) return;
    chakra::Node reduction = work_node(node_of(i) + 1, schedule::step_kind::reduce, bytes);
    reduction.add_data_deps(node_of(i));
    append(reduction);
  }

  chakra::Node message_node(std::size_t i, const schedule::step& s, std::int64_t bytes) {
    const int self = code_.source.self.value, peer = s.peer.value;
    const auto ends = s.sends() ? std::pair{self, peer} : std::pair{peer, self};
    chakra::Node made = node(node_of(i), s.sends() ? chakra::COMM_SEND_NODE : chakra::COMM_RECV_NODE,
                             (s.sends() ? "send to " : "receive from ") + std::to_string(peer));
    set_int32(made, "comm_src", ends.first);
    set_int32(made, "comm_dst", ends.second);
    set_int32(made, "comm_tag", next_tag(s));
    chakra::Attribute& size = *made.add_attr();
    size.set_name("comm_size");
    size.set_int64_val(bytes);
    return made;
  }

  static void set_int32(chakra::Node& made, const char* name, std::int32_t value) {
    chakra::Attribute& added = *made.add_attr();
    added.set_name(name);
    added.set_int32_val(value);
  }

  std::int32_t next_tag(const schedule::step& s) {
    const std::int32_t number = messages_[{s.sends(), s.peer.value, s.channel}]++;
    if (number >= tags_per_channel || s.channel >= most_channels)
      fail(errc::unsupported, "cannot number the messages of a Chakra trace",
           "there are more than 65536 between two ranks on a channel, or more than 32768 channels",
           "export a smaller machine, or another algorithm");
    return tags_per_channel * s.channel + number;
  }

  chakra::Node work_node(std::uint64_t id, schedule::step_kind kind, std::int64_t bytes) const {
    chakra::Node made = node(id, chakra::COMP_NODE, std::string(to_string(kind)));
    const double micros = static_cast<double>(bytes) / host_.reduction.bytes_per_second * 1e6;
    made.set_duration_micros(static_cast<std::uint64_t>(std::llround(micros)));
    const bool reduces = kind == schedule::step_kind::reduce;
    chakra::Attribute& operations = *made.add_attr();
    operations.set_name("num_ops");
    operations.set_int64_val(reduces ? bytes / static_cast<std::int64_t>(what_.element_bytes) : 0);
    chakra::Attribute& size = *made.add_attr();
    size.set_name("tensor_size");
    size.set_uint64_val(static_cast<std::uint64_t>(bytes));
    return made;
  }

  const schedule::program& code_;
  const schedule::request& what_;
  const cost::parameters& host_;
  std::vector<std::vector<std::size_t>> needs_;
  std::map<std::tuple<bool, std::int32_t, std::uint16_t>, std::int32_t> messages_;  // to or from a peer, by channel
  std::string text_;
};

}  // namespace

std::string to_chakra(const schedule::program& code, const schedule::request& what, const cost::parameters& host) {
  return trace_of_rank(code, what, host).write();
}

#endif

}  // namespace hawser::cli
