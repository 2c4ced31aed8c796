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
std::map<key, std::pair<double, double>> figures;
bool is_file_there = false;

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
    figures[{size, name, bytes}] = {mpi, hawser};
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
    figures.clear();
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

std::optional<std::pair<double, double>> find_figures(int size, collective what, bool is_ragged, int of_class) {
  std::lock_guard lock(figures_mutex);
  const auto found = figures.find({size, name_of(what, is_ragged), least_bytes(of_class)});
  return found == figures.end() ? std::nullopt : std::optional(found->second);
}

void note_figures(int size, collective what, bool is_ragged, int of_class, double mpi_seconds, double hawser_seconds) {
  std::lock_guard lock(figures_mutex);
  figures[{size, name_of(what, is_ragged), least_bytes(of_class)}] = {mpi_seconds, hawser_seconds};
}

void save_figures(const std::string& path) {
  if (path.empty() || is_file_there) return;
  std::ofstream file(path);
  file.precision(9);
  file << first_line << '\n';
  for (const auto& [which, times] : figures)
    file << std::get<0>(which) << ' ' << std::get<1>(which) << ' ' << std::get<2>(which) << ' ' << times.first << ' '
         << times.second << '\n';
  if (!file.flush()) warn("the file of HAWSER_MPI_TUNING, " + path + ", cannot be written");
}

}  // namespace hawser::mpi_profile
