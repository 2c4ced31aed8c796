// See recorder.hpp.
#include <hawser/diagnosis/recorder.hpp>

#include <algorithm>
#include <utility>

namespace hawser::diagnosis {

namespace {

constexpr std::size_t most_names = UINT16_MAX;

std::uint64_t packed(const call_facts& f) noexcept {
  return static_cast<std::uint64_t>(f.kind) | static_cast<std::uint64_t>(f.what) << 4 |
         static_cast<std::uint64_t>(f.type) << 8 | static_cast<std::uint64_t>(f.op) << 16 |
         static_cast<std::uint64_t>(f.mode) << 24 | std::uint64_t{f.communicator} << 32 |
         std::uint64_t{f.algorithm} << 48;
}

}  // namespace

std::uint16_t recorder::add_communicator(std::string name, std::vector<std::int32_t> members) {
  std::lock_guard lock(mutex_);
  // The names of the last that have gone are kept: their calls may be in the ring. 128 are alive at most.
  constexpr std::size_t kept = 256;
  std::size_t number = communicators_.size();
  for (std::size_t tried = 0; communicators_.size() >= kept && tried < communicators_.size(); ++tried) {
    const std::size_t place = next_reused_++ % communicators_.size();
    if (communicators_[place].is_alive) continue;
    number = place;
    break;
  }
  if (number == communicators_.size()) communicators_.emplace_back();
  communicators_[number] = {std::move(name), std::move(members), true};
  return static_cast<std::uint16_t>(number);
}

void recorder::remove_communicator(std::uint16_t number) {
  std::lock_guard lock(mutex_);
  communicators_[number].is_alive = false;
}

std::uint16_t recorder::intern(std::string_view algorithm) {
  std::lock_guard lock(mutex_);
  const auto found = std::find(algorithms_.begin(), algorithms_.end(), algorithm);
  if (found == algorithms_.end() && algorithms_.size() >= most_names) return 0;
  const auto number = static_cast<std::uint16_t>(found - algorithms_.begin());
  if (found == algorithms_.end()) algorithms_.emplace_back(algorithm);
  return number;
}

std::uint64_t recorder::begin_call(const call_facts& facts, std::uint64_t number) noexcept {
  if (!is_enabled_.load(std::memory_order_relaxed)) return not_recorded;
  const std::uint64_t id = calls_made_.fetch_add(1, std::memory_order_relaxed) + 1;
  call_place& place = calls_[id % kept_calls];
  place.mark.store(0, std::memory_order_relaxed);
  place.begin.store(look(), std::memory_order_release);
  place.end.store(0, std::memory_order_release);
  place.number.store(number, std::memory_order_release);
  place.count.store(static_cast<std::uint64_t>(facts.count), std::memory_order_release);
  place.kinds.store(packed(facts), std::memory_order_release);
  place.sizes.store(
      std::uint64_t{facts.segments} | std::uint64_t{facts.element_bytes} << 16 | std::uint64_t{facts.blocks} << 32,
      std::memory_order_release);
  place.root.store(static_cast<std::uint32_t>(facts.root), std::memory_order_release);
  place.mark.store(id, std::memory_order_release);
  return id;
}

std::uint64_t recorder::end_call(std::uint64_t id, call_state state) noexcept {
  call_place& place = calls_[id % kept_calls];
  if (id == not_recorded || place.mark.load(std::memory_order_relaxed) != id) return 0;
  // The end of its last step is that of the call.
  const std::uint64_t begin = place.begin.load(std::memory_order_relaxed), last = now_.load(std::memory_order_relaxed);
  const std::uint64_t now = state == call_state::done && last > begin ? last : look();
  place.end.store((now & ~std::uint64_t{1}) | (state == call_state::failed ? 1 : 0), std::memory_order_release);
  return now - begin;
}

bool recorder::read_call(std::uint64_t id, call_record& into) const noexcept {
  const call_place& place = calls_[id % kept_calls];
  if (place.mark.load(std::memory_order_acquire) != id) return false;
  const auto word = [](const std::atomic<std::uint64_t>& from) { return from.load(std::memory_order_acquire); };
  const std::uint64_t kinds = word(place.kinds), sizes = word(place.sizes), end = word(place.end);
  into.id = id;
  into.number = word(place.number);
  into.begin = word(place.begin);
  into.end = end & ~std::uint64_t{1};
  into.state = end == 0 ? call_state::open : (end & 1) != 0 ? call_state::failed : call_state::done;
  call_facts& f = into.facts;
  f.kind = static_cast<call_kind>(kinds & 0xf);
  f.what = static_cast<schedule::collective>(kinds >> 4 & 0xf);
  f.type = static_cast<data_type>(kinds >> 8 & 0xff);
  f.op = static_cast<reduce_kind>(kinds >> 16 & 0xff);
  f.mode = static_cast<schedule::mode>(kinds >> 24 & 0xff);
  f.communicator = static_cast<std::uint16_t>(kinds >> 32);
  f.algorithm = static_cast<std::uint16_t>(kinds >> 48);
  f.segments = static_cast<std::uint16_t>(sizes);
  f.element_bytes = static_cast<std::uint16_t>(sizes >> 16);
  f.blocks = static_cast<std::uint32_t>(sizes >> 32);
  f.root = static_cast<std::int32_t>(static_cast<std::uint32_t>(word(place.root)));
  f.count = static_cast<std::int64_t>(word(place.count));
  return place.mark.load(std::memory_order_relaxed) == id;
}

bool recorder::read_step(std::uint64_t position, step_record& into) const noexcept {
  const step_place& place = steps_[position % kept_steps];
  const std::uint64_t mark = place.mark.load(std::memory_order_acquire);
  if (mark >> 24 != (position & position_mask)) return false;
  into.begin = place.begin.load(std::memory_order_acquire);
  into.end = place.end.load(std::memory_order_acquire);
  const std::uint64_t what = place.what.load(std::memory_order_acquire);
  into.call = what >> 44;
  into.step = static_cast<std::uint32_t>(what >> 24) & step_mask;
  const auto peer = static_cast<std::uint32_t>(what) & peer_mask;
  into.peer = peer == peer_mask ? -1 : static_cast<std::int32_t>(peer);
  into.segment = static_cast<std::uint32_t>(mark >> 4) & step_mask;
  into.kind = static_cast<schedule::step_kind>(mark & 0xf);
  return place.mark.load(std::memory_order_relaxed) == mark;
}

snapshot recorder::read() const {
  snapshot seen;
  seen.calls_made = calls_made_.load(std::memory_order_acquire);
  seen.steps_made = steps_made_.load(std::memory_order_acquire);
  const auto first = [](std::uint64_t made, std::size_t kept) { return made > kept ? made - kept + 1 : 1; };
  call_record call;
  for (auto id = first(seen.calls_made, kept_calls); id <= seen.calls_made; ++id)
    if (read_call(id, call)) seen.calls.push_back(call);
  step_record step;
  for (auto position = first(seen.steps_made, kept_steps); position <= seen.steps_made; ++position)
    if (read_step(position, step)) seen.steps.push_back(step);
  seen.scale = scale();
  std::lock_guard lock(mutex_);
  seen.communicators = communicators_;
  seen.algorithms = algorithms_;
  return seen;
}

}  // namespace hawser::diagnosis
