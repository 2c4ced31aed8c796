// YAML through yaml-cpp, with bounded size, depth and number of nodes: aliases may multiply what a small file says.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "text.hpp"

namespace hawser::discovery {

inline constexpr std::size_t max_yaml_nodes = 4'000'000;  ///< with aliases followed

/// The documents of a file of at most `max_yaml_bytes`. Throws errc::parse with line and reason. Every document is
/// finite when followed through its aliases, at most `max_depth` deep and of at most `max_yaml_nodes` nodes.
std::vector<YAML::Node> parse_yaml(const document& file);

/// Throws errc::parse that names the line of a node.
[[noreturn]] void fail_at(const document& file, const YAML::Node& node, std::string_view reason,
                          std::string_view suggestion = {});

/// A scalar's text. Throws errc::parse where the node is not a scalar; `what` names it in the message.
std::string scalar_of(const document& file, const YAML::Node& node, std::string_view what);

}  // namespace hawser::discovery
