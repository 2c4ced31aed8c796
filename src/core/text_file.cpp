#include "text_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <hawser/core/error.hpp>

namespace hawser {

std::string read_text_file(const std::string& what, const std::string& path, std::size_t most,
                           const std::string& suggestion) {
  const auto give_up = [&](errc code, const std::string& why) {
    fail(code, "cannot read the " + what + " \"" + path + "\"", why, suggestion);
  };
  std::error_code unusable;
  if (std::filesystem::is_directory(path, unusable)) give_up(errc::io, "it is a directory");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) give_up(errc::io, std::strerror(errno));
  std::string text;
  const auto too_large = [&] { give_up(errc::parse, "it is larger than " + std::to_string(most >> 20) + " MiB"); };
  if (const auto size = std::filesystem::file_size(path, unusable); !unusable) {
    if (size > most) too_large();
    text.reserve(static_cast<std::size_t>(size));  // growing would hold a large text one and a half times
  }
  char block[65536];
  while (file.read(block, sizeof block) || file.gcount() > 0) {
    text.append(block, static_cast<std::size_t>(file.gcount()));
    if (text.size() > most) too_large();
  }
  if (file.bad()) give_up(errc::io, "reading failed");
  return text;
}

}  // namespace hawser
