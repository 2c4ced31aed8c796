// See describe.hpp.
#include "describe.hpp"

#include <unistd.h>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <fstream>
#include <thread>

namespace hawser::cli {

std::vector<transport_use> transports_in_use(communicator& members) {
  constexpr std::array names{"shared_memory", "in_process", "tcp", "ucx", "mpi", "other"};
  std::vector<std::int64_t> pairs(names.size(), 0);
  for (int peer = members.rank().value + 1; peer < members.size(); ++peer) {
    std::size_t i = 0;
    while (i + 1 < names.size() && members.transport_to(peer) != names[i]) ++i;
    ++pairs[i];
  }
  members.all_reduce(pairs);
  std::vector<transport_use> uses;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (pairs[i] > 0) uses.push_back({names[i], pairs[i]});
  return uses;
}

std::string to_text(const std::vector<transport_use>& uses) {
  std::string text;
  for (const transport_use& each : uses)
    text += (text.empty() ? "" : ", ") + each.name + " (" + std::to_string(each.pairs) +
            (each.pairs == 1 ? " pair)" : " pairs)");
  return text.empty() ? "none (one rank)" : text;
}

std::string describe_host() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  std::string model = "unknown processor";
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (const std::size_t colon = line.find(": "); line.starts_with("model name") && colon != std::string::npos) {
      model = line.substr(colon + 2);
      break;
    }
  return std::string(name) + ", " + model + ", " + std::to_string(std::thread::hardware_concurrency()) + " cores";
}

void progress::show(const std::string& text) {
  if (descriptor_ < 0) return;
  is_shown_ = true;
  dprintf(descriptor_, "\r\033[K%s", text.c_str());
}

void progress::clear() {
  if (is_shown_) dprintf(descriptor_, "\r\033[K");
  is_shown_ = false;
}

format parse_format(std::string_view name, bool has_csv) {
  if (name == "text") return format::text;
  if (name == "json") return format::json;
  if (name == "csv" && has_csv) return format::csv;
  fail(errc::not_found, "unknown format \"" + std::string(name) + "\"", {},
       has_csv ? "use text, csv or json" : "use text or json");
}

std::string formatted(const char* pattern, ...) {
  std::va_list values, again;
  va_start(values, pattern);
  va_copy(again, values);
  const int length = std::vsnprintf(nullptr, 0, pattern, values);
  va_end(values);
  std::string text(length > 0 ? static_cast<std::size_t>(length) : 0, '\0');
  std::vsnprintf(text.data(), text.size() + 1, pattern, again);
  va_end(again);
  return text;
}

}  // namespace hawser::cli
