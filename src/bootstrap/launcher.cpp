// Reads the launcher's variables and joins the job over the store.
#include <hawser/bootstrap/launcher.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <hawser/core/error.hpp>
#include <hawser/core/hmac.hpp>
#include <hawser/core/units.hpp>

#include "../core/socket.hpp"

namespace hawser::bootstrap {
namespace {

constexpr std::size_t longest_secret = 4096;
constexpr int slurm_first_port = 15000;  // as PyTorch Lightning derives it: 15000 + the job id's last four digits
constexpr int slurm_ports = 10000;
constexpr int most_ports = 65535;

/// The variables of one launcher, most specific first; the first one whose rank is set is believed.
struct launcher_variables {
  const char* name;
  const char* rank;
  const char* size;
  const char* local_rank;
};
constexpr launcher_variables launchers[] = {
    {"torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK"},
    {"Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"},
    {"Hydra", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"},
    {"Slurm", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"},
    {"PMIx", "PMIX_RANK", "PMIX_SIZE", "PMIX_LOCAL_RANK"},
};

/// Set and not empty.
std::optional<std::string> value_of(const variable_lookup& variable, const std::string& name) {
  std::optional<std::string> value = variable(name);
  return value && !value->empty() ? value : std::nullopt;
}

std::optional<int> number_of(const variable_lookup& variable, const std::string& name, int least) {
  const std::optional<std::string> text = value_of(variable, name);
  if (!text) return std::nullopt;
  int value = 0;
  const auto [end, status] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (status != std::errc{} || end != text->data() + text->size() || value < least)
    fail(errc::parse, "cannot read " + name + "=\"" + *text + "\"",
         "it must be a whole number of at least " + std::to_string(least));
  return value;
}

/// 0 or 1; not set counts as 0.
bool flag_of(const variable_lookup& variable, const std::string& name) {
  const auto text = value_of(variable, name);
  if (text && *text != "0" && *text != "1")
    fail(errc::parse, "cannot read " + name + "=\"" + *text + "\"", "it must be 0 or 1");
  return text == "1";
}

/// "on" or "off"; not set counts as off.
bool switch_of(const variable_lookup& variable, const std::string& name) {
  const auto text = value_of(variable, name);
  if (text && *text != "on" && *text != "off" && *text != "1" && *text != "0")
    fail(errc::parse, "cannot read " + name + "=\"" + *text + "\"", "it must be on or off");
  return text == "on" || text == "1";
}

void read_ranks(const variable_lookup& variable, launch& out) {
  for (const launcher_variables& each : launchers) {
    const std::optional<int> rank = number_of(variable, each.rank, 0);
    if (!rank) continue;
    std::optional<int> size = number_of(variable, each.size, 1);
    // PMIx tells the size by a call, not by a variable; Slurm's or nobody's counts then.
    if (!size && std::string_view(each.name) == "PMIx") size = number_of(variable, "SLURM_NTASKS", 1);
    if (!size && std::string_view(each.name) == "PMIx") continue;
    if (!size)
      fail(errc::invalid_argument, std::string(each.rank) + " is set and " + each.size + " is not",
           "a rank needs to know the number of ranks", std::string("set ") + each.size);
    if (*rank >= *size)
      fail(errc::invalid_argument,
           std::string(each.rank) + "=" + std::to_string(*rank) + " with " + each.size + "=" + std::to_string(*size),
           "ranks go from 0 to " + std::to_string(*size - 1));
    out.launcher_name = each.name;
    out.rank = rank;
    out.size = size;
    out.local_rank = number_of(variable, each.local_rank, 0);
    if (out.local_rank && *out.local_rank >= *size)
      fail(errc::invalid_argument,
           std::string(each.local_rank) + "=" + std::to_string(*out.local_rank) + " with " + each.size + "=" +
               std::to_string(*size),
           "there are not so many ranks");
    return;
  }
  if (value_of(variable, "WORLD_SIZE"))
    fail(errc::invalid_argument, "WORLD_SIZE is set and RANK is not", "a rank needs both",
         "start the program with torchrun or mpirun, or set both");
}

/// The first host of "gpu[003-007,9],login1": a prefix and the first number of the bracket as it is written.
std::string first_host(std::string_view list) {
  const std::size_t end = list.find_first_of(",[");
  std::string host(list.substr(0, end));
  if (end == std::string_view::npos || list[end] == ',') return host;
  const std::string_view inside = list.substr(end + 1);
  host += inside.substr(0, inside.find_first_of(",-]"));
  const std::size_t close = inside.find(']');
  if (close == std::string_view::npos)
    fail(errc::parse, "cannot read the host list \"" + std::string(list) + "\"", "a bracket is not closed");
  const std::string_view suffix = inside.substr(close + 1);
  return host.append(suffix.substr(0, suffix.find(',')));
}

int port_of(std::string_view text, const std::string& name) {
  int port = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (status != std::errc{} || end != text.data() + text.size() || port < 1 || port > most_ports)
    fail(errc::parse, "cannot read the port \"" + std::string(text) + "\" of " + name, "it must be 1 to 65535");
  return port;
}

void read_store(const variable_lookup& variable, launch& out) {
  if (const auto store = value_of(variable, "HAWSER_STORE")) {
    const std::size_t colon = store->rfind(':');
    if (colon == std::string::npos || colon == 0)
      fail(errc::parse, "cannot read HAWSER_STORE=\"" + *store + "\"", "it must be host:port");
    const bool has_brackets = store->front() == '[' && (*store)[colon - 1] == ']';  // IPv6
    out.master_address = has_brackets ? store->substr(1, colon - 2) : store->substr(0, colon);
    out.master_port = port_of(std::string_view(*store).substr(colon + 1), "HAWSER_STORE");
    out.is_store_external = true;
    return;
  }
  if (const auto address = value_of(variable, "MASTER_ADDR")) out.master_address = *address;
  if (const auto port = value_of(variable, "MASTER_PORT")) {
    out.master_port = port_of(*port, "MASTER_PORT");
    // torchrun's agent then listens on MASTER_PORT itself.
    if (variable("TORCHELASTIC_USE_AGENT_STORE") == "True" && out.master_port < most_ports) ++out.master_port;
  }
  if (out.launcher_name != "Slurm" && !(out.launcher_name == "PMIx" && value_of(variable, "SLURM_JOB_ID"))) return;
  if (out.master_address.empty())
    if (const auto hosts = value_of(variable, "SLURM_STEP_NODELIST")) out.master_address = first_host(*hosts);
  if (out.master_port == 0)
    if (const auto job = number_of(variable, "SLURM_JOB_ID", 0))
      out.master_port = slurm_first_port + (*job + number_of(variable, "SLURM_STEP_ID", 0).value_or(0)) % slurm_ports;
}

/// The descriptor is checked, not the name, so that the file cannot be exchanged in between.
std::string read_secret_file(const std::string& path) {
  const std::string problem = "cannot use the secret file \"" + path + "\"";
  const net::unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) net::fail_errno(errno, problem);
  struct stat status {};
  if (::fstat(fd.value(), &status) != 0) net::fail_errno(errno, problem);
  if (!S_ISREG(status.st_mode)) fail(errc::invalid_argument, problem, "it is not a regular file");
  if (status.st_mode & (S_IRWXG | S_IRWXO))
    fail(errc::authentication, problem, "others than its owner may use it", "run chmod 600 on it");
  std::string secret;
  std::array<char, 512> buffer;
  for (;;) {
    const ssize_t got = ::read(fd.value(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) net::fail_errno(errno, problem);
    if (got == 0) break;
    secret.append(buffer.data(), static_cast<std::size_t>(got));
    if (secret.size() > longest_secret) fail(errc::invalid_argument, problem, "it is longer than 4096 bytes");
  }
  secret.erase(secret.find_last_not_of(" \t\r\n") + 1);
  if (secret.empty()) fail(errc::invalid_argument, problem, "it is empty");
  return secret;
}

void read_secret(const variable_lookup& variable, launch& out) {
  const auto file = value_of(variable, "HAWSER_SECRET_FILE");
  const auto text = value_of(variable, "HAWSER_SECRET");
  if (file && text)
    fail(errc::invalid_argument, "HAWSER_SECRET_FILE and HAWSER_SECRET are both set", "only one of them can count",
         "unset HAWSER_SECRET");
  if (file) out.secret = read_secret_file(*file);
  if (text) out.secret = *text;
  out.allow_empty_secret = flag_of(variable, "HAWSER_ALLOW_NO_SECRET");
}

milliseconds read_timeout(const std::string& text) {
  const bool is_bare = text.find_first_not_of("0123456789.") == std::string::npos;
  const double value = parse_seconds(is_bare ? text + "s" : text).count();
  constexpr double least = 0.1, most = 86400;
  if (value < least || value > most)
    fail(errc::parse, "cannot use HAWSER_PEER_TIMEOUT=\"" + text + "\"", "it must be between 100ms and one day");
  return std::chrono::duration_cast<milliseconds>(seconds(value));
}

/// A number, or the name of one of the signals that programs leave to others.
int signal_of(const std::string& text) {
  constexpr std::pair<std::string_view, int> names[] = {
      {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"QUIT", SIGQUIT}, {"HUP", SIGHUP}, {"none", 0}};
  const std::string_view name = std::string_view(text).substr(text.starts_with("SIG") ? 3 : 0);
  for (const auto& [known, number] : names)
    if (name == known) return number;
  int number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || end != text.data() + text.size() || number < 0 || number > SIGRTMAX ||
      number == SIGKILL || number == SIGSTOP)
    fail(errc::parse, "cannot use HAWSER_DUMP_SIGNAL=\"" + text + "\"", "it is no signal that can be caught",
         "use SIGUSR1, SIGUSR2, SIGQUIT, SIGHUP, a number, or none");
  return number;
}

void read_dump(const variable_lookup& variable, launch& out) {
  out.dump_directory = value_of(variable, "HAWSER_DUMP_DIR").value_or("");
  out.trace_directory = value_of(variable, "HAWSER_TRACE").value_or("");
  if (const auto text = value_of(variable, "HAWSER_DUMP_SIGNAL"))
    out.dump_signal = signal_of(*text);
  else if (!out.dump_directory.empty())
    out.dump_signal = SIGUSR2;
  if (out.dump_signal != 0 && out.dump_directory.empty())
    fail(errc::invalid_argument, "HAWSER_DUMP_SIGNAL is set and HAWSER_DUMP_DIR is not",
         "a dump needs a folder to be written to", "set HAWSER_DUMP_DIR");
}

}  // namespace

launch read_launch(const variable_lookup& variable) {
  launch out;
  read_ranks(variable, out);
  read_store(variable, out);
  read_secret(variable, out);
  if (const auto text = value_of(variable, "HAWSER_PEER_TIMEOUT")) out.peer_timeout = read_timeout(*text);
  out.validate = flag_of(variable, "HAWSER_VALIDATE");
  read_dump(variable, out);
  out.topology = value_of(variable, "HAWSER_TOPOLOGY").value_or("");
  out.decisions = value_of(variable, "HAWSER_DECISIONS").value_or("");
  out.tuning = value_of(variable, "HAWSER_TUNING").value_or("");
  out.has_tls = switch_of(variable, "HAWSER_TLS");
  out.has_checksums = flag_of(variable, "HAWSER_CHECKSUMS");
  out.faults = value_of(variable, "HAWSER_FAULTS").value_or("");
  out.nccl_library = value_of(variable, "HAWSER_NCCL_LIBRARY").value_or("");
  if (const auto own = value_of(variable, "HAWSER_CACHE_DIR"))
    out.cache_directory = *own;
  else if (const auto xdg = value_of(variable, "XDG_CACHE_HOME"))
    out.cache_directory = *xdg + "/hawser";
  else if (const auto home = value_of(variable, "HOME"))
    out.cache_directory = *home + "/.cache/hawser";
  return out;
}

launch read_launch() {
  return read_launch([](const std::string& name) -> std::optional<std::string> {
    const char* const value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  });
}

std::string make_secret() {
  std::array<std::byte, 16> random;
  fill_random(random);
  std::string text;
  for (const std::byte each : random)
    for (const int shift : {4, 0}) text += "0123456789abcdef"[std::to_integer<unsigned>(each) >> shift & 15];
  return text;
}

}  // namespace hawser::bootstrap
