// XML through pugixml: limits and places.
#ifdef HAWSER_HAS_XML

#include "xml.hpp"

#include <algorithm>
#include <iterator>
#include <vector>

namespace hawser::discovery {

namespace {

std::size_t line_at(std::string_view text, std::ptrdiff_t offset) {
  const auto end = std::clamp<std::ptrdiff_t>(offset, 0, static_cast<std::ptrdiff_t>(text.size()));
  return 1 + static_cast<std::size_t>(std::count(text.begin(), text.begin() + end, '\n'));
}

// pugixml keeps both attributes of one name, which no XML has, and gives the first.
void check_attributes(const document& file, const pugi::xml_node& element, std::vector<std::string_view>& names) {
  names.clear();
  for (const pugi::xml_attribute& each : element.attributes()) names.emplace_back(each.name());
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end()) fail_at(file, element, "the attribute \"" + shortened(*twice) + "\" is given twice");
}

// Walks without recursion: the depth of a hostile file is what is asked for.
void check_elements(const document& file, const pugi::xml_document& read) {
  int depth = 0;
  std::vector<std::string_view> names;
  for (pugi::xml_node each = read.first_child(); each;) {
    if (depth >= max_depth) fail_at(file, each, "more than " + std::to_string(max_depth) + " nested elements");
    check_attributes(file, each, names);
    if (each.first_child()) {
      each = each.first_child();
      ++depth;
      continue;
    }
    while (each && !each.next_sibling()) {
      each = each.parent();
      --depth;
      if (each.type() == pugi::node_document) return;
    }
    each = each.next_sibling();
  }
}

// pugixml makes up to two values of 64 bytes of each four bytes "x<b>", so elements are counted before it is asked.
void check_count(const document& file) {
  std::size_t left = max_xml_tags;
  for (std::size_t at = file.text.find('<'); at != std::string_view::npos; at = file.text.find('<', at + 1))
    if (left-- == 0)
      fail_at_line(file, line_at(file.text, static_cast<std::ptrdiff_t>(at)),
                   "it has more than " + std::to_string(max_xml_tags) + " tags");
}

}  // namespace

void parse_xml(const document& file, pugi::xml_document& into) {
  if (file.text.size() > max_markup_bytes) fail_in(file, {}, "it is larger than 32 MiB");
  check_count(file);
  const pugi::xml_parse_result result =
      into.load_buffer(file.text.data(), file.text.size(), pugi::parse_default, pugi::encoding_utf8);
  if (!result) fail_at_line(file, line_at(file.text, result.offset), result.description());
  if (!into.document_element()) fail_in(file, {}, "it has no XML element");
  check_elements(file, into);
}

std::string path_of(const pugi::xml_node& element) {
  std::string path;
  for (pugi::xml_node each = element; each && each.type() == pugi::node_element; each = each.parent()) {
    int number = 1, all = 1;
    for (pugi::xml_node other = each.previous_sibling(each.name()); other; other = other.previous_sibling(each.name()))
      ++number, ++all;
    if (each.next_sibling(each.name())) ++all;
    std::string step = shortened(each.name());
    if (all > 1) step += "[" + std::to_string(number) + "]";
    path = path.empty() ? step : step + "/" + path;
  }
  return path;
}

std::size_t line_of(const document& file, const pugi::xml_node& element) {
  return line_at(file.text, element.offset_debug());
}

void fail_at(const document& file, const pugi::xml_node& element, std::string_view reason,
             std::string_view suggestion) {
  fail_in(file, path_of(element) + ", line " + std::to_string(line_of(file, element)), reason, suggestion);
}

}  // namespace hawser::discovery

#endif
