// Asks the InfiniBand fabrics that this host is cabled to.
#pragma once

#include <chrono>
#include <string>

#include "../sources/fabric.hpp"

namespace hawser::discovery {

struct fabric_scan {
  fabric::model network;
  std::string problem;    ///< what kept all or a part from being asked; empty: nothing
  bool has_port = false;  ///< a port could be asked from
};

/// Where there is no adapter, no permission or no active port it returns at once and prints nothing; else within
/// `most`, with whatever was found.
fabric_scan scan_fabric(std::chrono::seconds most = std::chrono::seconds(20));

}  // namespace hawser::discovery
