// The wire fuzzer's inputs in small, in every build: random and damaged messages at the handshake, the store and a data
// port.
#include "fuzz/wire_inputs.hpp"

#include <iostream>
#include <random>

#include <gtest/gtest.h>

namespace hawser::fuzz {
namespace {

std::vector<std::byte> noise(std::mt19937_64& random, std::size_t most) {
  std::vector<std::byte> made(random() % most);
  for (std::byte& each : made) each = static_cast<std::byte>(random());
  return made;
}

void number(std::vector<std::byte>& to, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) to.push_back(static_cast<std::byte>(value >> (8 * i)));
}

/// A few bits, or the end, are not what they were.
std::vector<std::byte> damaged(std::mt19937_64& random, std::vector<std::byte> message) {
  for (std::uint64_t i = random() % 4; i > 0 && !message.empty(); --i)
    message[random() % message.size()] ^= static_cast<std::byte>(1u << random() % 8);
  if (random() % 4 == 0) message.resize(random() % (message.size() + 1));
  return message;
}

/// A message of the store with any type, and lengths that are right, off by one or absurd.
std::vector<std::byte> store_message(std::mt19937_64& random) {
  std::vector<std::byte> body;
  body.push_back(static_cast<std::byte>(random() % 16));
  number(body, random(), 8);
  for (std::uint64_t i = random() % 3; i > 0; --i) {
    const auto text = noise(random, 40);
    number(body, random() % 8 == 0 ? random() : text.size(), 4);
    body.insert(body.end(), text.begin(), text.end());
  }
  std::vector<std::byte> message;
  number(message, body.size() + (random() % 8 == 0 ? random() % 3 : 0), 4);
  message.insert(message.end(), body.begin(), body.end());
  return message;
}

/// A message of the data port: tag, size, and bytes, mostly as many.
std::vector<std::byte> data_message(std::mt19937_64& random) {
  std::vector<std::byte> message;
  const auto text = std::vector<std::byte>(std::size_t{1} << (2 * (random() % 4)));
  number(message, (random() % 4) << 16, 8);
  number(message, random() % 8 == 0 ? random() : text.size(), 8);
  message.insert(message.end(), text.begin(), text.end());
  return message;
}

template <class Message>
void feed_many(void (*feed)(input), int rounds, Message&& message) {
  const std::uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << std::endl;
  std::mt19937_64 random(seed);
  for (int i = 0; i < rounds; ++i) {
    std::vector<std::byte> all;
    for (std::uint64_t k = random() % 5; k > 0; --k) {
      const auto next = random() % 4 == 0 ? damaged(random, message(random)) : message(random);
      all.insert(all.end(), next.begin(), next.end());
    }
    if (random() % 8 == 0) all = noise(random, 300);
    feed(all);
  }
}

TEST(wire_inputs, a_handshake_believes_nobody) {
  feed_many(&feed_handshake, 3000, [](std::mt19937_64& random) {
    handshake made = handshake::initiate("another secret", {service::store, rank(1), rank(0), 2});
    const auto hello = made.output();
    std::vector<std::byte> message(hello.begin(), hello.end());
    const auto proof = noise(random, 80);
    message.insert(message.end(), proof.begin(), proof.end());
    return message;
  });
}

TEST(wire_inputs, the_store_serves_an_honest_rank_whatever_another_one_sends) {
  feed_many(&feed_store, 150, &store_message);
}

TEST(wire_inputs, a_data_port_completes_every_receive_once) {
  feed_many(&feed_transport, 300, &data_message);
}

}  // namespace
}  // namespace hawser::fuzz
