// See job.hpp.
#include "job.hpp"

#include <unistd.h>
#include <algorithm>
#include <exception>
#include <fstream>
#include <map>

#include <hawser/communicator/communicator.hpp>

#include "../core/socket.hpp"

namespace hawser::detail {

namespace {

/// How long a lost connection waits for the failure detector's word on who is to blame.
constexpr milliseconds longest_patience{5'000};

/// How an aggregator introduces itself, before the name of its level.
const std::string aggregator_mark = "aggregator of ";

/// Of the machine, whatever part of it this process is bound to.
int core_count() {
  return static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
}

std::string host_name() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

/// The same for all hosts that one kernel runs; where it does not say, a host is a machine of its own.
std::string machine_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  return std::getline(file, id) && !id.empty() ? id : host_name();
}

/// Length-prefixed texts one after the other.
std::string join(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& each : texts) all.append(std::to_string(each.size())).append(":").append(each);
  return all;
}

std::vector<std::string> take_apart(const std::string& all, std::size_t count) {
  std::vector<std::string> texts;
  std::size_t at = 0;
  while (texts.size() < count) {
    const std::size_t colon = all.find(':', at);
    if (colon == std::string::npos) fail(errc::internal, "an exchange between ranks is cut short");
    const std::size_t length = std::stoul(all.substr(at, colon - at));
    texts.push_back(all.substr(colon + 1, length));
    at = colon + 1 + length;
  }
  return texts;
}

}  // namespace

error to_error(const transport::failure& why, std::string_view doing) {
  const bool names_peer = why.peer.value >= 0 && why.code == errc::peer_failed;
  const std::string problem =
      std::string(doing) + (names_peer ? " failed: rank " + to_string(why.peer) + " failed" : " failed");
  error made(why.code, describe(problem, why.what));
  if (why.peer.value >= 0) made.with_peer(why.peer);
  return made;
}

namespace {

std::unique_ptr<bootstrap::members_door> door_of_all(std::unique_ptr<bootstrap::bootstrap> root) {
  std::vector<rank> all = bootstrap::all_members(*root);
  auto shared = std::make_shared<bootstrap::shared_door>(std::move(root));
  return std::make_unique<bootstrap::members_door>(std::move(shared), std::string(), std::move(all));
}

}  // namespace

job::job(std::unique_ptr<bootstrap::bootstrap> door, communicator_options options)
    : job(door_of_all(std::move(door)), std::move(options)) {}

job::job(std::unique_ptr<bootstrap::members_door> door, communicator_options options)
    : door_(std::move(door)), options_(std::move(options)) {
  if (options_.transports.empty()) options_.transports = default_transports();
  prepare_faults();
  identify_hosts();
  auto wire = open_transports();
  watch_links();
  // Hosts may be containers of one machine, and share its cores.
  const auto here = std::count(machine_numbers_.begin(), machine_numbers_.end(),
                               machine_numbers_[static_cast<std::size_t>(self().value)]);
  engine_ = std::make_unique<executor::engine>(
      std::move(wire), executor::wait_policy::for_ranks_on_host(static_cast<int>(here)), [this] { take_notices(); });
  start_dumps();
  door_->failures().add_listener({&job::on_notice, this});
  engine_->interrupt();  // notices that came before
}

/// hawser's own TCP uses one interface, other transports what the host has.
void job::watch_links() {
  if (std::equal(host_numbers_.begin() + 1, host_numbers_.end(), host_numbers_.begin())) return;
  std::string interface;
  if (transport_between_hosts() == "tcp")
    interface = net::interface_with(options_.interface.empty() ? door_->local_address() : options_.interface);
  ports_.emplace(options_.system_root, std::move(interface));
}

std::optional<double> job::share_of_ports() {
  if (!ports_ || self().value >= ranks()) return std::nullopt;
  const auto mine = rank_host_numbers_.begin() + self().value;
  const auto here = std::count(rank_host_numbers_.begin(), rank_host_numbers_.end(), *mine);
  const auto before = std::count(rank_host_numbers_.begin(), mine, *mine);
  const std::vector<double> shares = ports_->look(static_cast<int>(here));
  return shares.empty() ? std::nullopt : std::optional(shares[static_cast<std::size_t>(before)]);
}

void job::start_dumps() {
  if (options_.dump_directory.empty()) return;
  dumps_ = dump_service::shared();
  if (options_.dump_signal != 0 && !dumps_->listen_to(options_.dump_signal)) options_.dump_signal = 0;
  dumps_->add(*this);
}

job::~job() {
  if (helper_) helper_->remove(*engine_);
  write_trace();
  say_goodbye();
  engine_->shutdown();
  left_.clear();
  door_->failures().remove_listener({&job::on_notice, this});
  if (dumps_) dumps_->remove(*this);
}

void job::say_goodbye() noexcept {
  // A rank that unwinds from an error leaves without a word, so that the others learn of it.
  if (std::uncaught_exceptions() > 0) return;
  try {
    door_->leave();
  } catch (const std::exception&) {  // the job is over for this rank either way
  }
}

std::vector<std::string> job::exchange(std::string_view what, const std::string& mine) {
  const std::string key(what);
  const auto timeout = options_.rendezvous_timeout;
  door_->put(key + "/" + to_string(self()), mine);
  // Rank 0 collects and publishes once: 2n messages at the store instead of n^2.
  if (self() == rank(0)) {
    std::vector<std::string> texts;
    texts.reserve(static_cast<std::size_t>(size()));
    for (int r = 0; r < size(); ++r) texts.push_back(door_->get(key + "/" + std::to_string(r), timeout));
    door_->put(key, join(texts));
    return texts;
  }
  return take_apart(door_->get(key, timeout), static_cast<std::size_t>(size()));
}

void job::identify_hosts() {
  const transport::registry& lines = options_.transports;
  std::string suited;
  for (const transport::factory& line : lines) suited += !line.suits_host || line.suits_host() ? '1' : '0';
  suited += options_.has_tls ? 't' : '-';
  suited += options_.has_checksums ? 'c' : '-';
  suits_all_.assign(lines.size(), true);
  std::vector<std::string> known, machines;
  const auto number_of = [](std::vector<std::string>& among, const std::string& identity) {
    const auto found = std::find(among.begin(), among.end(), identity);
    const auto number = static_cast<int>(found - among.begin());
    if (found == among.end()) among.push_back(identity);
    return number;
  };
  const std::string part = options_.aggregates ? aggregator_mark + *options_.aggregates : std::string();
  const std::string mine =
      part + "\n" + host_name() + "\n" + machine_id() + "\n" + std::to_string(core_count()) + "\n" + suited;
  int participant = 0;
  for (std::string introduction : exchange("host", mine)) {
    note_part(introduction.substr(0, introduction.find('\n')), participant++);
    introduction.erase(0, introduction.find('\n') + 1);
    const std::size_t end = introduction.rfind('\n'), cores = introduction.rfind('\n', end - 1);
    const std::string identity = introduction.substr(0, cores), theirs = introduction.substr(end + 1);
    if (theirs.size() != suited.size())
      hawser::fail(errc::mismatch, "the ranks have different transports",
                   std::to_string(theirs.size() - 2) + " on one, " + std::to_string(lines.size()) + " on this one",
                   "pass the same communicator_options::transports on all ranks");
    if (theirs.back() != suited.back())
      hawser::fail(errc::mismatch, "some ranks send checksums and others do not",
                   "rank " + std::to_string(participant - 1) + (options_.has_checksums ? " does not" : " does"),
                   "set HAWSER_CHECKSUMS, or communicator_options::has_checksums, alike on all ranks");
    if (theirs[lines.size()] != suited[lines.size()])
      hawser::fail(errc::mismatch, "some ranks use TLS and others do not",
                   "rank " + std::to_string(participant - 1) + (options_.has_tls ? " does not" : " does"),
                   "set HAWSER_TLS, or communicator_options::has_tls, alike on all ranks");
    for (std::size_t i = 0; i < lines.size(); ++i) suits_all_[i] = suits_all_[i] && theirs[i] == '1';
    host_names_.push_back(identity.substr(0, identity.find('\n')));
    host_numbers_.push_back(number_of(known, identity));
    machine_numbers_.push_back(number_of(machines, identity.substr(identity.find('\n'))));
    core_counts_.push_back(std::stoi(introduction.substr(cores + 1)));
  }
  host_names_.resize(static_cast<std::size_t>(ranks()));
  rank_host_numbers_.assign(host_numbers_.begin(), host_numbers_.begin() + ranks());
}

/// A process is a rank or, after all ranks, an aggregator.
void job::note_part(const std::string& part, int participant) {
  if (part.starts_with(aggregator_mark)) {
    if (participant == 0)
      hawser::fail(errc::mismatch, "process 0 of the job is an aggregator", "ranks come first",
                   "start the aggregators as the last processes of the job");
    aggregated_.push_back(part.substr(aggregator_mark.size()));
  } else if (!aggregated_.empty()) {
    hawser::fail(errc::mismatch, "process " + std::to_string(participant) + " of the job is a rank",
                 "process " + std::to_string(participant - 1) + " is an aggregator, and ranks come first",
                 "start the aggregators as the last processes of the job");
  }
}

/// Says so where the failed process is an aggregator.
transport::failure job::named(transport::failure why) const {
  if (why.peer.value < ranks()) return why;
  const std::string& level = aggregated_[static_cast<std::size_t>(why.peer.value - ranks())];
  const std::string what = "process " + to_string(why.peer) + " is the aggregator of the switch over " +
                           (level.empty() ? "the outermost level" : "level " + level);
  if (!why.what.starts_with(what)) why.what = what + ": " + why.what;
  return why;
}

double job::ranks_per_core(const std::vector<rank>& members) const {
  std::map<int, int> ranks;
  double most = 1;
  for (int r = 0; r < (members.empty() ? size() : static_cast<int>(members.size())); ++r) {
    const auto at = static_cast<std::size_t>(members.empty() ? r : members[static_cast<std::size_t>(r)].value);
    most = std::max(most, static_cast<double>(++ranks[machine_numbers_[at]]) / core_counts_[at]);
  }
  return most;
}

bool job::drive_in_background() {
  if (options_.progress == progress::caller || !engine_->can_block()) return false;
  std::lock_guard lock(helper_mutex_);
  if (helper_) return true;
  helper_ = executor::progress_thread::shared();
  engine_->set_helper(helper_.get());
  helper_->add(*engine_);
  return true;
}

void job::keep_until_shutdown(std::shared_ptr<void> left) {
  std::lock_guard lock(helper_mutex_);
  left_.push_back(std::move(left));
}

void job::on_notice(void* self) {
  auto& told = *static_cast<job*>(self);
  told.engine_->interrupt();
  if (told.dumps_) told.dumps_->wake();  // the rank may be in no call, and yet have to say where it is
}

void job::take_notices() {
  for (const bootstrap::failure_notice& notice : door_->failures().since(seen_notices_)) {
    ++seen_notices_;
    const transport::failure why = named({notice.code, notice.peer.value_or(rank(-1)), notice.reason, notice.kind});
    dump_at_failure(why);  // before what is under way ends
    {
      std::lock_guard lock(mutex_);
      if (failed_) continue;
      failed_ = why;
      has_failed_.store(true, std::memory_order_release);
    }
    engine_->fail_all(why);
    has_notice_.store(true, std::memory_order_release);
  }
}

transport::failure job::fail(const transport::failure& why) {
  if (why.code == errc::peer_failed && !has_failed_.load(std::memory_order_acquire)) {
    // Nobody may know yet, or the peer lives and only the link to it is gone.
    if (!has_notice_.load(std::memory_order_acquire)) door_->report_lost({}, why.peer, why.what);
    wait_for_notice();
  }
  transport::failure cause;
  {
    std::lock_guard lock(mutex_);
    if (!failed_) failed_ = named(why);
    has_failed_.store(true, std::memory_order_release);
    cause = *failed_;
  }
  dump_at_failure(cause);
  engine_->fail_all(cause);
  // A death becomes known to all. A link that is cut between two ranks that live does not: this rank will leave in good
  // order, and who waits for it to connect would wait for ever.
  const bool is_known_to_all = cause.code == errc::peer_failed && has_notice_.load(std::memory_order_acquire);
  if (!is_known_to_all && cause.code != errc::aborted) door_->abort("rank " + to_string(self()) + ": " + cause.what);
  return cause;
}

void job::wait_for_notice() {
  const auto patience = std::min<milliseconds>(options_.peer_timeout / 2, longest_patience);
  engine_->wait_for(has_notice_, std::chrono::steady_clock::now() + patience);
}

void job::check() const {
  if (!has_failed_.load(std::memory_order_acquire)) return;
  std::lock_guard lock(mutex_);
  if (failed_) throw to_error(*failed_, "the communicator cannot be used any more: an earlier call");
}

std::optional<transport::failure> job::failed() const {
  std::lock_guard lock(mutex_);
  return failed_;
}

void job::abort(std::string_view reason) {
  door_->abort(reason);
}

}  // namespace hawser::detail
