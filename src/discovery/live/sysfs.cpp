// Reading /sys and /proc with plain system calls: hundreds of small files in a few milliseconds.
#include "sysfs.hpp"

#include <algorithm>
#include <memory>
#include <tuple>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace hawser::discovery::sysfs {

namespace {

// Far more than any machine has; a folder with more is cut.
constexpr std::size_t most_names = 65536;

}  // namespace

std::optional<std::string> line(const std::string& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return std::nullopt;
  char block[4096];
  const ssize_t size = ::read(descriptor, block, sizeof block);
  ::close(descriptor);
  if (size < 0) return std::nullopt;
  const std::string_view text(block, static_cast<std::size_t>(size));
  return std::string(trimmed(text.substr(0, text.find('\n'))));
}

std::vector<std::string> names(const std::string& folder) {
  const auto close = [](DIR* each) { ::closedir(each); };
  const std::unique_ptr<DIR, decltype(close)> entries(::opendir(folder.c_str()), close);
  std::vector<std::string> found;
  if (!entries) return found;
  while (const dirent* const each = ::readdir(entries.get())) {
    if (each->d_name[0] != '.') found.emplace_back(each->d_name);
    if (found.size() == most_names) break;
  }
  std::ranges::sort(found, {}, [](const std::string& name) { return std::tuple(name.size(), std::string_view(name)); });
  return found;
}

bool exists(const std::string& file) {
  return ::access(file.c_str(), F_OK) == 0;
}

std::string link(const std::string& file) {
  char target[4096];
  const ssize_t size = ::readlink(file.c_str(), target, sizeof target);
  return size < 0 ? std::string() : std::string(target, static_cast<std::size_t>(size));
}

std::string link_name(const std::string& file) {
  const std::string target = link(file);
  return target.substr(target.rfind('/') + 1);  // npos + 1 is 0
}

std::vector<topology::bus_id> pci_functions_in(std::string_view path) {
  std::vector<topology::bus_id> found;
  for (const std::string_view part : split(path, '/')) {
    if (part.starts_with("pci")) found.clear();  // a host bridge below a controller of another one (VMD)
    if (std::ranges::count(part, ':') != 2) continue;
    if (const auto id = topology::parse_bus_id(part)) found.push_back(*id);
  }
  return found;
}

}  // namespace hawser::discovery::sysfs
