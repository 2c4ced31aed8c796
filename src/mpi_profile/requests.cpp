// See requests.hpp.
#include "requests.hpp"

#include <atomic>
#include <cstring>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "serve.hpp"

namespace hawser::mpi_profile {

/// Its lock lets several threads wait for different requests, or one thread after the other for one.
struct own_request {
  std::mutex mutex;
  std::unique_ptr<served_call> call;
  MPI_Comm comm = MPI_COMM_NULL;
  bool is_persistent = false;
  bool is_running = true;  // started, and hawser not yet done
  bool is_told = false;    // of a persistent one: not started, or its end has been heard of
  int error = MPI_SUCCESS;
};

namespace {

std::uint64_t bits_of(MPI_Request request) noexcept {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &request, sizeof request);  // NOLINT(bugprone-sizeof-expression): a handle, pointer or not
  return bits;
}

std::mutex requests_mutex;
std::unordered_map<std::uint64_t, std::shared_ptr<own_request>>& requests() {
  static auto* const all = new std::unordered_map<std::uint64_t, std::shared_ptr<own_request>>;  // outlives MPI
  return *all;
}
std::atomic<int> alive{0};

void keep(MPI_Request request, std::shared_ptr<own_request> kept) {
  std::lock_guard lock(requests_mutex);
  if (requests().insert_or_assign(bits_of(request), std::move(kept)).second) alive.fetch_add(1);
}

// What MPI asks a generalized request for. Its state keeps the request alive, whatever the table does.

int on_query(void* state, MPI_Status* status) {
  PMPI_Status_set_elements(status, MPI_BYTE, 0);
  PMPI_Status_set_cancelled(status, 0);
  status->MPI_SOURCE = MPI_UNDEFINED;
  status->MPI_TAG = MPI_UNDEFINED;
  return (*static_cast<std::shared_ptr<own_request>*>(state))->error;
}

int on_free(void* state) {
  delete static_cast<std::shared_ptr<own_request>*>(state);
  return MPI_SUCCESS;
}

/// MPI does not let collectives be cancelled; `MPI_Cancel` is refused before it comes here.
int on_cancel(void*, int) {
  return MPI_SUCCESS;
}

}  // namespace

bool has_requests() noexcept {
  return alive.load(std::memory_order_relaxed) != 0;
}

request_ref find_request(MPI_Request request) noexcept {
  if (!has_requests()) return nullptr;
  std::lock_guard lock(requests_mutex);
  const auto found = requests().find(bits_of(request));
  return found == requests().end() ? nullptr : found->second;
}

bool is_persistent(const own_request& asked) noexcept {
  return asked.is_persistent;
}

bool is_active(own_request& asked) noexcept {
  std::lock_guard lock(asked.mutex);
  return !asked.is_told;
}

int start_request(std::unique_ptr<served_call> call, MPI_Comm comm, MPI_Request* request) {
  auto made = std::make_shared<own_request>();
  made->call = std::move(call);
  made->comm = comm;
  auto state = std::make_unique<std::shared_ptr<own_request>>(made);
  made->call->start();
  const int code = PMPI_Grequest_start(&on_query, &on_free, &on_cancel, state.get(), request);
  if (code != MPI_SUCCESS) return code;
  static_cast<void>(state.release());  // on_free has it
  keep(*request, std::move(made));
  return MPI_SUCCESS;
}

int make_persistent_request(std::unique_ptr<served_call> planned, MPI_Comm comm, MPI_Request* request) {
  auto made = std::make_shared<own_request>();
  made->call = std::move(planned);
  made->comm = comm;
  made->is_persistent = true;
  made->is_running = false;
  made->is_told = true;
  auto state = std::make_unique<request_ref>(made);
  const int code = PMPI_Grequest_start(&on_query, &on_free, &on_cancel, state.get(), request);
  if (code != MPI_SUCCESS) return code;
  static_cast<void>(state.release());  // on_free has it
  keep(*request, std::move(made));
  return MPI_SUCCESS;
}

bool is_ready(own_request& asked, MPI_Request request) {
  std::lock_guard lock(asked.mutex);
  if (!asked.is_running) return true;
  try {
    if (!asked.call->test()) return false;
  } catch (const std::exception& raised) {
    asked.error = error_code_of(raised);
  }
  asked.is_running = false;
  if (!asked.is_persistent) PMPI_Grequest_complete(request);
  return true;
}

int start_persistent(own_request& asked) {
  std::lock_guard lock(asked.mutex);
  if (!asked.is_persistent || !asked.is_told) {
    PMPI_Comm_call_errhandler(asked.comm, MPI_ERR_REQUEST);
    return MPI_ERR_REQUEST;
  }
  try {
    asked.call->start();
  } catch (const std::exception& raised) {
    return report_error(asked.comm, raised);
  }
  asked.is_running = true;
  asked.is_told = false;
  asked.error = MPI_SUCCESS;
  return MPI_SUCCESS;
}

bool take_completion(own_request& asked, MPI_Status* status, int& code) noexcept {
  std::lock_guard lock(asked.mutex);
  if (status != MPI_STATUS_IGNORE) {
    PMPI_Status_set_elements(status, MPI_BYTE, 0);
    PMPI_Status_set_cancelled(status, 0);
    status->MPI_SOURCE = MPI_ANY_SOURCE;
    status->MPI_TAG = MPI_ANY_TAG;
  }
  if (std::exchange(asked.is_told, true)) return false;
  if (asked.error == MPI_SUCCESS) return true;
  code = std::exchange(asked.error, MPI_SUCCESS);
  PMPI_Comm_call_errhandler(asked.comm, code);
  return true;
}

int free_persistent(const request_ref& freed, MPI_Request* request) {
  const MPI_Request before = *request;
  PMPI_Grequest_complete(before);
  const int code = PMPI_Wait(request, MPI_STATUS_IGNORE);
  forget_request(before, freed);
  return code;
}

void forget_request(MPI_Request request, const request_ref& freed) noexcept {
  std::lock_guard lock(requests_mutex);
  const auto found = requests().find(bits_of(request));
  // Another thread may have made a new request with the same handle since.
  if (found == requests().end() || found->second != freed) return;
  requests().erase(found);
  alive.fetch_sub(1);
}

}  // namespace hawser::mpi_profile
