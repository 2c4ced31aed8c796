// Reading a file whole.
#pragma once

#include <cstddef>
#include <string>

namespace hawser {

/// The bytes of a file. `what` names its kind in errors ("topology file"), `suggestion` ends them. Throws errc::io
/// where it cannot be read, errc::parse where it has more than `most` bytes.
std::string read_text_file(const std::string& what, const std::string& path, std::size_t most,
                           const std::string& suggestion = {});

}  // namespace hawser
