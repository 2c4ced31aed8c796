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
  if (has_own_) before_.assign(handles, handles + count);
}

bool request_list::are_all_ready() {
  bool are_ready = true;
  for (int i = 0; i < count_; ++i)
    if (const request_ref& own = own_[static_cast<std::size_t>(i)]) are_ready &= is_ready(*own, handles_[i]);
  return are_ready;
}

std::vector<MPI_Request>& request_list::ready_ones() {
  ready_.assign(handles_, handles_ + count_);
  hides_ = false;
  for (int i = 0; i < count_; ++i) {
    const request_ref& own = own_[static_cast<std::size_t>(i)];
    if (!own || is_ready(*own, handles_[i])) continue;
    ready_[static_cast<std::size_t>(i)] = MPI_REQUEST_NULL;
    hides_ = true;
  }
  return ready_;
}

void request_list::take_back(int i) {
  handles_[i] = ready_[static_cast<std::size_t>(i)];
}

int request_list::settle(int code) {
  for (int i = 0; i < count_; ++i) {
    const request_ref& own = own_[static_cast<std::size_t>(i)];
    if (!own) continue;
    if (handles_[i] == MPI_REQUEST_NULL) forget_request(before_[static_cast<std::size_t>(i)], own);
    if (is_active(*own)) continue;
    if (const int failed = take_error(*own); failed != MPI_SUCCESS && code == MPI_SUCCESS) code = failed;
  }
  return code;
}

}  // namespace hawser::mpi_profile
