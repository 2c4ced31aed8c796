// Uses hawser::core only: reads a synthetic topology and prints it.
#include <hawser/topology/synthetic.hpp>

#include <iostream>

int main() {
  const auto tree = hawser::topology::parse_synthetic("rack:[8,8,5]");
  std::cout << "consumed hawser::core: " << hawser::topology::to_synthetic(tree) << ", " << tree.size() << " ranks\n";
  return tree.size() == 21 ? 0 : 1;
}
