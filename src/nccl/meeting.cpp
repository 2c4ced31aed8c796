// Keys: NAME/verdict, which stays; NAME/done/PLACE, which the first member takes away again; what callers publish.
#include "nccl/meeting.hpp"

#include <algorithm>
#include <utility>

namespace hawser::nccl {
namespace {

constexpr const char* yes = "yes";
constexpr char kept = '+', broken = '-';  ///< the first character of a promised value

std::string done_key(std::size_t place) {
  return "done/" + std::to_string(place);
}

}  // namespace

meeting::meeting(bootstrap::bootstrap& job, const bootstrap::failure_board& heeded, std::string name,
                 std::vector<rank> members, int place, clock::time_point deadline, std::set<std::string> promised)
    : job_(job),
      heeded_(heeded),
      name_(std::move(name)),
      members_(std::move(members)),
      place_(place),
      deadline_(deadline),
      promised_(std::move(promised)) {
  if (place_ != 0) promised_.insert(done_key(static_cast<std::size_t>(place_)));
  watch_ = std::thread([this] {
    try {
      verdict_ = get_raw("verdict");
    } catch (...) {
      no_verdict_ = std::current_exception();
    }
    is_seen_.store(true, std::memory_order_release);
  });
}

meeting::~meeting() {
  if (watch_.joinable()) watch_.join();
}

std::chrono::milliseconds meeting::left() const {
  const auto until = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - clock::now());
  return std::max(until, std::chrono::milliseconds{1});
}

std::string meeting::get_raw(const std::string& key) const {
  try {
    return job_.get(name_ + "/" + key, left(), heeded_);
  } catch (const error& e) {
    if (e.code() != errc::timeout) throw;
    fail(errc::timeout, "NCCL communicators \"" + name_ + "\" were not made in time", e.what(),
         "do all members make them, with the same options?");
  }
}

void meeting::put(const std::string& key, const std::string& value) {
  job_.put(name_ + "/" + key, kept + value);
  promised_.erase(key);
}

std::string meeting::get(const std::string& key) {
  const std::string value = get_raw(key);
  if (!value.empty() && value[0] == kept) return value.substr(1);
  await_verdict();
  fail(errc::internal, "a member broke its promise of \"" + key + "\" and agreed to the verdict");
}

void meeting::throw_unless_yes() const {
  if (no_verdict_) std::rethrow_exception(no_verdict_);
  if (verdict_ == yes) return;
  // "CODE NATIVE PLACE TEXT"
  const std::size_t first = verdict_.find(' '), second = verdict_.find(' ', first + 1),
                    third = verdict_.find(' ', second + 1);
  error raised(static_cast<errc>(std::stoi(verdict_)), verdict_.substr(third + 1));
  raised.with_native_code(std::stol(verdict_.substr(first + 1)));
  raised.with_peer(members_[std::stoul(verdict_.substr(second + 1))]);
  throw raised;
}

void meeting::look() const {
  if (is_seen_.load(std::memory_order_acquire)) throw_unless_yes();
}

void meeting::await_verdict() {
  if (watch_.joinable()) watch_.join();
  throw_unless_yes();
}

void meeting::refuse(const error& why) {
  if (heeded_.generation() == 0) {  // else everyone hears of it, and of whose fault it is
    const std::string place = std::to_string(place_);
    try {
      job_.put(name_ + "/verdict", std::to_string(static_cast<int>(why.code())) + " " +
                                       std::to_string(why.native_code()) + " " + place + " rank " +
                                       to_string(members_[static_cast<std::size_t>(place_)]) + ": " + why.what());
    } catch (const error& e) {
      if (e.code() != errc::mismatch) throw why;
    }
    for (const std::string& key : promised_) job_.put(name_ + "/" + key, std::string(1, broken));
    await_verdict();
  }
  throw why;
}

void meeting::conclude() {
  if (place_ != 0) {
    put(done_key(static_cast<std::size_t>(place_)), yes);
    return await_verdict();
  }
  for (std::size_t i = 1; i < members_.size(); ++i) get(done_key(i));
  try {
    job_.put(name_ + "/verdict", yes);
  } catch (const error& e) {
    if (e.code() != errc::mismatch) throw;
  }
  await_verdict();
  for (std::size_t i = 1; i < members_.size(); ++i) erase(done_key(i));
}

}  // namespace hawser::nccl
