// Finds the CUDA devices through the runtime, which is linked statically and opens the driver itself.
#include <hawser/cuda/device_info.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "cuda/runtime.hpp"

namespace hawser::cuda {
namespace {

int attribute(CUdevice_attribute which, int device) {
  using function = CUresult(int*, CUdevice_attribute, CUdevice);
  static function* const ask = driver_function<function>("cuDeviceGetAttribute", 2000);
  int value = 0;
  return ask(&value, which, device) == CUDA_SUCCESS ? value : 0;  // a driver that does not know it has not got it
}

/// The boot's id and the namespace of abstract sockets: where both are equal, descriptors can be passed.
std::array<std::uint8_t, 16> host_identity() {
  std::ifstream boot("/proc/sys/kernel/random/boot_id");
  std::string text;
  std::getline(boot, text);
  char space[64] = {};
  if (readlink("/proc/self/ns/net", space, sizeof space - 1) > 0) text += space;
  std::array<std::uint8_t, 16> identity{};
  std::uint64_t hash[2] = {0xcbf29ce484222325U, 0x84222325cbf29ce4U};  // FNV-1a, twice
  for (const char c : text)
    for (std::uint64_t& each : hash) each = (each ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  std::memcpy(identity.data(), hash, sizeof hash);
  return identity;
}

bool reaches_all(int device, int count) {
  for (int other = 0; other < count; ++other) {
    int can = 1;
    if (other != device && (cudaDeviceCanAccessPeer(&can, device, other) != cudaSuccess || can == 0)) return false;
  }
  return true;
}

device_info describe_device(int device, int count, int driver) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device), "read the properties of a CUDA device");
  device_info info{.number = device,
                   .name = properties.name,
                   .multiprocessors = properties.multiProcessorCount,
                   .memory_bytes = properties.totalGlobalMem};
  capabilities& can = info.can;
  static_assert(sizeof properties.uuid == sizeof can.gpu);
  std::memcpy(can.gpu.data(), &properties.uuid, sizeof can.gpu);
  can.host = host_identity();
  can.process = getpid();
  can.architecture = 10 * properties.major + properties.minor;
  can.driver = driver;
  const bool has_vmm = attribute(CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED, device) != 0;
  can.has_vmm_descriptors =
      has_vmm && attribute(CU_DEVICE_ATTRIBUTE_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR_SUPPORTED, device) != 0;
  can.has_fabric_handles = has_vmm && attribute(CU_DEVICE_ATTRIBUTE_HANDLE_TYPE_FABRIC_SUPPORTED, device) != 0;
  can.has_legacy_ipc = attribute(CU_DEVICE_ATTRIBUTE_IPC_EVENT_SUPPORTED, device) != 0;
  can.has_multicast = attribute(CU_DEVICE_ATTRIBUTE_MULTICAST_SUPPORTED, device) != 0;
  can.reaches_all_peers = reaches_all(device, count);
  return info;
}

}  // namespace

std::vector<device_info> find_devices(std::string* why_none) {
  int count = 0, driver = 0;
  const cudaError_t code = cudaGetDeviceCount(&count);
  if (code != cudaSuccess || count == 0) {
    if (why_none != nullptr)
      *why_none = code == cudaSuccess
                      ? "the driver knows of no GPU"
                      : cudaGetErrorString(code) + std::string(" (CUDA error ") + std::to_string(code) + ")";
    return {};
  }
  check(cudaDriverGetVersion(&driver), "read the version of the CUDA driver");
  std::vector<device_info> devices;
  devices.reserve(static_cast<std::size_t>(count));
  for (int d = 0; d < count; ++d) devices.push_back(describe_device(d, count, driver));
  return devices;
}

device_info require_device(std::int32_t number) {
  std::string why_none;
  const std::vector<device_info> devices = find_devices(&why_none);
  if (devices.empty())
    fail(errc::unsupported, "no CUDA device", why_none,
         "run on a machine with a GPU and its driver, or use host memory");
  if (number < 0 || static_cast<std::size_t>(number) >= devices.size())
    fail(errc::invalid_argument, "no CUDA device " + std::to_string(number),
         "this process sees " + std::to_string(devices.size()), "see CUDA_VISIBLE_DEVICES");
  return devices[static_cast<std::size_t>(number)];
}

}  // namespace hawser::cuda
