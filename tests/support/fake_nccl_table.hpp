// The fake NCCL's functions as the table that hawser::nccl calls.
#pragma once

#include "support/fake_nccl.hpp"

namespace hawser::test {

inline void fake_nccl::set_communicators(nccl::functions& f, int self) {
  f.version = [this](int* to) {
    *to = version;
    return ncclSuccess;
  };
  f.error_text = [](ncclResult_t code) { return code == ncclRemoteError ? "remote process exited" : "an error"; };
  f.last_error = [](ncclComm_t) { return "the last error\n"; };
  f.unique_id = [this, self](ncclUniqueId* to) {
    std::lock_guard lock(mutex_);
    std::memset(to, 0, sizeof *to);
    to->internal[0] = static_cast<char>(++ids_);
    return enter(self, "ncclGetUniqueId");
  };
  f.init = [this, self](ncclComm_t* to, int size, ncclUniqueId id, int place, ncclConfig_t* config) {
    return init(self, to, size, id, place, config);
  };
  f.split = [this, self](ncclComm_t parent, int color, int key, ncclComm_t* to, ncclConfig_t* config) {
    return split(self, parent, color, key, to, config);
  };
  f.async_error = [this, self](ncclComm_t c, ncclResult_t* state) { return poll(self, c, state); };
  f.abort = [this, self](ncclComm_t c) { return abort(self, c); };
  f.finalize = [this, self](ncclComm_t c) {
    std::lock_guard lock(mutex_);
    if (const auto failed = enter(self, "ncclCommFinalize", c); failed != ncclSuccess) return failed;
    if (std::exchange(of_handle(c).is_finalised, true)) return note("finalised twice");
    return ncclInProgress;
  };
  f.destroy = [this, self](ncclComm_t c) {
    std::lock_guard lock(mutex_);
    if (const auto failed = enter(self, "ncclCommDestroy", c); failed != ncclSuccess) return failed;
    comm& ended = of_handle(c);
    if (!ended.is_finalised) note("destroyed before it was finalised");
    if (!ended.operators.empty() || !ended.registrations.empty()) note("destroyed with operators or registrations");
    ended.is_over = true;
    return ncclSuccess;
  };
  f.choose_device = [this, self](int device) {
    std::lock_guard lock(mutex_);
    devices_.push_back(device);
    return enter(self, "cudaSetDevice") == ncclSuccess ? 0 : 101;
  };
}

inline void fake_nccl::set_point_to_point(nccl::functions& f, int self, thread_device& device) {
  f.group_start = [this, self] {
    std::lock_guard lock(mutex_);
    if (const auto failed = enter(self, "ncclGroupStart"); failed != ncclSuccess) return failed;
    ++own().depth;
    return ncclSuccess;
  };
  f.group_end = [this, self, &device] {
    {
      std::lock_guard lock(mutex_);
      if (own().depth == 0) return note("ncclGroupEnd without a start");
      if (const auto failed = enter(self, "ncclGroupEnd"); failed != ncclSuccess) {
        own() = {};
        return failed;
      }
    }
    return --own().depth == 0 ? end_group(device) : ncclSuccess;
  };
  f.send = [this, self, &device](const void* data, std::size_t bytes, ncclDataType_t, int peer, ncclComm_t c,
                                 cudaStream_t stream) {
    const message moved{const_cast<void*>(data), bytes, true, false, peer};
    return add(self, "ncclSend", c, stream, device, &moved, nullptr);
  };
  f.recv = [this, self, &device](void* data, std::size_t bytes, ncclDataType_t, int peer, ncclComm_t c,
                                 cudaStream_t stream) {
    const message moved{data, bytes, false, false, peer};
    return add(self, "ncclRecv", c, stream, device, &moved, nullptr);
  };
}

inline void fake_nccl::set_collectives(nccl::functions& f, int self, thread_device& device) {
  const auto call = [this, self, &device](ncclComm_t c, cudaStream_t stream, collective_call made) {
    if (made.op && *made.op >= ncclNumOps)
      made.factor = locked([&] { return of_handle(c).operators.at(static_cast<int>(*made.op)); });
    const std::string name = made.name;
    return add(self, name.c_str(), c, stream, device, nullptr, &made);
  };
  const auto moving = [call](const char* name) {
    return [call, name](const void* in, void* out, std::size_t count, ncclDataType_t type, ncclComm_t c,
                        cudaStream_t stream) {
      return call(c, stream, {name, in, out, count, type});
    };
  };
  const auto rooted = [call](const char* name) {
    return [call, name](const void* in, void* out, std::size_t count, ncclDataType_t type, int root, ncclComm_t c,
                        cudaStream_t stream) {
      return call(c, stream, {name, in, out, count, type, {}, {}, root});
    };
  };
  const auto reducing = [call](const char* name) {
    return [call, name](const void* in, void* out, std::size_t count, ncclDataType_t type, ncclRedOp_t op, ncclComm_t c,
                        cudaStream_t stream) {
      return call(c, stream, {name, in, out, count, type, op});
    };
  };
  f.all_reduce = reducing("ncclAllReduce");
  f.reduce_scatter = reducing("ncclReduceScatter");
  f.reduce = [call](const void* in, void* out, std::size_t count, ncclDataType_t type, ncclRedOp_t op, int root,
                    ncclComm_t c, cudaStream_t stream) {
    return call(c, stream, {"ncclReduce", in, out, count, type, op, {}, root});
  };
  f.all_gather = moving("ncclAllGather");
  f.all_to_all = moving("ncclAlltoAll");
  f.broadcast = rooted("ncclBroadcast");
  f.gather = rooted("ncclGather");
  f.scatter = rooted("ncclScatter");
}

inline void fake_nccl::set_memory(nccl::functions& f, int self) {
  f.make_premul_sum = [this, self](ncclRedOp_t* to, void* scalar, ncclDataType_t type, ncclScalarResidence_t where,
                                   ncclComm_t c) {
    std::lock_guard lock(mutex_);
    if (const auto failed = enter(self, "ncclRedOpCreatePreMulSum", c); failed != ncclSuccess) return failed;
    if (where != ncclScalarHostImmediate) return note("a factor that is not read at once");
    *to = static_cast<ncclRedOp_t>(operators_);
    of_handle(c).operators[operators_++] = factor_of(scalar, *type_of(type));
    return ncclSuccess;
  };
  f.destroy_operator = [this, self](ncclRedOp_t op, ncclComm_t c) {
    std::lock_guard lock(mutex_);
    if (of_handle(c).operators.erase(static_cast<int>(op)) == 0) return note("an operator that is not there");
    return enter(self, "ncclRedOpDestroy");
  };
  f.enroll = [this, self](ncclComm_t c, void*, std::size_t, void** to) {
    std::lock_guard lock(mutex_);
    if (const auto failed = enter(self, "ncclCommRegister", c); failed != ncclSuccess) return failed;
    *to = reinterpret_cast<void*>(++registrations_);
    of_handle(c).registrations.insert(*to);
    return ncclSuccess;
  };
  f.deregister = [this](ncclComm_t c, void* which) {
    std::lock_guard lock(mutex_);
    if (of_handle(c).is_over) return note("ncclCommDeregister on a communicator that has ended");
    return of_handle(c).registrations.erase(which) == 1 ? ncclSuccess : note("a registration that is not there");
  };
  f.mem_alloc = [](void**, std::size_t) { return ncclInvalidUsage; };  // only whether they are there counts
  f.shrink = [](ncclComm_t, int*, int, ncclComm_t*, ncclConfig_t*, int) { return ncclInvalidUsage; };
}

inline nccl::functions fake_nccl::of(int self, thread_device& device) {
  nccl::functions f;
  set_communicators(f, self);
  set_point_to_point(f, self, device);
  set_collectives(f, self, device);
  set_memory(f, self);
  return f;
}

}  // namespace hawser::test
