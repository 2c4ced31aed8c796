// Ranks as threads, each with a device of threads, joined by mailboxes.
#pragma once

#include <atomic>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <hawser/communicator/device_communicator.hpp>
#include <hawser/communicator/in_process.hpp>
#include <support/mailbox_wire.hpp>
#include <support/threads_over.hpp>

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
  bool has_domains = false;          ///< the ranks of an innermost group have mailboxes of their own
  bool are_domains_refused = false;  ///< and some cannot have them
  bool has_wire_between_all = true;
  bool is_wire_refused = false;  ///< the one between all, on all ranks
  bool may_go_through_host = true;
  std::string transport = "in_process";  ///< of the communicator: also "shared_memory" and "tcp"
};

/// The mailboxes of all groups of a job, by their first key: created by whoever comes first. Thread-safe.
class post_offices {
 public:
  std::shared_ptr<post_office> of(const std::string& name) {
    std::lock_guard lock(mutex_);
    std::shared_ptr<post_office>& found = offices_[name];
    if (!found) found = std::make_shared<post_office>();
    return found;
  }
  std::string complaints() const {
    std::lock_guard lock(mutex_);
    std::string text;
    for (const auto& [name, office] : offices_)
      if (!office->is_closed()) text += office->complaints();
    return text;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<post_office>> offices_;
};

/// A rank's backend: member 0 of each group names its mailboxes.
inline device_backend make_backend(const device_job& job, std::shared_ptr<thread_device> device, post_offices& offices,
                                   const communicator& members) {
  const auto open = [&offices, device, job](bootstrap::bootstrap& group, const std::string& what, int lanes) {
    static std::atomic<int> number{0};
    if (group.self() == rank(0)) group.put("office", what + std::to_string(++number));
    const std::string name = group.get("office", std::chrono::seconds(60));
    return std::make_unique<mailbox_wire>(offices.of(name), group.self(), *device, lanes, job.why_not_capturable,
                                          what + " mailboxes");
  };
  device_backend made{device};
  made.may_go_through_host = job.may_go_through_host;
  if (job.has_wire_between_all)
    made.between_all = [open, job](bootstrap::bootstrap& all) {
      if (job.is_wire_refused) fail(errc::unsupported, "no mailboxes between all ranks");
      return open(all, "all", job.lanes);
    };
  if (job.has_domains)
    made.inside_domains = [open, job, world = members.rank()](bootstrap::bootstrap& domain) {
      if (job.are_domains_refused) fail(errc::unsupported, "no mailboxes for rank " + to_string(world));
      return open(domain, "domain", job.lanes + 1);
    };
  return made;
}

/// Runs `body(communicator&, device_communicator&, thread_device&)` on a thread per rank. Throws what a rank throws,
/// and std::runtime_error where a device or the mailboxes have something to complain about after a rank that did not
/// throw.
template <class Body>
void run_devices(const device_job& job, Body&& body) {
  post_offices offices;
  communicator_options options;
  options.topology = job.topology.empty() ? "gpu:" + std::to_string(job.size) : job.topology;
  run_threads_over(job.transport, job.size, options, [&](communicator& members) {
    auto device = std::make_shared<thread_device>(job.seed * 1000 + static_cast<unsigned>(members.rank().value),
                                                  job.longest_delay);
    {
      device_communicator devices(members, make_backend(job, device, offices, members));
      body(members, devices, *device);
    }
    std::string complaints;
    for (const std::string& each : device->violations()) complaints += each + "; ";
    if (device->live() > 0) complaints += std::to_string(device->live()) + " things of the device live; ";
    if (!complaints.empty()) throw std::runtime_error(complaints);
  });
  if (!offices.complaints().empty()) throw std::runtime_error(offices.complaints());
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
