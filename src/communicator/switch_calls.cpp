// See switch_calls.hpp.
#include "switch_calls.hpp"

#include <cstring>
#include <span>
#include <sstream>

namespace hawser::detail {

namespace {

constexpr const char* call_word = "call";
constexpr const char* end_word = "end";

}  // namespace

std::array<char, switch_call::message_bytes> switch_call::to_message() const {
  std::ostringstream text;
  if (is_end)
    text << end_word;
  else
    text << call_word << ' ' << static_cast<int>(what.what) << ' ' << what.count << ' ' << static_cast<int>(what.type)
         << ' ' << what.element_bytes << ' ' << static_cast<int>(what.op) << ' ' << what.is_commutative << ' '
         << what.root.value << ' ' << segments << ' ' << window << ' ' << number << ' ' << what.algorithm;
  std::array<char, message_bytes> message{};
  const std::string written = text.str();
  if (written.size() >= message.size())
    fail(errc::unsupported, "the algorithm's name is too long for an aggregator", what.algorithm);
  std::memcpy(message.data(), written.data(), written.size());
  return message;
}

switch_call switch_call::parse(const std::array<char, message_bytes>& message) {
  std::istringstream text(std::string(message.data(), strnlen(message.data(), message.size())));
  std::string word;
  text >> word;
  switch_call call;
  if (word == end_word) {
    call.is_end = true;
    return call;
  }
  int collective = 0, type = 0, op = 0;
  text >> collective >> call.what.count >> type >> call.what.element_bytes >> op >> call.what.is_commutative >>
      call.what.root.value >> call.segments >> call.window >> call.number >> call.what.algorithm;
  if (word != call_word || !text)
    fail(errc::parse, "cannot read what an aggregator is told of a call", "it is cut short",
         "ranks and aggregators must be of one version");
  call.what.what = static_cast<schedule::collective>(collective);
  call.what.type = static_cast<data_type>(type);
  call.what.op = static_cast<reduce_kind>(op);
  return call;
}

rank aggregator_of(const topology::hierarchy& tree, const std::vector<bool>& served, rank network_switch) {
  const auto place = topology::reducing_switches(tree).place_of(network_switch);
  std::int64_t number = tree.size() + place.parent;
  for (int d = 0; d < place.level; ++d)
    if (served[static_cast<std::size_t>(d)]) number += tree.at(d).units.parents();
  return static_cast<std::int32_t>(number);
}

rank switch_of(const topology::hierarchy& tree, const std::vector<bool>& served, rank aggregator) {
  const topology::reducing_switches all(tree);
  for (std::int64_t i = 0; i < all.count(); ++i) {
    const rank each(static_cast<std::int32_t>(tree.size() + i));
    const auto level = static_cast<std::size_t>(all.place_of(each).level);
    if (served[level] && aggregator_of(tree, served, each) == aggregator) return each;
  }
  fail(errc::internal, "process " + to_string(aggregator) + " serves no switch");
}

void switch_announcer::tell(rank aggregator, const switch_call& call) {
  std::erase_if(sent_, [](const auto& each) { return each->is_done.load(std::memory_order_acquire); });
  auto made = std::make_unique<letter>();
  made->text = call.to_message();
  made->done = [](transport::completion& self, const transport::failure*) {  // who waits for the call is told why
    static_cast<letter&>(self).is_done.store(true, std::memory_order_release);
  };
  letter& posted = *sent_.emplace_back(std::move(made));
  engine_.send(aggregator, switch_call::match, std::as_bytes(std::span(posted.text)), posted);
}

bool switch_announcer::flush(std::chrono::nanoseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (const auto& each : sent_)
    if (!engine_.wait_for(each->is_done, deadline)) return false;
  return true;
}

}  // namespace hawser::detail
