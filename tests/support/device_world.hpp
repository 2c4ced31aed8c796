// Ranks as threads, each with a device of threads, joined by mailboxes.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <hawser/communicator/device_communicator.hpp>
#include <hawser/communicator/in_process.hpp>
#include <support/mailbox_wire.hpp>

namespace hawser::test {

/// Memory of a device.
class device_buffer {
 public:
  device_buffer(thread_device& device, std::size_t bytes)
      : device_(device), memory_(device.allocate(bytes, memory_kind::device)) {}
  device_buffer(const device_buffer&) = delete;
  device_buffer& operator=(const device_buffer&) = delete;
  ~device_buffer() { device_.release(memory_, memory_kind::device); }
  std::byte* data() const noexcept { return static_cast<std::byte*>(memory_); }

 private:
  thread_device& device_;
  void* memory_;
};

/// How the devices of a job are made.
struct device_job {
  int size = 2;
  std::string topology;
  int lanes = 2;
  std::uint64_t seed = 1;
  std::chrono::microseconds longest_delay{20};
  std::string why_not_capturable{};
};

/// Runs `body(communicator&, device_communicator&, thread_device&)` on a thread per rank. Throws what a rank throws,
/// and std::runtime_error where a device or the mailboxes have something to complain about after a rank that did not
/// throw.
template <class Body>
void run_devices(const device_job& job, Body&& body) {
  const auto office = std::make_shared<post_office>();
  communicator_options options;
  options.topology = job.topology.empty() ? "gpu:" + std::to_string(job.size) : job.topology;
  run_in_process(job.size, options, [&](communicator& members) {
    auto device = std::make_shared<thread_device>(job.seed * 1000 + static_cast<unsigned>(members.rank().value),
                                                  job.longest_delay);
    device_backend backend{device, [&](const transport::endpoint_environment& environment) {
                             return std::make_unique<mailbox_wire>(office, environment.self, *device, job.lanes,
                                                                   job.why_not_capturable);
                           }};
    {
      device_communicator devices(members, std::move(backend));
      body(members, devices, *device);
    }
    std::string complaints;
    for (const std::string& each : device->violations()) complaints += each + "; ";
    if (device->live() > 0) complaints += std::to_string(device->live()) + " things of the device live; ";
    if (!complaints.empty()) throw std::runtime_error(complaints);
  });
  if (!office->is_closed() && !office->complaints().empty()) throw std::runtime_error(office->complaints());
}

/// The collectives of a communicator on host memory, which really run on copies in the device's, ordered by a stream.
class through_a_device : public collectives<through_a_device> {
 public:
  through_a_device(communicator& members, device_communicator& devices, thread_device& device)
      : members_(members), devices_(devices), device_(device), stream_(device.make_stream()) {}
  through_a_device(const through_a_device&) = delete;
  through_a_device& operator=(const through_a_device&) = delete;
  ~through_a_device() { device_.destroy(stream_); }

  hawser::rank rank() const { return members_.rank(); }
  int size() const { return members_.size(); }

  void launch(detail::call made) {
    const auto in_bytes = static_cast<std::size_t>(made.input_elements) * made.element_bytes;
    const auto out_bytes = static_cast<std::size_t>(made.output_elements) * made.element_bytes;
    const auto* const input = static_cast<const std::byte*>(made.input);
    auto* const output = static_cast<std::byte*>(made.output);
    // In place, one buffer lies in the other.
    const bool output_in_input = output >= input && output + out_bytes <= input + in_bytes;
    const bool input_in_output = input >= output && input + in_bytes <= output + out_bytes;
    device_buffer in(device_, in_bytes), out(device_, out_bytes);
    if (in_bytes > 0) std::memcpy(in.data(), input, in_bytes);
    if (out_bytes > 0) std::memcpy(out.data(), output, out_bytes);
    std::byte* from = in.data();
    std::byte* to = out.data();
    if (out_bytes > 0 && in_bytes > 0 && output_in_input)
      to = from + (output - input);
    else if (out_bytes > 0 && in_bytes > 0 && input_in_output)
      from = to + (input - output);
    if (made.input != nullptr) made.input = from;
    if (made.output != nullptr) made.output = to;
    devices_.on(stream_).launch(std::move(made));
    device_.synchronise(stream_);
    if (out_bytes > 0) std::memcpy(output, to, out_bytes);
  }

 private:
  communicator& members_;
  device_communicator& devices_;
  thread_device& device_;
  stream_handle stream_;
};

}  // namespace hawser::test
