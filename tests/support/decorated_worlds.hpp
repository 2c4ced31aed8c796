// The transports between which a decorator of endpoints is tested.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <hawser/transport/host_memory.hpp>
#include <hawser/transport/in_process.hpp>
#include <hawser/transport/shared_memory.hpp>
#include <hawser/transport/tcp.hpp>

#include "support/transport_world.hpp"

namespace hawser::testing {

/// Puts the decorator around an endpoint of that rank.
using decoration = std::function<any_transport(any_transport, rank)>;

inline opener decorated(opener open, decoration around) {
  return [open = std::move(open), around = std::move(around)](const endpoint_environment& environment) {
    endpoint_environment local = environment;
    local.interface = "127.0.0.1";
    return around(open(local), environment.self);
  };
}

/// In-process, shared memory (copied, and read where it lies) and TCP, each under the decorator. `most` ranks at most.
inline std::vector<transport_world> decorated_worlds(const decoration& around, int most = 4) {
  using start = transport_world::start;
  return {{.name = "in_process",
           .how = start::threads,
           .prepare =
               [=] {
                 auto hub = std::make_shared<transport::in_process_hub>(most);
                 return decorated(transport::in_process_factory(hub).open, around);
               }},
          {.name = "shared_memory",
           .how = start::processes,
           .prepare = [=] { return decorated(transport::shared_memory_factory().open, around); }},
          {.name = "shared_memory_in_place",
           .how = start::threads,
           .prepare = [=] { return decorated(transport::shared_memory_factory().open, around); },
           .memory = [] { return &host_memory(); }},
          {.name = "tcp", .how = start::threads, .prepare = [=] {
             return decorated(transport::tcp_factory().open, around);
           }}};
}

}  // namespace hawser::testing
