// Sends and receives of an MPI endpoint.
#include "check.hpp"
#include "endpoint.hpp"
#include "message_type.hpp"

namespace hawser::mpi {

void mpi_endpoint::require_thread() const {
  if (is_main_thread_only_ && std::this_thread::get_id() != main_thread_)
    fail(errc::unsupported, "the MPI transport is driven by a thread that may not call MPI",
         "MPI was initialised below MPI_THREAD_SERIALIZED",
         "ask MPI_Init_thread for MPI_THREAD_MULTIPLE, or drive progress from the main thread");
}

/// The peer; or null after the completion was called because it cannot be used.
mpi_endpoint::peer_state* mpi_endpoint::usable(rank peer, transport::tag match, transport::completion& done) {
  require_thread();
  if (peer.value < 0 || peer.value >= size_)
    fail(errc::invalid_argument, "rank " + to_string(peer) + " is not in the job",
         "its ranks are 0 to " + std::to_string(size_ - 1));
  if (!layout_.fits(match))
    fail(errc::unsupported, "channel " + std::to_string(match.channel) + " does not fit into an MPI tag",
         "there is room for at least " + std::to_string(max_channels));
  if (is_closed_) {
    const transport::failure why{errc::aborted, peer, "the MPI endpoint is shut down"};
    done.done(done, &why);
    return nullptr;
  }
  peer_state& state = peers_[peer.value];
  if (!state.has_failed) return &state;
  done.done(done, &state.why);
  return nullptr;
}

void mpi_endpoint::send(rank peer, transport::tag match, std::span<const std::byte> bytes,
                        transport::completion& done) {
  if (usable(peer, match, done) == nullptr) return;
  const message_type type(bytes.size(), options_.largest_count);
  MPI_Request request = MPI_REQUEST_NULL;
  const int code =
      MPI_Isend(bytes.data(), type.count(), type.type(), peer.value, layout_.fold(match), messages_, &request);
  started(code, request, {&done, peer, bytes.size(), false});
}

void mpi_endpoint::receive(rank peer, transport::tag match, transport::sink into, transport::completion& done) {
  if (into.consume != nullptr)
    fail(errc::invalid_argument, "the MPI transport does not consume in place", {}, "ask consumes_in_place first");
  if (usable(peer, match, done) == nullptr) return;
  const waiting wanted{{&done, peer, into.bytes, true}, into.data};
  const auto arrived = arrived_.find(key_of(peer, layout_.fold(match)));
  if (arrived == arrived_.end()) {
    waiting_[key_of(peer, layout_.fold(match))].push_back(wanted);
    return;
  }
  arrival message = arrived->second.front();
  arrived->second.pop_front();
  if (arrived->second.empty()) arrived_.erase(arrived);
  take(message, wanted);
}

/// Receives are matched here and not by MPI: a message longer than its receive makes Open MPI 4.1 write behind the
/// caller's memory (ob1 over process_vm_readv), so nothing is received before its size is known. As a benefit, memory
/// that nothing has arrived for is never in MPI's hands and is given back at once.
bool mpi_endpoint::match_incoming() {
  bool has_any = false;
  for (;;) {
    int is_there = 0;
    MPI_Status status;
    arrival message;
    check(MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, messages_, &is_there, &message.handle, &status), "probing");
    if (!is_there) return has_any;
    has_any = true;
    MPI_Count size = 0;
    MPI_Get_elements_x(&status, MPI_BYTE, &size);
    message.bytes = static_cast<std::size_t>(size);
    const auto wanted = waiting_.find(key_of(status.MPI_SOURCE, status.MPI_TAG));
    if (wanted == waiting_.end()) {
      arrived_[key_of(status.MPI_SOURCE, status.MPI_TAG)].push_back(message);
      continue;
    }
    const waiting first = wanted->second.front();
    wanted->second.pop_front();
    if (wanted->second.empty()) waiting_.erase(wanted);
    take(message, first);
    if (is_closed_) return true;  // by the completion
  }
}

void mpi_endpoint::take(arrival message, const waiting& wanted) {
  if (message.bytes != wanted.what.bytes) {
    discard(message);
    return deliver({wanted.what, MPI_SUCCESS, false, message.bytes});
  }
  const message_type type(message.bytes, options_.largest_count);
  MPI_Request request = MPI_REQUEST_NULL;
  const int code = MPI_Imrecv(wanted.data, type.count(), type.type(), &message.handle, &request);
  started(code, request, wanted.what);
}

void mpi_endpoint::discard(arrival message) {
  discarded& added = discarded_.emplace_back(discarded{std::vector<std::byte>(message.bytes), MPI_REQUEST_NULL});
  const message_type type(message.bytes, options_.largest_count);
  MPI_Imrecv(added.memory.data(), type.count(), type.type(), &message.handle, &added.request);
}

void mpi_endpoint::release_discarded() {
  std::erase_if(discarded_, [](discarded& each) {
    int is_done = 0;
    MPI_Test(&each.request, &is_done, MPI_STATUS_IGNORE);
    return is_done != 0;
  });
}

void mpi_endpoint::started(int code, MPI_Request request, const pending& what) {
  if (code != MPI_SUCCESS) return deliver({what, code, false, 0});
  requests_.push_back(request);
  pending_.push_back(what);
}

/// Calls the completions of what MPI has finished.
bool mpi_endpoint::collect() {
  if (requests_.empty()) return false;
  indices_.resize(requests_.size());
  // Open MPI 4.1 returns MPI_SUCCESS although a status has an error, and the standard leaves MPI_ERROR alone on
  // success.
  MPI_Status good{};
  good.MPI_ERROR = MPI_SUCCESS;
  statuses_.assign(requests_.size(), good);
  int count = 0;
  const int code =
      MPI_Testsome(static_cast<int>(requests_.size()), requests_.data(), &count, indices_.data(), statuses_.data());
  if (code != MPI_SUCCESS && code != MPI_ERR_IN_STATUS) check(code, "testing for completion");
  if (count == MPI_UNDEFINED || count == 0) return false;
  std::vector<finished> batch;  // completions may start transfers: nothing of this object is held meanwhile
  batch.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    const MPI_Status& status = statuses_[static_cast<std::size_t>(i)];
    const auto index = static_cast<std::size_t>(indices_[static_cast<std::size_t>(i)]);
    int is_cancelled = 0;
    MPI_Count received = 0;
    MPI_Test_cancelled(&status, &is_cancelled);
    if (pending_[index].is_receive && !is_cancelled) MPI_Get_elements_x(&status, MPI_BYTE, &received);
    batch.push_back({pending_[index], status.MPI_ERROR, is_cancelled != 0, static_cast<std::size_t>(received)});
    requests_[index] = MPI_REQUEST_NULL;
  }
  remove_finished();
  for (const finished& each : batch) deliver(each);
  return true;
}

void mpi_endpoint::remove_finished() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    if (requests_[i] == MPI_REQUEST_NULL) continue;
    requests_[kept] = requests_[i];
    pending_[kept++] = pending_[i];
  }
  requests_.resize(kept);
  pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(kept), pending_.end());
}

/// Translates the outcome; a receive is complete only if exactly the expected bytes came.
void mpi_endpoint::deliver(const finished& which) {
  const auto& [what, code, is_cancelled, received] = which;
  int error_class = MPI_SUCCESS;
  if (code != MPI_SUCCESS) MPI_Error_class(code, &error_class);
  const bool is_truncated = error_class == MPI_ERR_TRUNCATE;
  const bool is_other_size = is_truncated || (what.is_receive && received != what.bytes);
  if (error_class == MPI_SUCCESS && !is_cancelled && !is_other_size) return what.done->done(*what.done, nullptr);
  transport::failure why{errc::aborted, what.peer, "the MPI endpoint was shut down before the transfer was complete"};
  const peer_state& peer = peers_[what.peer.value];
  if (peer.has_failed)
    why = peer.why;
  else if (error_class != MPI_SUCCESS && !is_truncated)
    why = {errc::peer_failed, what.peer,
           describe("MPI failed to exchange a message with rank " + to_string(what.peer), describe_code(code))};
  else if (!is_cancelled)
    why = {
        errc::mismatch, what.peer,
        describe("rank " + to_string(what.peer) + " sent another size than rank " + to_string(self_) + " expects",
                 (is_truncated ? "more" : std::to_string(received)) + " bytes instead of " + std::to_string(what.bytes),
                 "call the collective with the same counts on all ranks")};
  what.done->done(*what.done, &why);
}

/// Receives that nothing has arrived for; of one peer, or of all where it is -1.
void mpi_endpoint::drop_waiting(rank of) {
  std::vector<pending> dropped;
  std::erase_if(waiting_, [&](const auto& entry) {
    if (of.value >= 0 && entry.second.front().what.peer != of) return false;
    for (const waiting& each : entry.second) dropped.push_back(each.what);
    return true;
  });
  for (const pending& each : dropped) deliver({each, MPI_SUCCESS, true, 0});
}

void mpi_endpoint::peer_failed(const transport::failure& why) {
  if (is_closed_) return;
  require_thread();
  peer_state& state = peers_[why.peer.value];
  if (state.has_failed) return;
  state.has_failed = true;
  state.why = why;
  state.give_up = clock::now() + options_.abort_timeout;
  ++doomed_;
  drop_waiting(why.peer);
  if (!is_closed_) collect();
}

/// MPI neither cancels sends nor receives of which a part has arrived. The peer is dead, so what can still move is
/// already on this host; after abort_timeout of progress nothing does.
bool mpi_endpoint::give_up_expired() {
  if (doomed_ == 0) return false;
  const auto now = clock::now();
  std::vector<finished> batch;
  doomed_ = 0;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    const peer_state& peer = peers_[pending_[i].peer.value];
    if (!peer.has_failed) continue;
    if (now < peer.give_up) {
      ++doomed_;
      continue;
    }
    batch.push_back({pending_[i], MPI_SUCCESS, true, 0});
    MPI_Request_free(&requests_[i]);
  }
  remove_finished();
  for (const finished& each : batch) deliver(each);
  return !batch.empty();
}

bool mpi_endpoint::progress() {
  if (is_closed_) return false;
  require_thread();
  bool has_moved = match_incoming();  // also where nothing is awaited: sent messages may need MPI's progress to leave
  if (!is_closed_) has_moved |= collect();
  if (!is_closed_) has_moved |= give_up_expired();
  if (!discarded_.empty()) release_discarded();
  return has_moved;
}

}  // namespace hawser::mpi
