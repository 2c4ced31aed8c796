// How a job writes what its flight recorder holds: asked by its user, by a signal, or by a failure.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <ostream>

#include <hawser/communicator/communicator.hpp>
#include <hawser/diagnosis/dump.hpp>
#include <hawser/diagnosis/trace.hpp>

#include "job.hpp"
#include "state.hpp"

namespace hawser {

namespace detail {

namespace {

template <class Clock>
double now_in_seconds() {
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

/// A reader sees the whole file or none.
void write_whole(const std::string& path, const std::string& text) {
  const std::string problem = "cannot write the dump \"" + path + "\"";
  const std::string draft = path + ".part";
  std::ofstream file(draft, std::ios::binary | std::ios::trunc);
  if (!file) fail(errc::io, problem, std::strerror(errno));
  file << text;
  file.close();
  if (!file || std::rename(draft.c_str(), path.c_str()) != 0) {
    const std::string reason = std::strerror(errno);
    std::remove(draft.c_str());
    fail(errc::io, problem, reason);
  }
}

}  // namespace

diagnosis::dump job::make_dump(std::string_view reason, std::optional<std::int32_t> blamed) const {
  diagnosis::dump made = diagnosis::make_dump(recorder_.read(), self().value, size());
  made.host =
      host_names_.empty() ? std::string() : host_names_[static_cast<std::size_t>(self().value) % host_names_.size()];
  made.process = ::getpid();
  made.reason = reason;
  made.blamed = blamed;
  made.time = now_in_seconds<std::chrono::steady_clock>();
  made.epoch = now_in_seconds<std::chrono::system_clock>() - made.time;
  return made;
}

std::string job::dump_text(std::string_view reason, std::optional<std::int32_t> blamed) const {
  return diagnosis::to_json(make_dump(reason, blamed));
}

void job::write_file(const std::string& folder, std::string_view ending, const std::string& text) const {
  const std::filesystem::path where(folder);
  std::error_code ignored;  // where it cannot be made, writing the file says why
  std::filesystem::create_directories(where, ignored);
  write_whole((where / ("rank-" + to_string(self()) + std::string(ending))).string(), text);
}

void job::write_dump(std::string_view reason, std::optional<std::int32_t> blamed) const noexcept {
  try {
    write_file(options_.dump_directory, diagnosis::dump_file_ending, dump_text(reason, blamed));
  } catch (const std::exception& failed) {
    // Nobody waits for it, and the failure that it is about is reported elsewhere: this is the only place to say so.
    std::fprintf(stderr, "hawser: rank %d: %s\n", self().value, failed.what());
  }
}

void job::write_trace() const noexcept {
  if (options_.trace_directory.empty()) return;
  try {
    write_file(options_.trace_directory, diagnosis::trace_file_ending,
               diagnosis::to_chrome_json({make_dump("the job ends", std::nullopt)}));
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "hawser: rank %d: %s\n", self().value, failed.what());
  }
}

void job::dump_at_failure(const transport::failure& why) noexcept {
  if (options_.dump_directory.empty()) return;
  std::lock_guard lock(dump_mutex_);
  if (has_dumped_) return;
  has_dumped_ = true;
  const bool names_peer = why.code == errc::peer_failed && why.peer.value >= 0;
  write_dump((names_peer ? "rank " + to_string(why.peer) + " failed: " : std::string()) + why.what,
             names_peer ? std::optional(why.peer.value) : std::nullopt);
}

void job::dump_at_notice() noexcept {
  for (const bootstrap::failure_notice& first : door_->failures().since(0))
    return dump_at_failure({first.code, first.peer.value_or(rank(-1)), first.reason});
}

void job::dump_at_signal(int number) noexcept {
  if (options_.dump_signal != number) return;
  std::lock_guard lock(dump_mutex_);
  if (!has_dumped_) write_dump("signal " + std::to_string(number), std::nullopt);
}

}  // namespace detail

void communicator::dump(std::ostream& to, std::string_view reason) const {
  to << state_->owner().dump_text(reason, std::nullopt);
}

void communicator::dump(const std::string& path, std::string_view reason) const {
  detail::write_whole(path, state_->owner().dump_text(reason, std::nullopt));
}

}  // namespace hawser
