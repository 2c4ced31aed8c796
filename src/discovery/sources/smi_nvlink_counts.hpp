// How many NVLinks the GPUs have that are made for NVSwitches, by product name.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace hawser::discovery {

struct nvlink_model {
  std::string_view word;  ///< of the product name
  int links;              ///< NVIDIA's data sheets; A800 and H800 are A100 and H100 with fewer
};
inline constexpr std::array nvlink_models = {
    nvlink_model{"GB300", 18}, nvlink_model{"GB200", 18}, nvlink_model{"B300", 18}, nvlink_model{"B200", 18},
    nvlink_model{"GH200", 18}, nvlink_model{"H200", 18},  nvlink_model{"H100", 18}, nvlink_model{"H20", 18},
    nvlink_model{"H800", 8},   nvlink_model{"A800", 8},   nvlink_model{"A100", 12}, nvlink_model{"V100", 6},
};

inline std::optional<int> nvlinks_of_model(std::string_view product) {
  for (const nvlink_model& each : nvlink_models)
    if (product.find(each.word) != std::string_view::npos) return each.links;
  return std::nullopt;
}

/// True where GPUs of a product that are so many in one host are always joined through NVSwitches: Blackwell and
/// DGX-2's V100 in any number, the others on boards of eight (boards of four are meshes of direct links).
inline bool is_always_switched(std::string_view product, std::size_t gpus) {
  const auto has = [&](std::string_view word) { return product.find(word) != std::string_view::npos; };
  if (has("GB200") || has("GB300") || has("V100-SXM3")) return true;
  if (has("PCIe") || has("NVL") || has("V100") || gpus <= 4) return false;
  return nvlinks_of_model(product).has_value();
}

}  // namespace hawser::discovery
