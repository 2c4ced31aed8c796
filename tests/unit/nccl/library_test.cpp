// Opening NCCL: libraries that are missing, foreign, too old, too new or cut short, and the real one where there is
// one.
#include <gtest/gtest.h>

#include <hawser/nccl/library.hpp>

#include "unit/nccl/ranks.hpp"

namespace hawser::test {
namespace {

/// The message of errc::unsupported.
template <class F>
std::string refusal_of(F&& call) {
  try {
    call();
  } catch (const error& e) {
    EXPECT_EQ(e.code(), errc::unsupported);
    return e.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

nccl::functions fake_functions(int version) {
  static thread_device device;
  static fake_nccl fake;
  nccl::functions calls = fake.of(0, device);
  calls.version = [version](int* to) {
    *to = version;
    return ncclSuccess;
  };
  return calls;
}

TEST(nccl_library, that_is_missing_is_refused_with_the_way_to_get_it) {
  const std::string text = refusal_of([] { nccl::open_library("/nowhere/libnccl.so.2"); });
  EXPECT_EQ(text.find("NCCL cannot be loaded (/nowhere/libnccl.so.2: "), 0U) << text;
  EXPECT_NE(text.find("; install libnccl2 2.18 or newer, or name its file in HAWSER_NCCL_LIBRARY"), std::string::npos);
}

TEST(nccl_library, that_is_another_is_refused) {
  const std::string text = refusal_of([] { nccl::open_library("libm.so.6"); });
  EXPECT_EQ(text.find("\"libm.so.6\" is not NCCL (it has no ncclGetVersion that answers); "), 0U) << text;
}

TEST(nccl_library, of_an_unknown_version_is_refused) {
  const auto open = [](int version) { return nccl::make_library(fake_functions(version), "a file"); };
  EXPECT_EQ(
      refusal_of([&] { open(21605); }).find("NCCL 2.16.5 is too old (\"a file\"; the oldest that is used is 2.18.0)"),
      0U);
  EXPECT_EQ(refusal_of([&] { open(2708); }).find("NCCL 2.7.8 is too old"), 0U);
  EXPECT_EQ(refusal_of([&] { open(30000); }).find("NCCL 3.0.0 is not known"), 0U);
  EXPECT_EQ(capabilities_of(*open(23007)).version, 23007);
}

TEST(nccl_library, without_a_function_of_every_version_is_refused_by_its_name) {
  nccl::functions all = fake_functions(22005);
  int required = 0;
  nccl::each_function(all, [&](const char* name, auto&, bool is_required) {
    if (!is_required || std::string(name) == "ncclGetVersion") return;
    ++required;
    nccl::functions cut = all;
    nccl::each_function(cut, [&](const char* other, auto& function, bool) {
      if (std::string(other) == name) function = nullptr;
    });
    const std::string text = refusal_of([&] { nccl::make_library(cut, "a file"); });
    EXPECT_EQ(text.find("NCCL 2.20.5 lacks " + std::string(name) + " (\"a file\""), 0U) << text;
  });
  EXPECT_EQ(required, 19);
}

TEST(nccl_library, tells_what_a_version_lacks) {
  EXPECT_TRUE(nccl::capabilities_of(*nccl::make_library(fake_functions(23007), "f")).missing.empty());
  nccl::functions old = fake_functions(21805);
  old.all_to_all = nullptr;
  old.gather = old.scatter = nullptr;
  old.enroll = nullptr;
  old.deregister = nullptr;
  old.mem_alloc = nullptr;
  old.shrink = nullptr;
  const nccl::capabilities can = nccl::capabilities_of(*nccl::make_library(old, "f"));
  EXPECT_EQ(can.missing, (std::vector<std::string>{"ncclAlltoAll", "ncclGather", "ncclScatter", "ncclCommRegister",
                                                   "ncclCommDeregister", "ncclMemAlloc", "ncclCommShrink"}));
  EXPECT_TRUE(can.has_split);
  EXPECT_FALSE(can.has_registration || can.has_memory || can.has_float8 || can.has_shrink || can.has_exchanges);
}

TEST(nccl_library, versions_are_written_as_people_do) {
  EXPECT_EQ(nccl::version_text(22809), "2.28.9");
  EXPECT_EQ(nccl::version_text(21800), "2.18.0");
  EXPECT_EQ(nccl::version_text(2804), "2.8.4");
  EXPECT_GE(nccl::header_version(), nccl::oldest_version);
}

class real_nccl : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* file :
         {"libnccl.so.2", "/usr/local/cuda/lib/libnccl.so.2", "/usr/local/cuda/lib64/libnccl.so.2"}) {
      try {
        found_ = nccl::open_library(file);
        return;
      } catch (const error& e) {
        why_ = e.what();
      }
    }
    GTEST_SKIP() << why_;
  }
  std::shared_ptr<const nccl::library> found_;
  std::string why_;
};

TEST_F(real_nccl, has_what_its_version_should) {
  const nccl::capabilities& can = nccl::capabilities_of(*found_);
  std::cout << "NCCL " << nccl::version_text(can.version) << ", header " << nccl::version_text(nccl::header_version())
            << "\n";
  EXPECT_GE(can.version, nccl::oldest_version);
  EXPECT_TRUE(can.has_split);
  EXPECT_EQ(can.has_registration && can.has_memory, can.version >= 21900);
  EXPECT_EQ(can.has_shrink, can.version >= 22700);
  EXPECT_EQ(can.has_exchanges, can.version >= 22800);
}

TEST_F(real_nccl, without_a_gpu_is_an_error_and_no_crash) {
  if (nccl::choose_cuda_device(0) == 0) GTEST_SKIP() << "this machine has a CUDA device";
  const auto job = bootstrap::in_process_job::create(1);
  const auto door = job->join(0);
  try {
    nccl::communicators({*door, "group"}, {}, found_);
    ADD_FAILURE() << "communicators without a GPU";
  } catch (const error& e) {
    std::cout << e.what() << "\n";
    EXPECT_NE(std::string(e.what()).find("NCCL cannot make"), std::string::npos) << e.what();
    EXPECT_EQ(e.code(), errc::resource);
    EXPECT_NE(e.native_code(), 0);
  }
  try {
    nccl::nccl_options options;
    options.device = 0;
    nccl::communicators({*door, "by number"}, options, found_);
    ADD_FAILURE() << "communicators on a device that is not there";
  } catch (const error& e) {
    EXPECT_EQ(std::string(e.what()).find("rank 0: CUDA device 0 cannot be used (CUDA's driver says "), 0U) << e.what();
    EXPECT_EQ(e.code(), errc::resource);
  }
  door->leave();
}

TEST(nccl_library, is_named_by_the_environment) {
  const auto told = bootstrap::read_launch([](const std::string& name) -> std::optional<std::string> {
    if (name == "HAWSER_NCCL_LIBRARY") return "/nowhere/else.so";
    return std::nullopt;
  });
  EXPECT_EQ(nccl::options_of(told).library, "/nowhere/else.so");
}

}  // namespace
}  // namespace hawser::test
