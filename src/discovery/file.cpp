// Reading a file whole.
#include "file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <hawser/core/error.hpp>

namespace hawser::discovery {

std::string read_text(const std::string& name, std::size_t most) {
  const std::string problem = "cannot read the topology file \"" + name + "\"";
  std::error_code unusable;
  if (std::filesystem::is_directory(name, unusable)) fail(errc::io, problem, "it is a directory");
  errno = 0;
  std::ifstream file(name, std::ios::binary);
  if (!file) fail(errc::io, problem, std::strerror(errno));
  std::string text;
  const auto too_large = [&] {
    fail(errc::parse, problem, "it is larger than " + std::to_string(most >> 20) + " MiB");
  };
  if (const auto size = std::filesystem::file_size(name, unusable); !unusable) {
    if (size > most) too_large();
    text.reserve(static_cast<std::size_t>(size));  // growing would hold a large text one and a half times
  }
  char block[65536];
  while (file.read(block, sizeof block) || file.gcount() > 0) {
    text.append(block, static_cast<std::size_t>(file.gcount()));
    if (text.size() > most) too_large();
  }
  if (file.bad()) fail(errc::io, problem, "reading failed");
  return text;
}

}  // namespace hawser::discovery
