// The names of the first elements of an XML text, to recognise its kind. Reading it is the parser's work.
#pragma once

#include <cctype>
#include <string_view>

namespace hawser::discovery {

/// Walks over start tags; declarations, also a document type with its own subset, comments and end tags are passed
/// over.
class element_names {
 public:
  explicit element_names(std::string_view text) : rest_(text.substr(0, most)) {}

  /// The next element's name; empty at the end, or where the text is no markup.
  std::string_view next() {
    for (;;) {
      const std::size_t open = rest_.find('<');
      if (open == std::string_view::npos) return {};
      if (is_first_ && rest_.substr(0, open).find_first_not_of(" \t\r\n\xef\xbb\xbf") != std::string_view::npos)
        return {};
      rest_.remove_prefix(open + 1);
      if (rest_.starts_with("?") || rest_.starts_with("!") || rest_.starts_with("/")) {
        const std::size_t length = rest_.starts_with("!--") ? comment_length() : declaration_length();
        if (length == std::string_view::npos) return {};
        rest_.remove_prefix(length);
        continue;
      }
      is_first_ = false;
      std::size_t length = 0;
      while (length < rest_.size() && (std::isalnum(static_cast<unsigned char>(rest_[length])) || rest_[length] == '_'))
        ++length;
      const std::string_view name = rest_.substr(0, length);
      rest_.remove_prefix(length);
      return name;
    }
  }
  /// What follows the last name, up to the end of its tag.
  std::string_view tag() const { return rest_.substr(0, rest_.find('>')); }

 private:
  std::size_t comment_length() const {
    const std::size_t close = rest_.find("-->");
    return close == std::string_view::npos ? close : close + 3;
  }
  // Up to the '>' that is neither quoted nor within the brackets of a document type; npos where there is none.
  std::size_t declaration_length() const {
    int depth = 0;
    for (std::size_t at = 0; at < rest_.size(); ++at) {
      const char c = rest_[at];
      if (rest_.substr(at).starts_with("<!--")) {
        at = rest_.find("-->", at);
        if (at == std::string_view::npos) return at;
        continue;
      }
      if (c == '"' || c == '\'') at = rest_.find(c, at + 1);
      if (at == std::string_view::npos) return at;
      depth += c == '[' ? 1 : c == ']' ? -1 : 0;
      if (c == '>' && depth <= 0) return at + 1;
    }
    return std::string_view::npos;
  }

  static constexpr std::size_t most = std::size_t{64} << 10;  // licence texts stand before some roots
  std::string_view rest_;
  bool is_first_ = true;
};

}  // namespace hawser::discovery
