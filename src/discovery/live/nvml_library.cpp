// Opens NVML and looks up its functions; each may be missing.
#include "nvml_library.hpp"

#include <array>
#include <utility>

#include <dlfcn.h>

namespace hawser::discovery::nvml {

namespace {

using topology::severity;

constexpr std::array<std::pair<result, const char*>, 29> texts = {{{0, "success"},
                                                                   {1, "NVML is not initialised"},
                                                                   {2, "invalid argument"},
                                                                   {3, "not supported"},
                                                                   {4, "no permission"},
                                                                   {6, "not found"},
                                                                   {7, "insufficient size"},
                                                                   {8, "external power is not attached"},
                                                                   {9, "the driver is not loaded"},
                                                                   {10, "timeout"},
                                                                   {11, "interrupt issue"},
                                                                   {12, "NVML library not found"},
                                                                   {13, "function not found"},
                                                                   {14, "the GPU's information ROM is corrupted"},
                                                                   {15, "GPU is lost"},
                                                                   {16, "GPU requires a reset"},
                                                                   {17, "the operating system blocks the GPU"},
                                                                   {18, "driver and library versions differ"},
                                                                   {19, "in use"},
                                                                   {20, "insufficient memory"},
                                                                   {21, "no data"},
                                                                   {23, "insufficient resources"},
                                                                   {25, "argument version mismatch"},
                                                                   {26, "deprecated"},
                                                                   {27, "not ready"},
                                                                   {28, "GPU not found"},
                                                                   {29, "invalid state"},
                                                                   {30, "reset type not supported"},
                                                                   {999, "unknown error"}}};

}  // namespace

std::string to_text(result status) {
  for (const auto& [number, text] : texts)
    if (number == status) return text;
  return "NVML error " + std::to_string(status);
}

library::library(const std::string& file, const std::string& subject) {
  why_.subject = subject;
  handle_ = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle_) {
    const char* const reason = ::dlerror();
    why_ = {severity::info, "no-nvidia-driver", subject,
            "NVIDIA's management library cannot be loaded (" + std::string(reason ? reason : file) +
                "): NVIDIA GPUs, if there are any, are known by their PCI devices only"};
    return;
  }
  calls_.each([&](auto& function) {
    using address = decltype(function.address);
    function.address = reinterpret_cast<address>(::dlsym(handle_, function.name));  // NOLINT: what dlsym is for
    if (!function.address) missing_.emplace_back(function.name);
  });
  // What newer functions replace may go.
  if (calls_.fabric_tagged.address) std::erase(missing_, calls_.fabric.name);
  if (calls_.link_remote_pci.address) std::erase(missing_, calls_.link_remote_pci_legacy.name);
  initialise(file);
}

void library::initialise(const std::string& file) {
  if (!calls_.init.address || !calls_.count.address || !calls_.by_index.address) {
    why_ = {severity::warning, "not-nvml", why_.subject,
            "\"" + file + "\" has no function " +
                (!calls_.init.address    ? calls_.init.name
                 : !calls_.count.address ? calls_.count.name
                                         : calls_.by_index.name) +
                ": it is not NVIDIA's management library, or one that is too old"};
    return;
  }
  const result status = calls_.init();
  if (status == success) {
    is_usable_ = true;
    return;
  }
  const bool is_absent = status == driver_not_loaded;
  why_ = {
      is_absent ? severity::info : severity::error, is_absent ? "no-nvidia-driver" : "nvml-failed", why_.subject,
      "NVIDIA's management library does not start (" + to_text(status) + ")" +
          (status == library_mismatch ? "; the driver was updated and the old one still runs: reboot the host" : "")};
}

library::~library() {
  if (is_usable_) calls_.shutdown();
  if (handle_) ::dlclose(handle_);
}

}  // namespace hawser::discovery::nvml
