// What the sources of a topology left open, disagree on, or should not have said.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace hawser::topology {

/// How much a finding matters.
enum class severity {
  info,     ///< worth knowing, nothing is wrong
  warning,  ///< works, perhaps slower or differently than meant
  error     ///< the machine or the description is broken
};

inline constexpr std::array<std::string_view, 3> severity_names = {"info", "warning", "error"};
/// "info", "warning" or "error".
constexpr std::string_view to_string(severity level) noexcept {
  return severity_names[static_cast<std::size_t>(level)];
}

/// One finding. Codes are lower-case words joined by hyphens and stable, for programs (docs/discovery.md lists them).
struct finding {
  severity level = severity::warning;
  std::string code{};
  std::string subject{};  ///< the node, level, file or line it is about
  std::string message{};
  friend bool operator==(const finding&, const finding&) = default;
};

}  // namespace hawser::topology
