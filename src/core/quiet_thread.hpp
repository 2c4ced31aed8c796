// Threads of the library's own.
#pragma once

#include <pthread.h>

#include <csignal>
#include <system_error>
#include <thread>
#include <utility>

#include <hawser/core/error.hpp>

namespace hawser {

/// A thread to which none of the program's signals is delivered. Throws errc::resource: `what` cannot be started.
template <class Body>
std::thread start_quiet_thread(Body&& body, const char* what, const char* suggestion) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread made(std::forward<Body>(body));
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return made;
  } catch (const std::system_error& refused) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    fail(errc::resource, std::string("cannot start ") + what, refused.what(), suggestion);
  }
}

}  // namespace hawser
