// What the tests of the TCP store share: servers and clients, and how their errors are looked at.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <mutex>
#include <string>

#include <gtest/gtest.h>

#include <hawser/bootstrap/store.hpp>

namespace hawser::bootstrap {

using namespace std::chrono_literals;

inline const std::string test_secret = "a secret of the tests";

inline store_server_options server_of(int size, milliseconds peer_timeout = 10'000ms) {
  store_server_options options;
  options.size = size;
  options.secret = test_secret;
  options.peer_timeout = peer_timeout;
  return options;
}

inline store_options client_of(const store_server& server, rank self, int size) {
  store_options options;
  options.self = self;
  options.size = size;
  options.port = server.port();
  options.secret = test_secret;
  options.server_rank.reset();
  options.connect_timeout = 20s;
  return options;
}

/// Runs the body, checks the code of what it throws, and gives the message.
inline std::string error_of(errc expected, const std::function<void()>& body) {
  try {
    body();
  } catch (const error& raised) {
    EXPECT_EQ(raised.code(), expected) << raised.what();
    return raised.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

#define EXPECT_CONTAINS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

/// Waits for the first notice on a board.
inline failure_notice first_notice(failure_board& board, milliseconds within) {
  std::promise<void> posted;
  std::once_flag once;
  std::function<void()> notify = [&] { std::call_once(once, [&] { posted.set_value(); }); };
  const failure_board::listener listener{[](void* state) { (*static_cast<std::function<void()>*>(state))(); }, &notify};
  board.add_listener(listener);
  if (board.generation() == 0) posted.get_future().wait_for(within);
  board.remove_listener(listener);
  const auto notices = board.since(0);
  return notices.empty() ? failure_notice{errc::timeout, std::nullopt, "no notice"} : notices.front();
}

}  // namespace hawser::bootstrap
