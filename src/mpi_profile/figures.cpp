// See figures.hpp. One line per figure: ranks, collective, least bytes of the class, the two times in seconds.
#include "figures.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <tuple>

#include "choice.hpp"
#include "settings.hpp"

namespace hawser::mpi_profile {

namespace {

using key = std::tuple<int, std::string, std::int64_t>;
constexpr const char* first_line = is_open_mpi ? "hawser-mpi-figures 1 openmpi" : "hawser-mpi-figures 1 mpich";

std::mutex figures_mutex;
std::map<key, figure_pair> given;     // complete before the first collective
std::map<key, figure_pair> measured;  // guarded by the mutex
bool is_file_there = false;

key key_of(const measured_call& of) {
  return {of.size, name_of(of.what, of.is_ragged), least_bytes(of.of_class)};
}

bool parse(std::istream& lines) {
  std::string text;
  while (std::getline(lines, text)) {
    if (text.empty()) continue;
    std::istringstream line(text);
    int size = 0;
    std::string name;
    std::int64_t bytes = -1;
    double mpi = 0, hawser = 0;
    if (!(line >> size >> name >> bytes >> mpi >> hawser) || bytes < 0 || mpi <= 0 || hawser <= 0) return false;
    given[{size, name, bytes}] = {mpi, hawser};
  }
  return true;
}

}  // namespace

std::string read_figures(const std::string& path) {
  if (path.empty()) return {};
  std::ifstream file(path);
  if (!file) {
    is_file_there = errno != ENOENT;
    if (is_file_there)
      warn("the file of HAWSER_MPI_TUNING, " + path + ", cannot be read (" + std::strerror(errno) +
           "), everything is measured anew");
    return {};
  }
  is_file_there = true;
  std::string head;
  std::getline(file, head);
  std::stringstream rest;
  rest << file.rdbuf();
  std::string text = rest.str();
  std::istringstream lines(text);
  if (head != first_line || !parse(lines)) {
    given.clear();
    warn("the file of HAWSER_MPI_TUNING, " + path +
         ", is no file of figures for this MPI library (it does not begin with \"" + first_line +
         "\" or has a line that is none), everything is measured anew; remove it to have it written");
    return {};
  }
  return text;
}

void take_figures(const std::string& text) {
  std::istringstream lines(text);
  parse(lines);
}

std::optional<figure_pair> find_given(const measured_call& of) {
  const auto found = given.find(key_of(of));
  return found == given.end() ? std::nullopt : std::optional(found->second);
}

std::optional<figure_pair> find_measured(const measured_call& of) {
  std::lock_guard lock(figures_mutex);
  const auto found = measured.find(key_of(of));
  return found == measured.end() ? std::nullopt : std::optional(found->second);
}

void note_measured(const measured_call& of, figure_pair seconds) {
  std::lock_guard lock(figures_mutex);
  measured[key_of(of)] = seconds;
}

void save_figures(const std::string& path) {
  if (path.empty() || is_file_there) return;
  std::ofstream file(path);
  file.precision(9);
  file << first_line << '\n';
  for (const auto& [which, times] : measured)
    file << std::get<0>(which) << ' ' << std::get<1>(which) << ' ' << std::get<2>(which) << ' ' << times.first << ' '
         << times.second << '\n';
  if (!file.flush()) warn("the file of HAWSER_MPI_TUNING, " + path + ", cannot be written");
}

}  // namespace hawser::mpi_profile
