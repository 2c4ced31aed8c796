// Ranks of a communicator as a job of their own, for what is opened between them alone: keys with a prefix.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <hawser/bootstrap/bootstrap.hpp>

#include "state.hpp"

namespace hawser::detail {

/// Failures and aborts are those of the communicator's job. It must outlive what it is given to. Agreements and
/// admissions are the job's own affair, and errc::internal here.
class communicator_door final : public bootstrap::bootstrap {
 public:
  using milliseconds = std::chrono::milliseconds;

  /// All of its ranks, or some: this one is number `self` of `size`. `name` is new to the job, the same on all of them
  /// and no other's.
  communicator_door(communicator_state& members, std::string name)
      : communicator_door(members, std::move(name), members.self(), members.size()) {}
  communicator_door(communicator_state& members, std::string name, rank self, int size)
      : job_(members.owner().door()), self_(self), size_(size), prefix_(std::move(name) + ":") {}

  rank self() const noexcept override { return self_; }
  int size() const noexcept override { return size_; }
  void put(std::string_view key, std::string_view value) override { job_.put(prefix_ + std::string(key), value); }
  using bootstrap::get;
  std::string get(std::string_view key, milliseconds timeout,
                  const ::hawser::bootstrap::failure_board& heeded) override {
    return job_.get(prefix_ + std::string(key), timeout, heeded);
  }
  void erase(std::string_view key) override { job_.erase(prefix_ + std::string(key)); }
  ::hawser::bootstrap::failure_board& failures() noexcept override { return job_.failures(); }
  using bootstrap::abort;
  void abort(std::string_view scope, std::string_view reason) override { job_.abort(scope, reason); }
  ::hawser::bootstrap::agreement agree(const ::hawser::bootstrap::question&) override {
    fail(errc::internal, "a part of a job was asked for an agreement");
  }
  ::hawser::bootstrap::admission_notice await_admission(milliseconds) override {
    fail(errc::internal, "a part of a job was asked for an admission");
  }
  std::string local_address() const override { return job_.local_address(); }
  const std::string& secret() const noexcept override { return job_.secret(); }
  void leave() override {}

 private:
  ::hawser::bootstrap::bootstrap& job_;
  rank self_;
  int size_;
  std::string prefix_;
};

}  // namespace hawser::detail
