// Multicast objects (NVLS): made by rank 0, shared, joined by all devices, bound to every rank's memory, mapped by all.
#include <string>

#include "cuda/ballot.hpp"
#include "cuda/driver.hpp"
#include "cuda/mapping.hpp"
#include "cuda/runtime.hpp"

namespace hawser::cuda {
namespace {

CUmulticastObjectProp properties_of(const symmetric_mapping& of, int ranks) {
  CUmulticastObjectProp properties{};
  properties.numDevices = static_cast<unsigned>(ranks);
  properties.size = of.bytes;
  properties.handleTypes =
      of.agreed.memory == memory_kind::fabric ? CU_MEM_HANDLE_TYPE_FABRIC : CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
  return properties;
}

void create(symmetric_mapping& of, const mapping_context& by, ballot& votes) {
  const auto properties = properties_of(of, by.job.size());
  votes.take_step("create", [&] {
    if (of.self != 0) return;
    check(of.cuda.multicast_create(&of.multicast.object, &properties), "create a multicast object");
  });
  std::vector<CUmemGenericAllocationHandle> objects(static_cast<std::size_t>(by.job.size()));
  objects[static_cast<std::size_t>(of.self)] = of.multicast.object;
  const auto keep = [&] { of.multicast.object = objects[0]; };
  try {
    share_handles(of, by, "multicast", 0, objects);
  } catch (...) {
    keep();  // imported here and refused elsewhere
    throw;
  }
  keep();
}

/// A vote after each step: a device may bind only when all have been added.
void join(symmetric_mapping& of, std::size_t granularity, ballot& votes) {
  multicast_mapping& its = of.multicast;
  votes.take_step("add", [&] {
    check(of.cuda.device_get(&its.device, of.device), "find the driver's number of a device");
    check(of.cuda.multicast_add_device(its.object, its.device), "add a device to a multicast object");
  });
  votes.take_step("bind", [&] {
    check(of.cuda.multicast_bind(its.object, 0, of.handles[static_cast<std::size_t>(of.self)], 0, of.bytes, 0),
          "bind memory to a multicast object");
    its.is_bound = true;
  });
  votes.take_step("map", [&] { map_range(of, its.object, granularity, its.reserved); });
  its.address = reinterpret_cast<std::byte*>(its.reserved);
}

}  // namespace

void release_multicast(symmetric_mapping& of) noexcept {
  multicast_mapping& its = of.multicast;
  unmap_range(of, its.reserved);
  if (its.is_bound) of.cuda.multicast_unbind(its.object, its.device, 0, of.bytes);
  if (its.object != 0) of.cuda.mem_release(its.object);
  its = {};
}

std::size_t multicast_granularity(symmetric_mapping& of, const mapping_context& by) {
  std::size_t granularity = 0;
  const auto properties = properties_of(of, by.job.size());
  ballot votes(by.job, by.name + "/multicast", by.timeout);
  const auto refused = votes.try_step("granularity", [&] {
    check(of.cuda.multicast_granularity(&granularity, &properties, CU_MULTICAST_GRANULARITY_RECOMMENDED),
          "ask for the granularity of multicast objects");
  });
  if (!refused) return granularity;
  of.multicast_refusal = refused->text;
  return 0;
}

void make_multicast(symmetric_mapping& of, const mapping_context& by, std::size_t granularity) {
  ballot votes(by.job, by.name + "/multicast", by.timeout);
  try {
    create(of, by, votes);
    join(of, granularity, votes);
  } catch (const error& e) {
    release_multicast(of);
    if (e.code() != errc::resource) throw;  // a rank that does not vote is no refusal
    of.multicast_refusal = e.what();
  }
}

}  // namespace hawser::cuda
