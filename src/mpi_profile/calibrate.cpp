// See calibrate.hpp.
#include "calibrate.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <vector>

#include "pass.hpp"
#include "served_call.hpp"

namespace hawser::mpi_profile {

namespace {

constexpr std::int64_t most_bytes = std::int64_t{32} << 20;
/// Runs of each that count: as many as go into `time_for_each`, within bounds. One more goes ahead.
constexpr int least_runs = 5, most_runs = 25;
constexpr double time_for_each = 2e-3;

/// The same call on buffers of this object, smaller where it is large. All ranks come to the same sizes, whatever their
/// own types, since they follow from what is agreed on.
class trial {
 public:
  trial(const arguments& like, std::int64_t bytes, const known_communicator& known) : call_(like) {
    const std::int64_t tried = std::min(bytes, most_bytes);
    share_ = bytes > tried ? static_cast<double>(tried) / static_cast<double>(bytes) : 1.0;
    in_.resize(static_cast<std::size_t>(tried));
    out_.resize(static_cast<std::size_t>(tried));
    if (schedule::reduces(like.what)) {
      call_.receive.count = static_cast<int>(share_ * call_.receive.count);
      if (like.is_ragged) scale_counts(known.size, 1);
    } else if (like.is_ragged) {
      scale_counts(known.size, static_cast<double>(size_of(like.receive.type)));
      call_.send = {nullptr, counts_[static_cast<std::size_t>(known.rank)], MPI_BYTE};
      call_.receive.type = MPI_BYTE;
    } else {
      const std::int64_t blocks = schedule::buffer_blocks(like.what, known.size);
      call_.send = call_.receive = {nullptr, static_cast<int>(tried / blocks), MPI_BYTE};
    }
    call_.send.address = in_.data();
    call_.receive.address = out_.data();
  }

  const arguments& call() const noexcept { return call_; }

 private:
  /// The blocks of the receive side, one after the other.
  void scale_counts(int size, double factor) {
    int next = 0;
    for (int r = 0; r < size; ++r) {
      counts_.push_back(static_cast<int>(share_ * factor * call_.receive.counts[r]));
      displacements_.push_back(next);
      next += counts_.back();
    }
    call_.receive.counts = counts_.data();
    call_.receive.displacements = displacements_.data();
  }

  arguments call_;
  double share_ = 1;
  std::vector<std::byte> in_, out_;
  std::vector<int> counts_, displacements_;
};

/// In seconds, of one run that all members begin together.
template <class F>
double time_of(MPI_Comm comm, F&& run) {
  PMPI_Barrier(comm);
  const auto begin = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double>& times) {
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

/// The larger of each of two figures over the members.
void take_slowest(double (&figures)[2], MPI_Comm comm) {
  double slowest[2] = {};
  PMPI_Allreduce(figures, slowest, 2, MPI_DOUBLE, MPI_MAX, comm);
  figures[0] = slowest[0];
  figures[1] = slowest[1];
}

bool all_have(bool mine, MPI_Comm comm) {
  int one = mine ? 1 : 0, all = 0;
  PMPI_Allreduce(&one, &all, 1, MPI_INT, MPI_MIN, comm);
  return all != 0;
}

}  // namespace

void decide_by(figure_pair seconds, choice& undecided) noexcept {
  undecided.mpi_seconds = seconds.first;
  undecided.hawser_seconds = seconds.second;
  undecided.by = seconds.second * worth < seconds.first ? choice::server::hawser : choice::server::mpi;
}

bool decide_by_all(const std::optional<figure_pair>& mine, MPI_Comm comm, choice& undecided) {
  constexpr double none = std::numeric_limits<double>::infinity();
  double figures[2] = {mine ? mine->first : none, mine ? mine->second : none};
  take_slowest(figures, comm);
  if (figures[0] == none) return false;
  decide_by({figures[0], figures[1]}, undecided);
  return true;
}

void calibrate(const arguments& call, std::int64_t bytes, const std::optional<reduction>& reduced,
               known_communicator& known, choice& undecided) {
  std::optional<trial> own;
  try {
    own.emplace(call, bytes, known);
  } catch (const std::bad_alloc&) {  // the others must hear of it
  }
  undecided.by = choice::server::mpi;
  if (!all_have(own.has_value(), call.comm)) return;
  const auto by_mpi = [&] { pass(own->call()); };
  const auto by_hawser = [&] { served_call(own->call(), known, reduced).run(); };
  double figures[2] = {time_of(call.comm, by_mpi), time_of(call.comm, by_hawser)};
  take_slowest(figures, call.comm);
  const int runs =
      std::clamp(static_cast<int>(time_for_each / std::max(figures[0], figures[1])), least_runs, most_runs);
  std::vector<double> mpi_times, hawser_times;
  for (int i = 0; i < runs; ++i) {
    mpi_times.push_back(time_of(call.comm, by_mpi));
    hawser_times.push_back(time_of(call.comm, by_hawser));
  }
  figures[0] = median(mpi_times);
  figures[1] = median(hawser_times);
  take_slowest(figures, call.comm);
  decide_by({figures[0], figures[1]}, undecided);
}

}  // namespace hawser::mpi_profile
