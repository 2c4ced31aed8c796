// Windows, launches, and the meetings of ranks whose phases the host keeps apart.
#include "cuda/group_state.hpp"

#include <algorithm>

#include "cuda/mapping.hpp"
#include "cuda/runtime.hpp"

namespace hawser::cuda {
namespace {

device::window_layout layout_of(int ranks, const launch_policy& policy, const group_options& options) {
  if (ranks > device::max_ranks)
    fail(errc::unsupported, "a group of " + std::to_string(ranks) + " ranks",
         "an NVLink domain has at most " + std::to_string(device::max_ranks), "split the communicator by domain");
  return {{.ranks = ranks,
           .ctas = policy.ctas,
           .low_latency_bytes = policy.low_latency_up_to,
           .staging_bytes = device::window_layout::rounded(
               std::max<std::uint64_t>(options.staging_bytes, policy.low_latency_up_to))}};
}

}  // namespace

group_state::group_state(bootstrap::bootstrap& the_job, std::string_view the_name, const group_options& the_options)
    : job(the_job),
      name(the_name),
      options(the_options),
      device(require_device(the_options.device)),
      policy(the_options.policy.value_or(policy_for(device.can.architecture))),
      layout(layout_of(the_job.size(), policy, the_options)),
      windows(
          the_job, name + "/windows", layout.bytes(),
          {.device = the_options.device, .timeout = the_options.timeout, .may_multicast = the_options.may_multicast}),
      mode(the_options.mode.value_or(windows.agreed().mode)) {
  view = {.rank = job.self().value,
          .size = job.size(),
          .timeout_ns = static_cast<std::uint64_t>(std::chrono::nanoseconds(options.timeout).count()),
          .layout = layout};
  for (int r = 0; r < job.size(); ++r) view.windows[r] = windows.of(r);
  agree_on_launches();
  cuda::check(cudaStreamCreateWithFlags(&abort_stream, cudaStreamNonBlocking), "make a stream");
}

group_state::~group_state() {
  if (abort_stream != nullptr) cudaStreamDestroy(abort_stream);
}

void group_state::agree_on_launches() {
  ctas =
      std::min(options.most_ctas > 0 ? std::min(options.most_ctas, policy.ctas) : policy.ctas, device.multiprocessors);
  const std::string own = std::string(to_string(mode)) + ", " + to_text({&policy, 1});
  const auto all = gather(job, name + "/policy", own, options.timeout);
  for (std::size_t r = 0; r < all.size(); ++r)
    if (all[r] != own)
      fail(errc::mismatch, "rank " + std::to_string(r) + " launches kernels in another way", all[r] + " against " + own,
           "give all ranks one mode and one policy");
  for (const std::string& each : gather(job, name + "/ctas", std::to_string(ctas), options.timeout))
    ctas = std::min(ctas, static_cast<std::int32_t>(std::stol(each)));
}

unsigned group_state::ctas_for(std::uint64_t bytes) const {
  const std::uint64_t step = static_cast<std::uint64_t>(policy.threads) * device::vector_bytes;
  const std::uint64_t useful = std::max<std::uint64_t>((bytes + step - 1) / step, 1);
  return static_cast<unsigned>(std::min<std::uint64_t>(useful, static_cast<std::uint64_t>(ctas)));
}

void group_state::launch(const void* kernel, void* call, std::uint64_t bytes, cudaStream_t stream) {
  int resident = 0;
  cuda::check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, kernel, policy.threads, 0),
              "ask for the occupancy");
  if (resident < 1) fail(errc::resource, "a kernel does not fit on the GPU", {}, "use a policy with fewer threads");
  std::byte* multicast = windows.multicast();
  void* arguments[] = {call, &multicast};  // as many are read as the kernel has
  cuda::check(cudaLaunchKernel(kernel, dim3(ctas_for(bytes)), dim3(static_cast<unsigned>(policy.threads)), arguments, 0,
                               stream),
              "launch a kernel");
}

void group_state::finish_phase(cudaStream_t stream) {
  cuda::check(cudaStreamSynchronize(stream), "run a phase");
  const std::string meeting = name + "/phase/" + std::to_string(++meetings);
  gather(job, meeting, "done", options.timeout);
  if (meetings > 1) job.erase(name + "/phase/" + std::to_string(meetings - 1) + "/" + std::to_string(view.rank));
}

}  // namespace hawser::cuda
