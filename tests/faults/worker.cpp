// One rank of the fault campaign, or its store (--serve RANKS). It says what happened in lines of JSON on its output;
// the campaign does the rest. Options: NAME VALUE pairs, see `settings`.
#include <dirent.h>
#include <time.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include <hawser/bootstrap/launcher.hpp>
#include <hawser/communicator/communicator.hpp>
#include <hawser/transport/faults.hpp>
#include <hawser/transport/shared_memory.hpp>
#include <hawser/transport/tcp.hpp>

#include "calls.hpp"

namespace {

using namespace hawser;
using std::chrono::milliseconds;

constexpr std::int64_t calls_between_looks = 8;

/// Seconds of the clock that all processes of the machine share, so that the campaign can compare.
double now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

std::string quoted(std::string_view text) {
  std::string made = "\"";
  for (const char each : text) {
    if (each == '"' || each == '\\') made += '\\';
    made += static_cast<unsigned char>(each) < ' ' ? ' ' : each;
  }
  return made + '"';
}

void say(const std::string& event, const std::string& fields) {
  std::printf("{\"event\":\"%s\",\"at\":%.6f%s}\n", event.c_str(), now(), fields.c_str());
  std::fflush(stdout);
}

int entries_of(const char* folder) {
  DIR* const open = opendir(folder);
  int count = 0;
  while (open && readdir(open)) ++count;
  if (open) closedir(open);
  return count - 2 - (std::strstr(folder, "/fd") ? 1 : 0);  // ".", ".." and the descriptor of the listing itself
}

/// Resident memory in KiB.
long resident() {
  std::ifstream file("/proc/self/statm");
  long whole = 0, pages = 0;
  file >> whole >> pages;
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

using settings = std::map<std::string, std::string>;

std::int64_t number(const settings& given, const std::string& name, std::int64_t otherwise) {
  const auto found = given.find(name);
  return found == given.end() ? otherwise : std::stoll(found->second);
}

communicator_options options_from(const settings& given) {
  communicator_options options = options_of(bootstrap::read_launch());
  const std::string transport = given.contains("--transport") ? given.at("--transport") : "auto";
  if (transport == "tcp") options.transports = {transport::tcp_factory()};
  if (transport == "shm") options.transports = {transport::shared_memory_factory()};
  options.peer_timeout = milliseconds(number(given, "--peer-timeout", 2'000));
  options.operation_timeout = milliseconds(number(given, "--operation-timeout", 20'000));
  options.rendezvous_timeout = milliseconds(number(given, "--rendezvous-timeout", 10'000));
  options.topology = "hosts";
  return options;
}

/// Random calls until rank 0 has had them for `--seconds`, or `--calls` were made. --report N: figures every N calls.
void work(communicator& members, const settings& given, test::random_calls& calls) {
  const double end = now() + static_cast<double>(number(given, "--milliseconds", 1'000'000'000)) / 1e3;
  const std::int64_t most = number(given, "--calls", INT64_MAX), report = number(given, "--report", INT64_MAX);
  double since = now();
  while (calls.made() < most) {
    calls.make_one(members);
    if (calls.made() % report == 0) {
      const double each = (now() - since) / static_cast<double>(report);
      say("figures", ",\"calls\":" + std::to_string(calls.made()) + ",\"rss\":" + std::to_string(resident()) +
                         ",\"files\":" + std::to_string(entries_of("/proc/self/fd")) +
                         ",\"threads\":" + std::to_string(entries_of("/proc/self/task")) +
                         ",\"seconds\":" + std::to_string(each) + ",\"wrong\":" + std::to_string(calls.wrong()));
      since = now();
    }
    if (calls.made() % calls_between_looks == 0 &&
        calls.agree_to_stop(members, members.rank() == rank(0) && now() > end))
      return;
  }
}

/// Says which faults have been injected since it was last asked, and into which call of this rank.
class fault_reporter {
 public:
  explicit fault_reporter(const communicator& members) : members_(members) {}

  void operator()(std::int64_t call) {
    const std::vector<transport::injected_fault> injected = members_.injected_faults();
    for (; told_ < injected.size(); ++told_)
      say("injected", ",\"kind\":" + quoted(transport::to_string(injected[told_].kind)) + ",\"to\":" +
                          std::to_string(injected[told_].to.value) + ",\"bytes\":" +
                          std::to_string(injected[told_].bytes) + ",\"in_call\":" + std::to_string(call));
  }

 private:
  const communicator& members_;
  std::size_t told_ = 0;
};

void say_failure(const error& failed, const test::random_calls& calls, double call_began) {
  say("failed", ",\"code\":" + quoted(to_string(failed.code())) + ",\"peer\":" +
                    std::to_string(failed.peer() ? failed.peer()->value : -1) + ",\"call\":" + quoted(calls.last()) +
                    ",\"since_call\":" + std::to_string(now() - call_began) + ",\"what\":" + quoted(failed.what()));
}

/// The survivors must get right results among themselves.
void recover(communicator& members, const settings& given) {
  const double began = now();
  try {
    const shrunk_communicator rest = members.shrink();
    test::random_calls calls(static_cast<std::uint64_t>(number(given, "--seed", 1)) + 1, 4096,
                             std::pmr::new_delete_resource());
    constexpr int calls_on_the_rest = 16;
    for (int i = 0; i < calls_on_the_rest; ++i) calls.make_one(*rest.members);
    say("shrunk", ",\"size\":" + std::to_string(rest.members->size()) + ",\"took\":" + std::to_string(now() - began) +
                      ",\"wrong\":" + std::to_string(calls.wrong()));
  } catch (const std::exception& failed) {
    say("not_shrunk", ",\"what\":" + quoted(failed.what()));
  }
}

int run_rank(const settings& given) {
  std::pmr::memory_resource* from = std::pmr::new_delete_resource();
  if (number(given, "--host-memory", 0) != 0) {
    from = &host_memory();
    from->deallocate(from->allocate(1), 1);  // its descriptor stays with the process, as it says
  }
  const int files_before = entries_of("/proc/self/fd");
  test::random_calls calls(static_cast<std::uint64_t>(number(given, "--seed", 1)), number(given, "--most", 4096), from);
  const double began = now();
  try {
    const communicator_options options = options_from(given);
    bootstrap::launch launch = bootstrap::read_launch();
    launch.peer_timeout = options.peer_timeout;
    communicator members(bootstrap::join_store(launch, options.rendezvous_timeout), options);
    fault_reporter report(members);
    calls.watch([&report](std::int64_t call) { report(call); });
    try {
      calls.barrier(members);
      say("ready", "");
      work(members, given, calls);
    } catch (const error& failed) {
      report(calls.completed());
      say_failure(failed, calls, began);
      if (number(given, "--shrink", 0) != 0) recover(members, given);
    }
  } catch (const error& failed) {
    say_failure(failed, calls, began);
  } catch (const std::exception& failed) {
    say("failed", ",\"code\":\"" + std::string("exception") + "\",\"peer\":-1,\"what\":" + quoted(failed.what()));
  }
  say("end", ",\"calls\":" + std::to_string(calls.made()) + ",\"completed\":" +
                 std::to_string(calls.completed()) + ",\"wrong\":" + std::to_string(calls.wrong()) +
                 ",\"files\":" + std::to_string(entries_of("/proc/self/fd") - files_before) + ",\"threads\":" +
                 std::to_string(entries_of("/proc/self/task")) + ",\"rss\":" + std::to_string(resident()));
  return 0;
}

/// The store of a job as a launcher runs it. Ends when its input is closed.
int serve(const settings& given) {
  const bootstrap::launch launch = bootstrap::read_launch();
  bootstrap::store_server_options options;
  options.size = static_cast<int>(number(given, "--serve", 1));
  options.address = given.contains("--address") ? given.at("--address") : "127.0.0.1";
  options.secret = launch.secret;
  options.peer_timeout = milliseconds(number(given, "--peer-timeout", 2'000));
  bootstrap::store_server server(options);
  say("port", ",\"port\":" + std::to_string(server.port()));
  char ignored;
  while (read(STDIN_FILENO, &ignored, 1) > 0) {
  }
  server.close(milliseconds(100));
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  settings given;
  for (int i = 1; i + 1 < count; i += 2) given[arguments[i]] = arguments[i + 1];
  try {
    return given.contains("--serve") ? serve(given) : run_rank(given);
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "worker: %s\n", failed.what());
    return 1;
  }
}
