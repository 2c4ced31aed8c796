// See router.hpp.
#include <hawser/transport/router.hpp>

#include <hawser/core/fault_points.hpp>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

namespace hawser::transport {

namespace {

void watch(int epoll, int descriptor) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = descriptor;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0)
    fail(errc::io, "cannot watch a transport's descriptor", std::strerror(errno));
}

}  // namespace

router::router() {
  if (!detail::is_struck(fault_point::open_descriptor)) epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ >= 0 && !detail::is_struck(fault_point::open_descriptor)) wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (epoll_ < 0 || wake_ < 0) {
    const int reason = errno;
    if (epoll_ >= 0) close(epoll_);  // a constructor that throws has no destructor
    fail(errc::resource, "cannot create the descriptors that a communicator waits on", std::strerror(reason),
         "raise the limit of open files (ulimit -n)");
  }
  try {
    watch(epoll_, wake_);
  } catch (...) {
    close(epoll_);
    close(wake_);
    throw;
  }
}

router::~router() {
  back_ends_.clear();
  if (epoll_ >= 0) close(epoll_);
  if (wake_ >= 0) close(wake_);
}

std::size_t router::add(any_transport back_end) {
  if (const int descriptor = back_end.wait_descriptor(); descriptor >= 0)
    watch(epoll_, descriptor);
  else
    can_block_ = false;
  back_ends_.push_back(std::move(back_end));
  return back_ends_.size() - 1;
}

void router::route(rank peer, std::size_t back_end) {
  const auto index = static_cast<std::size_t>(peer.value);
  if (route_of_.size() <= index) route_of_.resize(index + 1, -1);
  route_of_[index] = static_cast<std::int16_t>(back_end);
}

any_transport* router::back_end_of(rank peer) {
  const auto index = static_cast<std::size_t>(peer.value);
  std::int32_t number = index < route_of_.size() ? route_of_[index] : std::int16_t{-1};
  if (number < 0) number = others_;
  return number < 0 ? nullptr : &back_ends_[static_cast<std::size_t>(number)];
}

std::string_view router::name_for(rank peer) const {
  const any_transport* found = const_cast<router*>(this)->back_end_of(peer);
  return found ? found->name() : "none";
}

namespace {

void fail_without_route(rank peer, completion& done) {
  const failure why{
      errc::unsupported, peer,
      describe("no transport reaches rank " + to_string(peer), {}, "enable tcp, ucx or mpi for ranks on other hosts")};
  done.done(done, &why);
}

}  // namespace

void router::send(rank peer, tag match, std::span<const std::byte> bytes, completion& done) {
  if (any_transport* found = back_end_of(peer)) return found->send(peer, match, bytes, done);
  fail_without_route(peer, done);
}

void router::receive(rank peer, tag match, sink into, completion& done) {
  if (any_transport* found = back_end_of(peer)) return found->receive(peer, match, into, done);
  fail_without_route(peer, done);
}

bool router::progress() {
  bool moved = false;
  for (any_transport& each : back_ends_) moved = each.progress() || moved;
  return moved;
}

bool router::arm() {
  std::uint64_t woken = 0;
  if (read(wake_, &woken, sizeof woken) > 0) return false;
  bool is_idle = true;
  for (any_transport& each : back_ends_) is_idle = each.arm() && is_idle;
  return is_idle;
}

bool router::consumes_in_place(rank peer) const {
  const any_transport* found = const_cast<router*>(this)->back_end_of(peer);
  return found && found->consumes_in_place(peer);
}

void router::peer_failed(const failure& why) {
  for (any_transport& each : back_ends_) each.peer_failed(why);
}

void router::shutdown() {
  for (any_transport& each : back_ends_) each.shutdown();
}

void router::wake() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_, &one, sizeof one);
}

}  // namespace hawser::transport
