// What the opaque handles of hawser.h are.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <hawser.h>
#include <hawser/bootstrap/in_process.hpp>
#include <hawser/communicator/communicator.hpp>
#include <hawser/transport/in_process.hpp>

/// A communicator, and the group that is open on it.
struct hawser_comm {
  hawser::communicator members;
  hawser::schedule::mode reproducibility;  ///< of the communicator's options
  std::optional<hawser::group> open{};     ///< refers to `members`, so that a handle never moves
};

struct hawser_request {
  hawser::pending call;
};

struct hawser_plan {
  hawser::persistent call;
};

/// An operator, and the name that it refers to.
struct hawser_user_op {
  std::string name;
  hawser::reduce_op op;
};

struct hawser_local_job {
  std::shared_ptr<hawser::bootstrap::in_process_job> door;
  std::shared_ptr<hawser::transport::in_process_hub> hub;
};
