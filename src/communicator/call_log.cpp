// See call_log.hpp.
#include "call_log.hpp"

#include <algorithm>
#include <utility>

namespace hawser::detail {

namespace {

/// What is published: "rank 3: all_reduce of ...".
std::string signed_by(rank self, const std::string& call) {
  return "rank " + to_string(self) + ": " + call;
}

bool says(const std::string& published, const std::string& call) {
  return published.ends_with(": " + call);
}

/// The first to publish a key wins. What stands there now, by whomever; nothing where the bootstrap fails.
std::optional<std::string> publish(bootstrap::bootstrap& door, const std::string& key, const std::string& mine) {
  constexpr bootstrap::milliseconds at_once{1'000};  // it is there: somebody else has published it
  // The job is failing. Where the store is lost, a request would wait for its successor, and the call with it.
  if (door.failures().generation() != 0) return std::nullopt;
  try {
    door.put(key, mine);
    return mine;
  } catch (const error& refused) {
    if (refused.code() != errc::mismatch) return std::nullopt;
  }
  try {
    return door.get(key, at_once);
  } catch (const error&) {  // retracted meanwhile, or the job is failing
    return std::nullopt;
  }
}

}  // namespace

transport::failure different_calls(const std::string& found) {
  return {errc::mismatch, rank(-1),
          describe("the ranks make different calls", found,
                   "make the same calls on all ranks, in the same order, with equal counts, roots and options")};
}

std::uint64_t digest_of(const std::vector<std::int64_t>& blocks) noexcept {
  std::uint64_t digest = 0xcbf29ce484222325ULL;
  for (const std::int64_t each : blocks) digest = (digest ^ static_cast<std::uint64_t>(each)) * 0x100000001b3ULL;
  return digest;
}

void call_log::add(const std::shared_ptr<const entry>& started) {
  std::lock_guard lock(mutex_);
  auto& oldest = last_[size_++ % remembered];
  if (oldest != started) oldest = started;  // else it is that of a call of the same shape, and counts no owners
}

std::uint64_t call_log::size() const {
  std::lock_guard lock(mutex_);
  return size_;
}

/// Only what all ranks agree on where the call is right.
std::string call_log::text_of(const entry& each) const {
  const schedule::request& what = each.what;
  std::string text(to_string(what.what));
  if (what.what != schedule::collective::barrier) {
    const std::string type = what.type == data_type::user ? std::to_string(what.element_bytes) + "-byte elements"
                                                          : std::string(to_string(what.type));
    text += " of " + (what.are_counts_agreed ? std::to_string(what.count) + " " : "") + type +
            (what.has_ragged_blocks ? " in blocks of different sizes" : "");
  }
  if (schedule::reduces(what.what)) text += ", " + std::string(to_string(what.op));
  if (schedule::has_root(what.what)) text += ", root " + to_string(what.root);
  if (what.reproducibility != schedule::mode::fast) text += ", mode " + std::string(to_string(what.reproducibility));
  text += ", by " + each.plan->algorithm;
  if (each.blocks != 0) text += ", block sizes #" + std::to_string(each.blocks % 1'000'000);
  if (each.segments > 1) text += " in " + std::to_string(each.segments) + " segments";
  return text;
}

std::string call_log::key_of(std::uint64_t number) const {
  return "call/" + communicator_ + "/" + std::to_string(number);
}

std::string call_log::last() const {
  std::lock_guard lock(mutex_);
  return size_ == 0 ? "nothing" : text_of(*last_[(size_ - 1) % remembered]);
}

std::optional<std::string> call_log::compare(bootstrap::bootstrap& door) {
  std::lock_guard lock(mutex_);
  const std::uint64_t first = size_ > remembered ? size_ - remembered : 0;
  if (published_to_ == 0) published_from_ = published_to_ = first;
  for (std::uint64_t number = std::max(first, published_to_); number < size_; ++number) {
    const std::string mine = text_of(*last_[number % remembered]);
    const auto found = publish(door, key_of(number), signed_by(door.self(), mine));
    published_to_ = number + 1;
    if (found && !says(*found, mine)) return *found + "; " + signed_by(door.self(), mine);
  }
  return std::nullopt;
}

void call_log::retract(bootstrap::bootstrap& door) {
  std::lock_guard lock(mutex_);
  for (; published_from_ < published_to_; ++published_from_) {
    try {
      door.erase(key_of(published_from_));
    } catch (const error&) {  // the job is failing: the key goes with it
    }
  }
  published_from_ = published_to_ = 0;  // the next doubt is about all that is remembered
}

}  // namespace hawser::detail
