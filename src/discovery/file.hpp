// Opening a topology file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <hawser/discovery/source.hpp>

#include "core/text_file.hpp"

namespace hawser::discovery {

/// The bytes of a file. Throws errc::io where it cannot be read, errc::parse where it has more than `most` bytes.
inline std::string read_text(const std::string& name, std::size_t most) {
  return read_text_file("topology file", name, most);
}

/// A topology file whose text is in memory, once, and the kind that it is named as or recognised as.
struct opened_file {
  std::string name;
  std::string text;
  std::string host;  ///< for kinds that describe one host without naming it
  const file_source* source = nullptr;
  document as_document() const noexcept { return {text, name}; }
};

/// Opens "[KIND[@HOST]:]FILE" within the limits of its kind. Throws what `read_text` and `recognise` throw.
opened_file open_file(std::string_view argument, const read_options& options);

}  // namespace hawser::discovery
