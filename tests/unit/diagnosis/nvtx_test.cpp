// NVTX ranges, seen by a tool that is linked into this program.
#include <gtest/gtest.h>

#ifndef HAWSER_HAS_NVTX

TEST(nvtx, ranges_of_calls) {
  GTEST_SKIP() << "hawser is built without NVTX";
}

#else

#include <algorithm>
#include <mutex>
#include <set>
#include <string>
#include <vector>

// The types alone: what the headers define is in the library.
#define NVTX_NO_IMPL
#include <nvtx3/nvToolsExt.h>

#include <hawser/communicator/in_process.hpp>

namespace {

struct seen_ranges {
  std::mutex mutex;
  std::set<nvtxRangeId_t> open;
  std::vector<std::string> names;
  std::vector<std::uint64_t> bytes;
  nvtxRangeId_t next = 1;
};

seen_ranges& seen() {
  static seen_ranges all;
  return all;
}

nvtxRangeId_t on_start(nvtxDomainHandle_t, const nvtxEventAttributes_t* shown) {
  const std::lock_guard lock(seen().mutex);
  seen().names.emplace_back(shown->message.ascii);
  seen().bytes.push_back(shown->payload.ullValue);
  seen().open.insert(seen().next);
  return seen().next++;
}

void on_end(nvtxDomainHandle_t, nvtxRangeId_t range) {
  const std::lock_guard lock(seen().mutex);
  EXPECT_EQ(seen().open.erase(range), 1U);
}

int attach(NvtxGetExportTableFunc_t table_of) {
  const auto* callbacks = static_cast<const NvtxExportTableCallbacks*>(table_of(NVTX_ETID_CALLBACKS));
  NvtxFunctionTable table = nullptr;
  unsigned int size = 0;
  if (callbacks == nullptr || callbacks->GetModuleFunctionTable(NVTX_CB_MODULE_CORE2, &table, &size) == 0) return 0;
  *table[NVTX_CBID_CORE2_DomainRangeStartEx] = reinterpret_cast<NvtxFunctionPointer>(&on_start);
  *table[NVTX_CBID_CORE2_DomainRangeEnd] = reinterpret_cast<NvtxFunctionPointer>(&on_end);
  return 1;
}

}  // namespace

/// How NVTX finds a tool that is linked statically.
extern "C" NvtxInitializeInjectionNvtxFunc_t InitializeInjectionNvtx2_fnptr;
NvtxInitializeInjectionNvtxFunc_t InitializeInjectionNvtx2_fnptr = attach;

TEST(nvtx, ranges_of_calls) {
  hawser::run_in_process(2, [](hawser::communicator& members) {
    std::vector<float> data(100, 1.0F);
    members.all_reduce(data);
    members.async().broadcast(data, 0).wait();
  });
  const auto count = [](const std::string& name) { return std::count(seen().names.begin(), seen().names.end(), name); };
  EXPECT_EQ(count("all_reduce"), 2);
  EXPECT_EQ(count("broadcast"), 2);
  EXPECT_EQ(count("barrier"), 2);  // the ranks leave together
  EXPECT_TRUE(seen().open.empty());
  for (std::size_t i = 0; i < seen().names.size(); ++i)
    if (seen().names[i] == "all_reduce") {
      EXPECT_EQ(seen().bytes[i], 400U);
    }
}

#endif
