// Reads the text of `nvidia-smi -q`: "key : value" in sections that indentation nests.
#include <array>
#include <cctype>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/topology/bus_id.hpp>

#include "smi_query_document.hpp"

namespace hawser::discovery {

namespace {

using member = std::string queried_gpu::*;
struct field {
  std::string_view section, key;  // an empty section: any
  member value;
};
constexpr std::array fields = {
    field{"", "Product Name", &queried_gpu::product},
    field{"", "GPU UUID", &queried_gpu::uuid},
    field{"", "Minor Number", &queried_gpu::minor},
    field{"MIG Mode", "Current", &queried_gpu::mig},
    field{"", "GPU C2C Mode", &queried_gpu::c2c},
    field{"", "Performance State", &queried_gpu::performance},
    field{"PCIe Generation", "Max", &queried_gpu::max_generation},
    field{"PCIe Generation", "Current", &queried_gpu::generation},
    field{"Link Width", "Max", &queried_gpu::max_width},
    field{"Link Width", "Current", &queried_gpu::width},
    field{"Fabric", "State", &queried_gpu::fabric_state},
    field{"Fabric", "Status", &queried_gpu::fabric_status},
    field{"", "CliqueId", &queried_gpu::clique_id},
    field{"", "ClusterUUID", &queried_gpu::cluster_uuid},
};

std::size_t indent_of(std::string_view line) {
  std::size_t columns = 0;
  for (char c : line) {
    if (c == '\t')
      columns = columns / 8 * 8 + 8;
    else if (c == ' ')
      ++columns;
    else
      break;
  }
  return columns;
}

// "GPU 00000000:03:00.0" starts what is said of a GPU.
std::string_view bus_id_in(std::string_view line) {
  if (!line.starts_with("GPU")) return {};
  const std::string_view id = trimmed(line.substr(3));
  return topology::parse_bus_id(id) ? id : std::string_view{};
}

class reader {
 public:
  explicit reader(const document& file) : file_(file) {}

  smi_query_document run() {
    for (line_reader lines(file_.text); lines.next();) take(lines.line(), lines.number());
    finish();
    if (all_.gpus.empty() && all_.attached_gpus != "0")
      fail_in(file_, {}, "it says nothing of any GPU", "give the whole text that nvidia-smi -q printed");
    return std::move(all_);
  }

 private:
  void take(std::string_view raw, std::size_t number) {
    const std::string_view line = trimmed(raw);
    if (line.empty()) return;
    if (take_unreachable(line, number)) return;
    if (const std::string_view id = bus_id_in(line); !id.empty()) {
      begin(id, number);
      return;
    }
    const std::size_t colon = line.find(" :") != std::string_view::npos ? line.find(" :") + 1 : line.find(": ");
    if (colon == std::string_view::npos)
      open_section(indent_of(raw), line);
    else
      set(indent_of(raw), trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  }

  // "Unable to determine the device handle for GPU0000:07:00.0: Unknown Error" is all that is printed of such a GPU.
  bool take_unreachable(std::string_view line, std::size_t number) {
    constexpr std::string_view words_before = "device handle for GPU";
    const std::size_t at = line.find(words_before);
    if (at == std::string_view::npos) return false;
    const std::string_view rest = trimmed(line.substr(at + words_before.size()));
    const std::size_t end = rest.find(": ");
    const std::string_view id = rest.substr(0, end);
    if (end == std::string_view::npos || !topology::parse_bus_id(id)) return false;
    begin(id, number);
    all_.gpus.back().lost = shortened(trimmed(rest.substr(end + 1)));
    finish();
    return true;
  }

  void begin(std::string_view id, std::size_t number) {
    finish();
    if (all_.gpus.size() == max_queried_gpus)
      fail_at_line(file_, number, "more than " + std::to_string(max_queried_gpus) + " GPUs");
    all_.gpus.push_back({.bus_id = std::string(id)});
    in_gpu_ = true;
    sections_.clear();
  }

  void finish() {
    if (in_gpu_) find_loss(all_.gpus.back());
    in_gpu_ = false;
  }

  // The sections that a line of this indentation is in. Texts whose indentation was lost have the last one only.
  void close_sections(std::size_t indent) {
    while (!sections_.empty() && sections_.back().first >= indent && indent > 0) sections_.pop_back();
  }
  void open_section(std::size_t indent, std::string_view name) {
    constexpr std::size_t most_nested = 32;
    close_sections(indent);
    if (indent == 0 || sections_.size() == most_nested) sections_.clear();
    sections_.emplace_back(indent, std::string(name.substr(0, max_quoted)));
  }

  void set(std::size_t indent, std::string_view key, std::string_view value) {
    if (!in_gpu_) {
      if (key == "Driver Version" && all_.driver.empty()) all_.driver = value;
      if (key == "Attached GPUs" && all_.attached_gpus.empty()) all_.attached_gpus = value;
      return;
    }
    close_sections(indent);
    const std::string_view section = sections_.empty() ? std::string_view{} : std::string_view(sections_.back().second);
    queried_gpu& gpu = all_.gpus.back();
    for (const field& each : fields)
      if (key == each.key && (each.section.empty() || section == each.section) && (gpu.*each.value).empty())
        gpu.*each.value = value;
    if (section == "Health" && gpu.fabric_health.size() < most_values)
      gpu.fabric_health.emplace(snake_case(key), value);
    if (section == "Platform Info" && gpu.platform.size() < most_values) gpu.platform.emplace(snake_case(key), value);
    if (says_lost(value) && value.find("lost") != std::string_view::npos) gpu.lost = value;
  }

  static constexpr std::size_t most_values = 32;  // of one section

  const document& file_;
  smi_query_document all_;
  bool in_gpu_ = false;
  std::vector<std::pair<std::size_t, std::string>> sections_;  // indentation and name, outermost first
};

}  // namespace

std::string snake_case(std::string_view name) {
  std::string snake;
  for (char c : name)
    snake += c == ' ' || c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return snake;
}

bool says_lost(std::string_view value) {
  if (value.starts_with('[') && value.ends_with(']')) value = value.substr(1, value.size() - 2);
  return value == "GPU is lost" || value == "Unknown Error" || value == "ERR!" || value == "GPU requires reset";
}

void find_loss(queried_gpu& gpu) {
  for (member each : {&queried_gpu::product, &queried_gpu::uuid, &queried_gpu::performance, &queried_gpu::width,
                      &queried_gpu::fabric_state})
    if (gpu.lost.empty() && says_lost(gpu.*each)) gpu.lost = gpu.*each;
}

smi_query_document parse_smi_query(const document& file) {
  return reader(file).run();
}

}  // namespace hawser::discovery
