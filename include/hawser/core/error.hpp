// The one exception type of the library, and the form of its messages: problem (reason), suggestion.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <hawser/core/rank.hpp>

namespace hawser {

/// What kind of thing went wrong. Programs branch on this, people read the message.
enum class errc {
  invalid_argument,  ///< the caller passed something that can never work
  parse,             ///< text or a file does not follow its grammar
  unsupported,       ///< a valid request that no registered algorithm, type or transport can serve
  not_found,         ///< a name, a file or a component that does not exist
  io,                ///< the operating system refused or failed
  timeout,           ///< a bounded wait ran out
  peer_failed,       ///< another rank died or became unreachable; `error::peer` names it
  aborted,           ///< the communicator was aborted, here or on another rank
  mismatch,          ///< ranks disagree: hierarchy, call signature, version
  authentication,    ///< proof of the job's secret was missing or wrong
  resource,          ///< memory, descriptors or shared memory are used up
  internal,          ///< a bug in hawser
  corrupted,         ///< data changed on the way (checksums); `error::peer` names the sender
};

/// In words, as messages have it.
constexpr std::string_view to_string(errc code) noexcept {
  switch (code) {
    case errc::invalid_argument: return "invalid argument";
    case errc::parse: return "parse error";
    case errc::unsupported: return "unsupported";
    case errc::not_found: return "not found";
    case errc::io: return "input/output error";
    case errc::timeout: return "timeout";
    case errc::peer_failed: return "peer failed";
    case errc::aborted: return "aborted";
    case errc::mismatch: return "mismatch";
    case errc::authentication: return "authentication failed";
    case errc::resource: return "out of resources";
    case errc::internal: return "internal error";
    case errc::corrupted: return "corrupted data";
  }
  return "unknown error";
}

/// Where an error was raised. std::source_location is not used: clang 14 lacks it, and its layout depends on the
/// library.
struct source_site {
  const char* file;
  const char* function;
  unsigned line;

  /// The line of the call, as a default argument.
  static constexpr source_site current(const char* file = __builtin_FILE(), const char* function = __builtin_FUNCTION(),
                                       unsigned line = __builtin_LINE()) noexcept {
    return {file, function, line};
  }
};

/// Every failure that hawser reports by exception.
class error : public std::runtime_error {
 public:
  error(errc code, const std::string& message, source_site where = source_site::current())
      : std::runtime_error(message), code_(code), where_(where) {}

  errc code() const noexcept { return code_; }
  /// The rank that failed, where the failure is another rank's.
  std::optional<rank> peer() const noexcept { return peer_; }
  /// The code of the system below (errno, ucs_status_t, MPI error class), 0 where there is none.
  long native_code() const noexcept { return native_code_; }
  const source_site& where() const noexcept { return where_; }

  /// Adds the rank concerned, or the code of the library underneath; for use where the error is thrown.
  error& with_peer(rank peer) noexcept {
    peer_ = peer;
    return *this;
  }
  error& with_native_code(long native_code) noexcept {
    native_code_ = native_code;
    return *this;
  }

 private:
  errc code_;
  source_site where_;
  std::optional<rank> peer_;
  long native_code_ = 0;
};

/// "problem (reason); suggestion", with the empty parts left out.
inline std::string describe(std::string_view problem, std::string_view reason = {}, std::string_view suggestion = {}) {
  std::string text(problem);
  if (!reason.empty()) text.append(" (").append(reason).append(")");
  if (!suggestion.empty()) text.append("; ").append(suggestion);
  return text;
}

/// Throws an `error` whose message says problem, reason and suggestion.
[[noreturn]] inline void fail(errc code, std::string_view problem, std::string_view reason = {},
                              std::string_view suggestion = {}, source_site where = source_site::current()) {
  throw error(code, describe(problem, reason, suggestion), where);
}

}  // namespace hawser
