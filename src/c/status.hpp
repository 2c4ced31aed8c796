// How exceptions end at the C edge: as a status, with the text and the ranks kept for the thread that asks.
#pragma once

#include <exception>
#include <new>
#include <string>

#include <hawser.h>
#include <hawser/core/error.hpp>

namespace hawser::c {

/// Keeps a failure as this thread's last one, and gives its status.
hawser_status keep(const error& failed) noexcept;
hawser_status keep(hawser_status status, const char* text) noexcept;

/// Runs a body; whatever it throws becomes a status.
template <class Body>
hawser_status guarded(Body&& body) noexcept {
  try {
    body();
    return HAWSER_SUCCESS;
  } catch (const error& failed) {
    return keep(failed);
  } catch (const std::bad_alloc&) {
    return keep(HAWSER_RESOURCE, "out of memory");
  } catch (const std::exception& failed) {
    return keep(HAWSER_INTERNAL, failed.what());
  } catch (...) {
    return keep(HAWSER_INTERNAL, "an exception of an unknown type");
  }
}

/// The object behind a handle. Throws errc::invalid_argument for a null one; `what` is what messages call it.
template <class Handle>
Handle& valid(Handle* handle, const char* what, source_site where = source_site::current()) {
  if (handle == nullptr)
    fail(errc::invalid_argument, std::string("the ") + what + " is a null pointer", {}, "pass one that is there",
         where);
  return *handle;
}

}  // namespace hawser::c
