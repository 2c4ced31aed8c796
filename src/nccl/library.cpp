// Opens NCCL and looks up its functions; newer ones may be missing.
#include <dlfcn.h>

#include <utility>

#include <hawser/core/error.hpp>

#include "nccl/opened.hpp"

static_assert(NCCL_VERSION_CODE >= hawser::nccl::oldest_version, "hawser needs the header of NCCL 2.18 or newer");

namespace hawser::nccl {
namespace {

constexpr const char* how_to_get = "install libnccl2 2.18 or newer, or name its file in HAWSER_NCCL_LIBRARY";

template <class Result, class... Arguments>
void look_up(void* handle, const char* name, std::function<Result(Arguments...)>& to) {
  if (void* const address = ::dlsym(handle, name)) to = reinterpret_cast<Result (*)(Arguments...)>(address);
}

/// The version; refuses what is no NCCL, or none that is known.
int checked_version(const functions& calls, const std::string& file) {
  int version = 0;
  if (!calls.version || calls.version(&version) != ncclSuccess)
    fail(errc::unsupported, "\"" + file + "\" is not NCCL", "it has no ncclGetVersion that answers", how_to_get);
  if (version < oldest_version)
    fail(errc::unsupported, "NCCL " + version_text(version) + " is too old",
         "\"" + file + "\"; the oldest that is used is " + version_text(oldest_version), how_to_get);
  if (version >= 30000)
    fail(errc::unsupported, "NCCL " + version_text(version) + " is not known", "\"" + file + "\"; hawser knows NCCL 2",
         how_to_get);
  return version;
}

}  // namespace

library::library(functions calls, std::string file) : calls_(std::move(calls)) {
  can_.version = checked_version(calls_, file);
  each_function(calls_, [&](const char* name, const auto& function, bool is_required) {
    if (function) return;
    if (is_required)
      fail(errc::unsupported, "NCCL " + version_text(can_.version) + " lacks " + name,
           "\"" + file + "\": every version since " + version_text(oldest_version) + " has it", how_to_get);
    can_.missing.emplace_back(name);
  });
  can_.has_split = static_cast<bool>(calls_.split);
  can_.has_registration = calls_.enroll && calls_.deregister;
  can_.has_memory = static_cast<bool>(calls_.mem_alloc);
  can_.has_float8 = can_.version >= 22400;
  can_.has_shrink = static_cast<bool>(calls_.shrink);
  can_.has_exchanges = calls_.all_to_all && calls_.gather && calls_.scatter;
}

std::shared_ptr<const library> make_library(functions calls, const std::string& file) {
  return std::make_shared<const library>(std::move(calls), file);
}

std::shared_ptr<const library> open_library(const std::string& file) {
  const std::string name = file.empty() ? "libnccl.so.2" : file;
  // NODELETE: NCCL's threads may outlive the last communicator.
  void* const handle = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) {
    const char* const reason = ::dlerror();
    fail(errc::unsupported, "NCCL cannot be loaded", reason != nullptr ? reason : name, how_to_get);
  }
  functions calls;
  each_function(calls, [&](const char* symbol, auto& function, bool) { look_up(handle, symbol, function); });
  calls.choose_device = choose_cuda_device;
  return make_library(std::move(calls), name);
}

const capabilities& capabilities_of(const library& opened) noexcept {
  return opened.can();
}

std::string version_text(int version) {
  // Up to 2.8 NCCL coded versions as 2804.
  const int unit = version < 10000 ? 1000 : 10000;
  return std::to_string(version / unit) + "." + std::to_string(version % unit / 100) + "." +
         std::to_string(version % 100);
}

int header_version() noexcept {
  return NCCL_VERSION_CODE;
}

}  // namespace hawser::nccl
