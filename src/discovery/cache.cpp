// One JSON file per host, boot and view of the host; written beside its place and renamed.
#include "cache.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <unistd.h>

#include <hawser/core/error.hpp>
#include <hawser/topology/json.hpp>

#include "file.hpp"
#include "text.hpp"

namespace hawser::discovery {

namespace {

// Raised whenever the live sources tell something else of the same machine.
constexpr const char* generation = "1";

using topology::severity;

std::string boot_id(const live_environment& environment) {
  std::ifstream file(environment.root + "/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

// A container may see fewer devices than the host that it shares name and boot with.
std::string view_of_host(const live_environment& environment) {
  std::error_code unknown;
  const std::string link =
      std::filesystem::read_symlink(environment.root + "/proc/self/ns/mnt", unknown).string();  // "mnt:[4026531841]"
  std::string digits;
  for (char c : link)
    if (c >= '0' && c <= '9') digits += c;
  return digits.empty() ? "0" : digits;
}

// A name for a file: what a host name should not have becomes '_'.
std::string plain(std::string text) {
  for (char& c : text)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.')) c = '_';
  return text;
}

}  // namespace

cache::cache(const std::string& folder, const live_environment& environment) {
  if (folder.empty()) return;
  const std::string boot = boot_id(environment);
  if (boot.empty()) return;  // nothing would say that the host has booted again
  file_ = folder + "/topology-" + generation + "-" + plain(environment.host) + "-" + plain(boot) + "-" +
          view_of_host(environment) + "-" + std::to_string(::geteuid()) + ".json";
}

std::optional<topology::graph> cache::read(topology::graph& findings) const {
  std::error_code unusable;
  if (file_.empty() || !std::filesystem::exists(file_, unusable)) return std::nullopt;
  try {
    return topology::graph_from_json(read_text(file_, max_markup_bytes), file_);
  } catch (const error& failure) {
    findings.note({severity::warning, "cache-unreadable", file_, failure.what()});
    return std::nullopt;
  }
}

void cache::write(topology::graph& machine) const {
  if (file_.empty()) return;
  const std::string draft = file_ + "." + std::to_string(::getpid());
  const auto give_up = [&](const std::string& why) {
    std::error_code ignored;
    std::filesystem::remove(draft, ignored);
    machine.note({severity::info, "cache-unwritable", file_, why});
  };
  try {
    std::error_code failed;
    std::filesystem::create_directories(std::filesystem::path(file_).parent_path(), failed);
    const std::string text = topology::to_json(machine);
    errno = 0;
    std::ofstream out(draft, std::ios::binary);
    out << text;
    out.close();
    if (!out) return give_up(errno != 0 ? std::strerror(errno) : "writing failed");
    std::filesystem::rename(draft, file_, failed);
    if (failed) give_up(failed.message());
  } catch (const error& failure) {  // built without JSON
    give_up(failure.what());
  }
}

}  // namespace hawser::discovery
