// The names of the first elements of an XML text, to recognise its kind. Reading it is the parser's work.
#pragma once

#include <cctype>
#include <string_view>

namespace hawser::discovery {

/// Walks over start tags; declarations, comments and end tags are passed over.
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
      const bool is_comment = rest_.starts_with("!--");
      if (is_comment || rest_.starts_with("?") || rest_.starts_with("!") || rest_.starts_with("/")) {
        const std::string_view end = is_comment ? "-->" : ">";
        const std::size_t close = rest_.find(end);
        if (close == std::string_view::npos) return {};
        rest_.remove_prefix(close + end.size());
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
  static constexpr std::size_t most = std::size_t{64} << 10;  // licence texts stand before some roots
  std::string_view rest_;
  bool is_first_ = true;
};

}  // namespace hawser::discovery
