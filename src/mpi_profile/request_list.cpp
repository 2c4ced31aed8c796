// See request_list.hpp.
#include "request_list.hpp"

namespace hawser::mpi_profile {

request_list::request_list(int count, MPI_Request* handles) : count_(count), handles_(handles) {
  if (!has_requests() || handles == nullptr) return;
  for (int i = 0; i < count; ++i) {
    request_ref found = find_request(handles[i]);
    if (found && own_.empty()) own_.resize(static_cast<std::size_t>(count));
    if (found) own_[static_cast<std::size_t>(i)] = std::move(found);
  }
  has_own_ = !own_.empty();
}

bool request_list::are_all_ready() {
  bool are_ready = true;
  for (int i = 0; i < count_; ++i)
    if (const request_ref& own = own_[static_cast<std::size_t>(i)]) are_ready &= is_ready(*own, handles_[i]);
  return are_ready;
}

std::vector<MPI_Request>& request_list::ready_ones() {
  ready_.assign(handles_, handles_ + count_);
  is_hidden_.assign(static_cast<std::size_t>(count_), false);
  waits_ = false;
  for (int i = 0; i < count_; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (!own_[at]) continue;
    const bool is_under_way = !is_ready(*own_[at], handles_[i]);
    waits_ |= is_under_way;
    if (!is_under_way && !is_persistent(*own_[at])) continue;
    ready_[at] = MPI_REQUEST_NULL;
    is_hidden_[at] = true;
  }
  return ready_;
}

bool request_list::is_persistent_at(int i) const {
  const request_ref& own = own_[static_cast<std::size_t>(i)];
  return own && is_persistent(*own);
}

int request_list::next_persistent(int i, MPI_Status* status, int& code) {
  for (; i < count_; ++i) {
    if (!is_persistent_at(i)) continue;
    own_request& own = *own_[static_cast<std::size_t>(i)];
    if (is_active(own) && is_ready(own, handles_[i]) && take_completion(own, status, code)) break;
  }
  return i;
}

void request_list::settle() {
  for (int i = 0; i < count_; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (is_hidden_[at]) continue;
    const MPI_Request before = handles_[i];
    handles_[i] = ready_[at];
    if (own_[at] && handles_[i] == MPI_REQUEST_NULL) forget_request(before, own_[at]);
  }
}

}  // namespace hawser::mpi_profile
