// In which way another rank has failed, as far as anybody can tell.
#pragma once

#include <cstdint>
#include <string_view>

namespace hawser {

/// What is known of a failed rank (docs/reliability.md says how it is found out).
enum class failure_kind : std::uint8_t {
  unknown,      ///< no failure of a rank, or nobody can tell
  dead,         ///< its process has ended without leaving the job
  silent,       ///< its host answers, its process does not: stopped, or starved of the processor
  unreachable,  ///< neither its process nor its host answers, and nobody else can tell which of host and network it is
  cut_link,     ///< it lives, as the store hears, but one other rank and it have lost the connection between them
};

/// "dead" and the like.
constexpr std::string_view to_string(failure_kind kind) noexcept {
  switch (kind) {
    case failure_kind::unknown: return "unknown";
    case failure_kind::dead: return "dead";
    case failure_kind::silent: return "silent";
    case failure_kind::unreachable: return "unreachable";
    case failure_kind::cut_link: return "cut_link";
  }
  return "?";
}

}  // namespace hawser
