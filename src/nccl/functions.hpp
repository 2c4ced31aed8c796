// The functions of NCCL that are used, as a table: filled from the library that is found, or by tests with a fake.
#pragma once

#include <nccl.h>

#include <functional>
#include <string>

namespace hawser::nccl {

/// Named as NCCL's without prefix. The types are spelled out, so that a header that lacks a newer function will do;
/// what the library lacks is empty.
struct functions {
  template <class... Arguments>
  using call = std::function<ncclResult_t(Arguments...)>;

  call<int*> version;
  std::function<const char*(ncclResult_t)> error_text;
  std::function<const char*(ncclComm_t)> last_error;

  call<ncclUniqueId*> unique_id;
  call<ncclComm_t*, int, ncclUniqueId, int, ncclConfig_t*> init;
  call<ncclComm_t, int, int, ncclComm_t*, ncclConfig_t*> split;
  call<ncclComm_t, ncclResult_t*> async_error;
  call<ncclComm_t> finalize, destroy, abort;

  call<> group_start, group_end;
  call<const void*, std::size_t, ncclDataType_t, int, ncclComm_t, cudaStream_t> send;
  call<void*, std::size_t, ncclDataType_t, int, ncclComm_t, cudaStream_t> recv;

  using moving = call<const void*, void*, std::size_t, ncclDataType_t, ncclComm_t, cudaStream_t>;
  using rooted = call<const void*, void*, std::size_t, ncclDataType_t, int, ncclComm_t, cudaStream_t>;
  using reducing = call<const void*, void*, std::size_t, ncclDataType_t, ncclRedOp_t, ncclComm_t, cudaStream_t>;
  reducing all_reduce, reduce_scatter;
  call<const void*, void*, std::size_t, ncclDataType_t, ncclRedOp_t, int, ncclComm_t, cudaStream_t> reduce;
  moving all_gather, all_to_all;
  rooted broadcast, gather, scatter;
  call<ncclRedOp_t*, void*, ncclDataType_t, ncclScalarResidence_t, ncclComm_t> make_premul_sum;
  call<ncclRedOp_t, ncclComm_t> destroy_operator;

  call<ncclComm_t, void*, std::size_t, void**> enroll;  ///< ncclCommRegister: "register" is a keyword
  call<ncclComm_t, void*> deregister;
  call<void**, std::size_t> mem_alloc;
  call<ncclComm_t, int*, int, ncclComm_t*, ncclConfig_t*, int> shrink;

  /// Makes a CUDA device current for the calling thread; CUDA's code, 0 for success. Not NCCL's, which works on the
  /// current device.
  std::function<int(int)> choose_device;
};

/// Calls `visit(name, function, is_required)` for each of NCCL's.
template <class Functions, class Visitor>
void each_function(Functions& f, Visitor&& visit) {
  visit("ncclGetVersion", f.version, true);
  visit("ncclGetErrorString", f.error_text, true);
  visit("ncclGetLastError", f.last_error, true);
  visit("ncclGetUniqueId", f.unique_id, true);
  visit("ncclCommInitRankConfig", f.init, true);
  visit("ncclCommSplit", f.split, false);
  visit("ncclCommGetAsyncError", f.async_error, true);
  visit("ncclCommFinalize", f.finalize, true);
  visit("ncclCommDestroy", f.destroy, true);
  visit("ncclCommAbort", f.abort, true);
  visit("ncclGroupStart", f.group_start, true);
  visit("ncclGroupEnd", f.group_end, true);
  visit("ncclSend", f.send, true);
  visit("ncclRecv", f.recv, true);
  visit("ncclAllReduce", f.all_reduce, true);
  visit("ncclReduceScatter", f.reduce_scatter, true);
  visit("ncclReduce", f.reduce, true);
  visit("ncclAllGather", f.all_gather, true);
  visit("ncclBroadcast", f.broadcast, true);
  visit("ncclRedOpCreatePreMulSum", f.make_premul_sum, true);
  visit("ncclRedOpDestroy", f.destroy_operator, true);
  visit("ncclAlltoAll", f.all_to_all, false);
  visit("ncclGather", f.gather, false);
  visit("ncclScatter", f.scatter, false);
  visit("ncclCommRegister", f.enroll, false);
  visit("ncclCommDeregister", f.deregister, false);
  visit("ncclMemAlloc", f.mem_alloc, false);
  visit("ncclCommShrink", f.shrink, false);
}

}  // namespace hawser::nccl
