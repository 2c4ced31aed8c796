// XML through pugixml, with bounded size and depth. No entity but the five of XML is expanded, and no DTD is read.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <pugixml.hpp>

#include "text.hpp"

namespace hawser::discovery {

inline constexpr std::size_t max_xml_tags = 4'000'000;  ///< start and end tags; far beyond any machine's description

/// Parses a document of at most `max_markup_bytes`, `max_xml_tags` and `max_depth`. Throws errc::parse with line and
/// reason.
void parse_xml(const document& file, pugi::xml_document& into);

/// "system/cpu[2]/pci[1]": where an element stands, for messages.
std::string path_of(const pugi::xml_node& element);

/// The line of an element, from 1.
std::size_t line_of(const document& file, const pugi::xml_node& element);

/// Throws errc::parse that names the element, its line and the reason.
[[noreturn]] void fail_at(const document& file, const pugi::xml_node& element, std::string_view reason,
                          std::string_view suggestion = {});

/// An attribute's text; empty where it is absent.
inline std::string_view text_of(const pugi::xml_node& element, const char* attribute) {
  return element.attribute(attribute).value();
}

}  // namespace hawser::discovery
