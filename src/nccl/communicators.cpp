// The public face of a group's lanes.
#include <hawser/nccl/communicators.hpp>

#include <utility>

#include "nccl/group_state.hpp"

namespace hawser::nccl {

nccl_options options_of(const bootstrap::launch& from) {
  nccl_options told;
  told.library = from.nccl_library;
  return told;
}

communicators::communicators(const membership& group, const nccl_options& options)
    : communicators(group, options, nullptr) {}

communicators::communicators(const membership& group, const nccl_options& options,
                             std::shared_ptr<const library> opened)
    : state_(std::make_shared<detail::group_state>(group, options, std::move(opened))) {
  make_lanes(*state_, nullptr, "nccl/" + group.name);
}

communicators::communicators(std::shared_ptr<detail::group_state> state) : state_(std::move(state)) {}
communicators::~communicators() = default;

std::unique_ptr<communicators> communicators::split(std::string_view name, std::vector<rank> members) const {
  const membership part{state_->job, state_->name + "/" + std::string(name), std::move(members), &state_->heeded};
  auto made = std::make_shared<detail::group_state>(part, state_->options, state_->opened);
  for (const rank each : made->members) state_->place_of(each);
  make_lanes(*made, state_.get(), "nccl/" + part.name);
  return std::unique_ptr<communicators>(new communicators(std::move(made)));
}

int communicators::place() const noexcept {
  return state_->place;
}
std::span<const rank> communicators::members() const noexcept {
  return state_->members;
}
int communicators::lanes() const noexcept {
  return state_->options.lanes;
}
const capabilities& communicators::can() const noexcept {
  return state_->opened->can();
}

std::optional<transport::failure> communicators::poll_failure() {
  for (const auto& each : state_->lanes)
    if (auto failed = each->poll()) return failed;
  return std::nullopt;
}

void communicators::abort(std::string_view reason) noexcept {
  state_->abort(reason);
}

}  // namespace hawser::nccl
