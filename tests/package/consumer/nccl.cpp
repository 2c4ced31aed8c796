// Uses hawser::nccl: starts without NCCL, and asks for it; nothing of NCCL or CUDA is needed to build.
#include <hawser/core/error.hpp>
#include <hawser/nccl/types.hpp>
#include <hawser/nccl/wire.hpp>

#include <iostream>

int main() {
  hawser::nccl::capabilities can;
  const auto why = hawser::nccl::why_not_native(can, hawser::data_type::int16, hawser::reduce_kind::sum);
  try {
    hawser::nccl::open_library("/nowhere/libnccl.so.2");
  } catch (const hawser::error& e) {
    std::cout << "consumed hawser::nccl: " << e.what() << "\n";
    return why && e.code() == hawser::errc::unsupported ? 0 : 1;
  }
  return 1;
}
