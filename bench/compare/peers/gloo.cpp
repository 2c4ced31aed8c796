// gloo's all-reduce and all-to-all of float32 over TCP. usage: RANK= WORLD_SIZE= compare_gloo FOLDER [name=value...]
// FOLDER is where the ranks find each other. Variants of all-reduce: halving_doubling (in place), ring, bcube.
#include <unistd.h>

#include <memory>

#include <gloo/allreduce.h>
#include <gloo/allreduce_halving_doubling.h>
#include <gloo/alltoall.h>
#include <gloo/barrier.h>
#include <gloo/math.h>
#include <gloo/rendezvous/context.h>
#include <gloo/rendezvous/file_store.h>
#include <gloo/transport/tcp/device.h>

#include "timing.hpp"

namespace {

int number_of(const char* name) {
  const char* const text = std::getenv(name);
  if (text == nullptr) throw std::invalid_argument(std::string(name) + " is not set");
  return std::atoi(text);
}

class job {
 public:
  job(const std::string& folder, const compare::options& told)
      : told_(told), context_(std::make_shared<gloo::rendezvous::Context>(number_of("RANK"), number_of("WORLD_SIZE"))) {
    char host[256] = {};
    gethostname(host, sizeof host - 1);
    gloo::transport::tcp::attr where;
    where.hostname = host;
    auto device = gloo::transport::tcp::CreateDevice(where);
    gloo::rendezvous::FileStore store(folder);
    context_->setTimeout(std::chrono::seconds(120));
    context_->connectFullMesh(store, device);
  }

  void run() {
    compare::library members{.name = "gloo", .rank = context_->rank, .size = context_->size};
    members.barrier = [this] { barrier(); };
    members.max_over_ranks = [this](std::vector<double>& values) { max_over_ranks(values); };
    compare::buffers data(told_, members);
    if (told_.collective == "all_to_all")
      compare::measure(told_, members, data, {}, [&] { all_to_all(data); });
    else if (told_.variant == "halving_doubling")
      halving_doubling(members, data);
    else
      compare::measure(told_, members, data, {}, [&] { all_reduce(data); });
    barrier();
  }

 private:
  void barrier() {
    gloo::BarrierOptions call(context_);
    call.setTag(tag_++);
    gloo::barrier(call);
  }

  void max_over_ranks(std::vector<double>& values) {
    gloo::AllreduceOptions call(context_);
    call.setOutput(values.data(), values.size());
    call.setTag(tag_++);
    call.setReduceFunction(static_cast<void (*)(void*, const void*, const void*, std::size_t)>(&gloo::max<double>));
    gloo::allreduce(call);
  }

  /// Works in place: the input is copied outside the time.
  void halving_doubling(const compare::library& members, compare::buffers& data) {
    gloo::AllreduceHalvingDoubling<float> algorithm(context_, {data.output.data()}, static_cast<int>(data.block()));
    compare::measure(
        told_, members, data, [&] { data.output = data.input; }, [&] { algorithm.run(); });
  }

  void all_reduce(compare::buffers& data) {
    gloo::AllreduceOptions call(context_);
    call.setInput(data.input.data(), data.input.size());
    call.setOutput(data.output.data(), data.output.size());
    call.setTag(tag_++);
    call.setAlgorithm(told_.variant == "bcube" ? gloo::AllreduceOptions::Algorithm::BCUBE
                                               : gloo::AllreduceOptions::Algorithm::RING);
    call.setReduceFunction(static_cast<void (*)(void*, const void*, const void*, std::size_t)>(&gloo::sum<float>));
    gloo::allreduce(call);
  }

  void all_to_all(compare::buffers& data) {
    gloo::AlltoallOptions call(context_);
    call.setInput(data.input.data(), data.input.size());
    call.setOutput(data.output.data(), data.output.size());
    call.setTag(tag_++);
    gloo::alltoall(call);
  }

  compare::options told_;
  std::shared_ptr<gloo::rendezvous::Context> context_;
  std::uint32_t tag_ = 1;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 2) throw std::invalid_argument("no folder is given");
    job(argv[1], compare::read(argc - 1, argv + 1)).run();
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "compare: %s\n", problem.what());
    return 2;
  }
  return 0;
}
