// See status.hpp.
#include "status.hpp"

namespace hawser::c {

namespace {

/// The last failure of a thread.
struct failure {
  std::string text;
  const char* fallback = "";  // of a failure whose text found no memory
  int rank = -1;
  long native = 0;
};

thread_local failure last;

void set_text(const char* text) noexcept {
  try {
    last.text = text;
    last.fallback = nullptr;
  } catch (const std::bad_alloc&) {
    last.fallback = "out of memory for the text of the error";
  }
}

}  // namespace

static_assert(static_cast<int>(errc::invalid_argument) + 1 == HAWSER_INVALID_ARGUMENT);
static_assert(static_cast<int>(errc::peer_failed) + 1 == HAWSER_PEER_FAILED);
static_assert(static_cast<int>(errc::internal) + 1 == HAWSER_INTERNAL);

hawser_status keep(const error& failed) noexcept {
  set_text(failed.what());
  last.rank = failed.peer() ? failed.peer()->value : -1;
  last.native = failed.native_code();
  return static_cast<int>(failed.code()) + 1;
}

hawser_status keep(hawser_status status, const char* text) noexcept {
  set_text(text);
  last.rank = -1;
  last.native = 0;
  return status;
}

}  // namespace hawser::c

extern "C" {

const char* hawser_last_error(void) {
  return hawser::c::last.fallback != nullptr ? hawser::c::last.fallback : hawser::c::last.text.c_str();
}

int hawser_last_error_rank(void) {
  return hawser::c::last.rank;
}

long hawser_last_error_native(void) {
  return hawser::c::last.native;
}

const char* hawser_status_text(hawser_status status) {
  if (status == HAWSER_SUCCESS) return "success";
  if (status < HAWSER_SUCCESS || status > HAWSER_INTERNAL) return "unknown status";
  return hawser::to_string(static_cast<hawser::errc>(status - 1)).data();  // literals end in 0
}

int hawser_version(void) {
  return HAWSER_VERSION;
}

#define HAWSER_TEXT_OF(value) #value
#define HAWSER_DOTTED(major, minor, patch) HAWSER_TEXT_OF(major) "." HAWSER_TEXT_OF(minor) "." HAWSER_TEXT_OF(patch)
const char* hawser_version_text(void) {
  return HAWSER_DOTTED(HAWSER_VERSION_MAJOR, HAWSER_VERSION_MINOR, HAWSER_VERSION_PATCH);
}
}
