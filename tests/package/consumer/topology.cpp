// Uses hawser::topology: reads a topology argument and looks at the machine that it runs on.
#include <hawser/discovery/discover.hpp>
#include <hawser/discovery/load.hpp>

#include <iostream>

int main() {
  const hawser::discovery::discovery here = hawser::discovery::discover();
  const auto racks = hawser::discovery::load("rack:2 gpu:4").tree.size();
  std::cout << "consumed hawser::topology: " << here.machine.nodes().size() << " parts here, " << racks
            << " GPUs there\n";
  return here.machine.nodes().empty() || racks != 8 ? 1 : 0;
}
