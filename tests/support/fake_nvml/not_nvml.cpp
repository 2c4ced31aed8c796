// A shared library that is not NVML.
extern "C" __attribute__((visibility("default"))) int hawser_not_nvml() {
  return 0;
}
