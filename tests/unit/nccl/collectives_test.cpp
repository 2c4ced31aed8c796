// NCCL's own collectives through hawser, against what they should give; registration of buffers.
#include <hawser/nccl/collectives.hpp>
#include <hawser/nccl/registration.hpp>

#include "unit/nccl/ranks.hpp"

namespace hawser::test {
namespace {

using nccl::communicators;
using nccl::native_queue;

constexpr int size = 3;
constexpr std::size_t count = 5;

/// Rank r has 10 r + i.
class numbers {
 public:
  explicit numbers(nccl_rank& on)
      : on_(on), in_(on.device, size * count * 4), out_(on.device, size * count * 4), stream(on.device.make_stream()) {
    for (std::size_t i = 0; i < size * count; ++i) {
      in()[i] = 10 * on.self + static_cast<int>(i);
      out()[i] = -1;
    }
  }
  numbers(const numbers&) = delete;
  numbers& operator=(const numbers&) = delete;
  ~numbers() { on_.device.destroy(stream); }

  int* in() { return in_.as<int>(); }
  int* out() { return out_.as<int>(); }
  native_queue queue() const { return {0, stream}; }
  /// The first `elements` of the output are those of `wanted`, and what follows is untouched.
  void expect(const char* what, std::size_t elements, const std::function<int(int)>& wanted) {
    on_.device.synchronise(stream);
    for (std::size_t i = 0; i < size * count; ++i) {
      EXPECT_EQ(out()[i], i < elements ? wanted(static_cast<int>(i)) : -1) << what << ", element " << i;
      out()[i] = -1;
    }
  }

 private:
  nccl_rank& on_;
  device_bytes in_, out_;

 public:
  const executor::stream_handle stream;
};

TEST(nccl_collectives, reduce_as_they_should) {
  fake_nccl fake(seed_of_run());
  expect_well(run_nccl(fake, size, [&](nccl_rank& on) {
    const communicators made(on.all(), {}, on.library);
    numbers n(on);
    const auto type = data_type::int32;
    nccl::all_reduce(made, n.queue(), n.in(), n.out(), count, type, op::sum);
    n.expect("sum", count, [](int i) { return 30 + 3 * i; });
    nccl::all_reduce(made, n.queue(), n.in(), n.out(), count, type, op::prod);
    n.expect("prod", count, [](int i) { return i * (10 + i) * (20 + i); });
    nccl::all_reduce(made, n.queue(), n.in(), n.out(), count, type, op::min);
    n.expect("min", count, [](int i) { return i; });
    nccl::all_reduce(made, n.queue(), n.in(), n.out(), count, type, op::max);
    n.expect("max", count, [](int i) { return 20 + i; });
    nccl::all_reduce(made, n.queue(), n.in(), n.out(), count, type, op::avg);
    n.expect("avg", count, [](int i) { return 10 + i; });
    nccl::reduce_scatter(made, n.queue(), n.in(), n.out(), count, type, op::sum);
    n.expect("reduce_scatter", count, [&](int i) { return 30 + 3 * (on.self * static_cast<int>(count) + i); });
    nccl::reduce(made, n.queue(), n.in(), n.out(), count, type, op::sum, 2);
    n.expect("reduce", on.self == 2 ? count : 0, [](int i) { return 30 + 3 * i; });
  }));
  expect_nothing_left(fake);
}

TEST(nccl_collectives, move_as_they_should) {
  fake_nccl fake(seed_of_run());
  constexpr std::size_t bytes = count * 4;
  constexpr int per = static_cast<int>(count);
  expect_well(run_nccl(fake, size, [&](nccl_rank& on) {
    const communicators made(on.all(), {}, on.library);
    numbers n(on);
    nccl::all_gather(made, n.queue(), n.in(), n.out(), bytes);
    n.expect("all_gather", size * count, [&](int i) { return i / per * 10 + i % per; });
    nccl::broadcast(made, n.queue(), n.in(), n.out(), bytes, 1);
    n.expect("broadcast", count, [](int i) { return 10 + i; });
    nccl::all_to_all(made, n.queue(), n.in(), n.out(), bytes);
    n.expect("all_to_all", size * count, [&](int i) { return i / per * 10 + on.self * per + i % per; });
    nccl::gather(made, n.queue(), n.in(), n.out(), bytes, 0);
    n.expect("gather", on.self == 0 ? size * count : 0, [&](int i) { return i / per * 10 + i % per; });
    nccl::scatter(made, n.queue(), n.in(), n.out(), bytes, 2);
    n.expect("scatter", count, [&](int i) { return 20 + on.self * per + i; });
  }));
  expect_nothing_left(fake);
}

TEST(nccl_collectives, multiply_each_rank_by_its_own_factor) {
  fake_nccl fake(seed_of_run());
  expect_well(run_nccl(fake, size, [&](nccl_rank& on) {
    const communicators made(on.all(), {}, on.library);
    device_bytes in(on.device, 8), out(on.device, 8);
    *in.as<double>() = 8;
    nccl::all_reduce(made, {}, in.as(), out.as(), 1, data_type::float64, premultiplied_sum(0.5 + on.self));
    on.device.synchronise({});
    EXPECT_EQ(*out.as<double>(), 8 * (0.5 + 1.5 + 2.5));
  }));
  expect_nothing_left(fake);
}

std::string refusal_of(const std::function<void()>& call, errc code = errc::unsupported) {
  try {
    call();
  } catch (const error& e) {
    EXPECT_EQ(e.code(), code) << e.what();
    return e.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

TEST(nccl_collectives, refuse_what_nccl_lacks) {
  fake_nccl fake;
  fake.version = 21805;
  const auto body = [&](nccl_rank& on) {
    const communicators made(on.all(), {}, on.library);
    device_bytes memory(on.device, 64);
    void* const at = memory.as();
    const auto reduce = [&](data_type type, const reduce_op& by) {
      return refusal_of([&] { nccl::all_reduce(made, {}, at, at, 1, type, by); });
    };
    EXPECT_EQ(reduce(data_type::int16, op::sum),
              "NCCL cannot all-reduce int16 by sum (NCCL has no 16-bit integers); use hawser's own algorithms, which "
              "move bytes");
    EXPECT_NE(reduce(data_type::int32, op::bit_and).find("no bitwise"), std::string::npos);
    EXPECT_NE(reduce(data_type::float8_e4m3, op::sum).find("from 2.24 on"), std::string::npos);
    EXPECT_EQ(refusal_of([&] { nccl::all_to_all(made, {}, at, at, 1); }),
              "NCCL 2.18.5 cannot all-to-all (it can from 2.28 on); use hawser's own algorithms");
    EXPECT_NE(refusal_of([&] { nccl::gather(made, {}, at, at, 1, 0); }), "");
    EXPECT_NE(refusal_of([&] { nccl::scatter(made, {}, at, at, 1, 0); }), "");
    EXPECT_EQ(refusal_of([&] { nccl::registration(made, at, 64); }),
              "NCCL 2.18.5 cannot register buffers (it can from 2.19 on); do without: it works, and copies");
    refusal_of([&] { nccl::broadcast(made, {}, at, at, 1, 1); });
    refusal_of([&] { nccl::all_gather(made, {3, {}}, at, at, 1); }, errc::invalid_argument);
  };
  expect_well(run_nccl(fake, 1, body, [](nccl::functions& calls) {
    calls.all_to_all = nullptr;
    calls.gather = calls.scatter = nullptr;
    calls.enroll = nullptr;
  }));
  expect_nothing_left(fake);
}

TEST(nccl_collectives, leave_no_operator_whichever_call_fails) {
  for (int call = 1;; ++call) {
    ASSERT_LT(call, 1000);
    fake_nccl fake;
    fake.fail_at(0, call, ncclInternalError);
    const auto ends = run_nccl(fake, 1, [&](nccl_rank& on) {
      communicators made(on.all(), {}, on.library);
      device_bytes memory(on.device, 4);
      *memory.as<float>() = 3;
      try {
        nccl::all_reduce(made, {}, memory.as(), memory.as(), 1, data_type::float32, premultiplied_sum(2));
        on.device.synchronise({});
      } catch (const error&) {
        made.abort("a call has failed");  // memory must stay until the stream has let go of it
        on.device.synchronise({});
        throw;
      }
    });
    SCOPED_TRACE(fake.failed());
    expect_nothing_left(fake);
    if (fake.failed().empty()) break;
    if (fake.failed() == "ncclRedOpCreatePreMulSum" || fake.failed() == "ncclRedOpDestroy" ||
        fake.failed() == "ncclAllReduce") {
      EXPECT_EQ(ends[0].code, errc::internal);
    }
  }
}

TEST(nccl_registration, lives_on_every_lane_and_ends_with_its_owner) {
  fake_nccl fake;
  expect_well(run_nccl(fake, 2, [&](nccl_rank& on) {
    nccl::nccl_options options;
    options.lanes = 2;
    auto made = std::make_unique<communicators>(on.all(), options, on.library);
    device_bytes memory(on.device, 64);
    nccl::registration first(*made, memory.as(), 64);
    nccl::registration second = std::move(first);
    EXPECT_EQ(refusal_of([&] { nccl::registration(*made, nullptr, 64); }, errc::invalid_argument),
              "an empty buffer cannot be registered with NCCL");
    made.reset();  // the registration keeps what it needs
    EXPECT_GE(fake.live(), 4U);
  }));
  expect_nothing_left(fake);
}

TEST(nccl_registration, is_gone_with_an_aborted_communicator) {
  fake_nccl fake;
  expect_well(run_nccl(fake, 1, [&](nccl_rank& on) {
    communicators made(on.all(), {}, on.library);
    device_bytes memory(on.device, 64);
    const nccl::registration held(made, memory.as(), 64);
    made.abort("enough");
  }));
  expect_nothing_left(fake);
}

}  // namespace
}  // namespace hawser::test
