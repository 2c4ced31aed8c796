// Depth first through a tree of switches, without recursion.
#include "switch_order.hpp"

#include <algorithm>
#include <unordered_map>

namespace hawser::discovery {

namespace {

// Takes definitions of the same name together and adds the children that have none.
void collect(std::vector<switch_record> records, switch_order& order) {
  std::unordered_map<std::string, std::size_t> index_of;
  for (switch_record& each : records) {
    const auto [known, is_new] = index_of.try_emplace(each.name, order.switches.size());
    if (is_new) {
      order.switches.push_back(std::move(each));
      continue;
    }
    order.defined_twice.push_back(each.name);
    switch_record& first = order.switches[known->second];
    first.switches.insert(first.switches.end(), each.switches.begin(), each.switches.end());
    first.hosts.insert(first.hosts.end(), each.hosts.begin(), each.hosts.end());
    first.attributes.merge(each.attributes);
  }
  for (std::size_t at = 0; at < order.switches.size(); ++at) {
    std::vector<std::size_t> children;
    for (const std::string& child : std::vector<std::string>(order.switches[at].switches)) {
      const auto [known, is_new] = index_of.try_emplace(child, order.switches.size());
      if (is_new) {
        order.undefined.emplace_back(order.switches[at].name, child);
        order.switches.push_back({child, {}, {}, {}});
      }
      children.push_back(known->second);
    }
    std::sort(children.begin(), children.end());
    children.erase(std::unique(children.begin(), children.end()), children.end());
    order.children.push_back(std::move(children));
  }
}

constexpr int unseen = 0, open = -1;

struct step {
  std::size_t at;
  std::size_t next_child;  // to look at
  std::size_t kept;        // children before it that close no cycle
};

void note_cycle(const std::vector<step>& path, std::size_t child, switch_order& order) {
  if (++order.cycle_count > max_named_cycles) return;
  std::vector<std::string> names;
  const auto start = std::find_if(path.begin(), path.end(), [&](const step& each) { return each.at == child; });
  for (auto each = start; each != path.end() && names.size() < max_cycle_names; ++each)
    names.push_back(order.switches[each->at].name);
  if (static_cast<std::size_t>(path.end() - start) > max_cycle_names) names.push_back("...");
  names.push_back(order.switches[child].name);
  order.cycles.push_back(std::move(names));
}

void finish(const step& done, switch_order& order) {
  std::vector<std::size_t>& children = order.children[done.at];
  children.resize(done.kept);
  int highest = 0;
  for (std::size_t child : children) highest = std::max(highest, order.level[child]);
  order.level[done.at] = highest + 1;  // at most the number of switches
}

void descend(std::size_t from, switch_order& order) {
  std::vector<step> path{{from, 0, 0}};
  order.level[from] = open;
  while (!path.empty()) {
    step& here = path.back();
    std::vector<std::size_t>& children = order.children[here.at];
    if (here.next_child == children.size()) {
      finish(here, order);
      path.pop_back();
      continue;
    }
    const std::size_t child = children[here.next_child++];
    if (order.level[child] == open) {
      note_cycle(path, child, order);
      continue;
    }
    children[here.kept++] = child;
    if (order.level[child] != unseen) continue;
    order.level[child] = open;
    path.push_back({child, 0, 0});
  }
}

}  // namespace

switch_order order_switches(std::vector<switch_record> records) {
  switch_order order;
  collect(std::move(records), order);
  order.level.assign(order.switches.size(), unseen);
  for (std::size_t each = 0; each < order.switches.size(); ++each)
    if (order.level[each] == unseen) descend(each, order);
  return order;
}

}  // namespace hawser::discovery
