// See calibrate.hpp.
#include "calibrate.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include "pass.hpp"
#include "served_call.hpp"

namespace hawser::mpi_profile {

namespace {

constexpr std::int64_t most_bytes = std::int64_t{32} << 20;
/// Runs of each that count: as many as go into `time_for_each`, within bounds. One more goes ahead.
constexpr int least_runs = 5, most_runs = 25;
constexpr double time_for_each = 2e-3;

/// The same call on buffers of this object.
class trial {
 public:
  trial(const arguments& like, std::int64_t bytes, int size) : call_(like) {
    const double share =
        std::min(1.0, static_cast<double>(most_bytes) / static_cast<double>(std::max<std::int64_t>(1, bytes)));
    const auto room = static_cast<std::size_t>(std::min(bytes, most_bytes)) + static_cast<std::size_t>(size) * 64;
    in_.resize(room);
    out_.resize(room);
    if (!schedule::reduces(like.what)) in_bytes(size);
    shrink(call_.send, share, size);
    shrink(call_.receive, share, size);
    call_.send.address = in_.data();
    call_.receive.address = out_.data();
  }

  const arguments& call() const noexcept { return call_; }

 private:
  /// What moves is measured without gaps.
  void in_bytes(int size) {
    const auto convert = [&](buffer_arguments& buffer) {
      const auto element = static_cast<int>(size_of(buffer.type));
      buffer.count = element * buffer.count;
      if (buffer.counts != nullptr) {
        counts_.assign(buffer.counts, buffer.counts + size);
        for (int& each : counts_) each *= element;
        buffer.counts = counts_.data();
      }
      buffer.type = MPI_BYTE;
    };
    if (call_.send.is_in_place()) call_.send = own_block();
    if (call_.receive.is_in_place()) call_.receive = {nullptr, call_.send.count, call_.send.type};
    if (call_.what != collective::broadcast) convert(call_.send);
    convert(call_.receive);
  }

  buffer_arguments own_block() const {
    int self = 0;
    PMPI_Comm_rank(call_.comm, &self);
    return {nullptr, call_.is_ragged ? call_.receive.counts[self] : call_.receive.count, call_.receive.type};
  }

  void shrink(buffer_arguments& buffer, double share, int size) {
    buffer.count = static_cast<int>(share * buffer.count);
    if (buffer.counts == nullptr) return;
    if (counts_.empty()) counts_.assign(buffer.counts, buffer.counts + size);
    for (int& each : counts_) each = static_cast<int>(share * each);
    buffer.counts = counts_.data();
    displacements_.assign(static_cast<std::size_t>(size), 0);
    for (int r = 1; r < size; ++r)
      displacements_[static_cast<std::size_t>(r)] =
          displacements_[static_cast<std::size_t>(r) - 1] + counts_[static_cast<std::size_t>(r) - 1];
    buffer.displacements = displacements_.data();
  }

  arguments call_;
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

void decide_by(double mpi_seconds, double hawser_seconds, choice& undecided) noexcept {
  undecided.mpi_seconds = mpi_seconds;
  undecided.hawser_seconds = hawser_seconds;
  undecided.by = hawser_seconds * worth < mpi_seconds ? choice::server::hawser : choice::server::mpi;
}

void calibrate(const arguments& call, std::int64_t bytes, const std::optional<reduction>& reduced,
               known_communicator& known, choice& undecided) {
  std::optional<trial> own;
  try {
    own.emplace(call, bytes, known.size);
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
  decide_by(figures[0], figures[1], undecided);
}

}  // namespace hawser::mpi_profile
