// Networks that several tests pack trees into.
#pragma once

#include <cstdint>

#include <hawser/algorithm/capacity_graph.hpp>

namespace hawser::test {

/// `boxes` of `gpus` on a switch each, and one switch that joins all GPUs' NICs: a DGX A100 has 300 and 25 GB/s.
inline algorithm::capacity_graph switched_boxes(int boxes, int gpus, std::int64_t inside, std::int64_t across) {
  algorithm::capacity_graph graph(boxes * gpus, boxes + 1);
  for (int r = 0; r < boxes * gpus; ++r) {
    graph.join(r, graph.ranks() + r / gpus, inside);
    graph.join(r, graph.ranks() + boxes, across);
  }
  return graph;
}

/// NVLinks of a DGX-1 with eight V100 (nvidia-smi topo -m): six per GPU, two where the mesh is doubled.
inline algorithm::capacity_graph dgx1(std::int64_t nvlink) {
  algorithm::capacity_graph graph(8, 0);
  const int doubled[][2] = {{0, 3}, {0, 4}, {1, 2}, {1, 5}, {2, 3}, {4, 7}, {5, 6}, {6, 7}};
  const int single[][2] = {{0, 1}, {0, 2}, {1, 3}, {2, 6}, {3, 7}, {4, 5}, {4, 6}, {5, 7}};
  for (const auto& [a, b] : doubled) graph.join(a, b, 2 * nvlink);
  for (const auto& [a, b] : single) graph.join(a, b, nvlink);
  return graph;
}

}  // namespace hawser::test
