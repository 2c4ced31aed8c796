// See kept_runs.hpp.
#include "kept_runs.hpp"

#include <utility>

#include "run.hpp"

namespace hawser::detail {

kept_runs::kept_runs() = default;
kept_runs::~kept_runs() = default;

void run_release::operator()(collective_run* used) const noexcept {
  const auto members = used->leave();  // may hold the last reference to what keeps the run: it goes last
  if (used->use() == run_use::once)
    delete used;
  else if (used->is_keepable())
    used->set_use(run_use::free);
  else
    used->discard();
}

/// Different for most calls that differ in what programs vary.
std::uint64_t kept_runs::digest_of(const call& made) noexcept {
  const std::uint64_t small = static_cast<std::uint64_t>(made.what) | static_cast<std::uint64_t>(made.type) << 8 |
                              static_cast<std::uint64_t>(made.op.kind) << 16 |
                              static_cast<std::uint64_t>(made.root.value) << 24;
  const auto in = static_cast<std::uint64_t>(made.input_elements),
             out = static_cast<std::uint64_t>(made.output_elements);
  return (small * 0x9e3779b97f4a7c15ULL ^ in) * 0x100000001b3ULL ^ out;
}

run_handle kept_runs::take(communicator_state& members, call made) {
  const std::uint64_t digest = digest_of(made);
  for (std::size_t i = 0; i < most_runs; ++i) {
    if (digests_[i] != digest || !runs_[i] || is_outdated_[i] || runs_[i]->use() != run_use::free ||
        !runs_[i]->fits(made))
      continue;
    runs_[i]->reload(made);
    runs_[i]->set_use(run_use::taken);
    return run_handle(runs_[i].get());
  }
  auto fresh = std::make_unique<collective_run>(members, std::move(made));
  const std::size_t place = place_for_new();
  if (place == most_runs) return run_handle(fresh.release());
  fresh->set_use(run_use::taken);
  digests_[place] = digest;
  is_outdated_[place] = false;
  runs_[place] = std::move(fresh);
  return run_handle(runs_[place].get());
}

/// An empty place, or one whose run is of no more use, else the next in turn that nobody uses; `most_runs`: none.
std::size_t kept_runs::place_for_new() noexcept {
  for (std::size_t i = 0; i < most_runs; ++i)
    if (!runs_[i] || runs_[i]->use() == run_use::spent || (is_outdated_[i] && runs_[i]->use() == run_use::free))
      return i;
  for (std::size_t i = 0; i < most_runs; ++i) {
    const std::size_t place = next_++ % most_runs;
    if (runs_[place]->use() == run_use::free) return place;
  }
  return most_runs;
}

void kept_runs::outdate() noexcept {
  is_outdated_.fill(true);
}

std::size_t kept_runs::size() const noexcept {
  std::size_t count = 0;
  for (const auto& each : runs_) count += each && each->use() != run_use::spent ? 1 : 0;
  return count;
}

}  // namespace hawser::detail
