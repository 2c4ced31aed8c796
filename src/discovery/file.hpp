// Reading a file whole.
#pragma once

#include <cstddef>
#include <string>

namespace hawser::discovery {

/// The bytes of a file. Throws errc::io where it cannot be read, errc::parse where it has more than `most` bytes.
std::string read_text(const std::string& name, std::size_t most);

}  // namespace hawser::discovery
