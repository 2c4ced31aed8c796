// Makes a CUDA device current without linking CUDA.
#include <cuda.h>
#include <dlfcn.h>

#include "nccl/opened.hpp"

namespace hawser::nccl {
namespace {

/// The driver's functions; all empty where there is no driver.
struct driver {
  CUresult (*init)(unsigned) = nullptr;
  CUresult (*device_get)(CUdevice*, int) = nullptr;
  CUresult (*retain)(CUcontext*, CUdevice) = nullptr;
  CUresult (*set_current)(CUcontext) = nullptr;
};

template <class Function>
bool look_up(void* handle, const char* name, Function& to) {
  to = reinterpret_cast<Function>(::dlsym(handle, name));
  return to != nullptr;
}

driver open_driver() {
  driver found;
  void* const handle = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle != nullptr && look_up(handle, "cuInit", found.init) && look_up(handle, "cuDeviceGet", found.device_get) &&
      look_up(handle, "cuDevicePrimaryCtxRetain", found.retain) &&
      look_up(handle, "cuCtxSetCurrent", found.set_current))
    return found;
  return {};
}

}  // namespace

int choose_cuda_device(int device) {
  static const driver cuda = open_driver();
  if (cuda.init == nullptr) return CUDA_ERROR_STUB_LIBRARY;  // "no driver", as the runtime's 34 and 35 have it
  CUdevice of = 0;
  CUcontext context = nullptr;
  CUresult code = cuda.init(0);
  if (code == CUDA_SUCCESS) code = cuda.device_get(&of, device);
  if (code == CUDA_SUCCESS) code = cuda.retain(&context, of);  // kept until the process ends, as the runtime does
  if (code == CUDA_SUCCESS) code = cuda.set_current(context);
  return code;
}

}  // namespace hawser::nccl
