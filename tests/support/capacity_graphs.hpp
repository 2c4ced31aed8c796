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

}  // namespace hawser::test
