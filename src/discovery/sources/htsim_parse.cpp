// Reads htsim's .topo files: "Key value" per line, comments behind '#', keys in any case.
#include "htsim_parse.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace hawser::discovery::htsim_format {

namespace {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

class reader {
 public:
  explicit reader(const document& file) : file_(file), lines_(file.text) {}

  fat_tree run() {
    while (lines_.next()) {
      const std::string_view line = lines_.line();
      const auto parts = words(line.substr(0, line.find('#')));
      if (parts.size() == 1) fail_at_line(file_, lines_.number(), "\"" + shortened(parts[0]) + "\" has no value");
      if (parts.size() > 2)
        fail_at_line(file_, lines_.number(), "\"" + shortened(line) + "\" is not a key and a value");
      if (parts.size() == 2) read_setting(lower_case(parts[0]), parts[1]);
    }
    check();
    return std::move(read_);
  }

 private:
  void read_setting(const std::string& key, std::string_view text) {
    const auto value = to_integer<int>(text);
    if (!value || *value < 0)
      fail_at_line(file_, lines_.number(), key + " \"" + shortened(text) + "\" is not a whole number from 0 on");
    if (key == "tier") return start_tier(*value);
    std::optional<int>* const place = current_ ? place_in_tier(key) : place_in_header(key);
    if (!place) {
      read_.findings.push_back(
          {topology::severity::warning, "unknown-setting", "line " + std::to_string(lines_.number()),
           "\"" + shortened(key) + "\" is not known " + (current_ ? "in a tier" : "before a tier")});
      return;
    }
    if (*place) fail_at_line(file_, lines_.number(), key + " is set twice");
    *place = *value;
  }

  void start_tier(int number) {
    if (number > 2)
      fail_at_line(file_, lines_.number(), "there is no tier " + std::to_string(number), "tiers are 0 to 2");
    current_ = &read_.tier_of[static_cast<std::size_t>(number)];
    if (current_->line != 0) fail_at_line(file_, lines_.number(), "tier " + std::to_string(number) + " occurs twice");
    current_->line = lines_.number();
  }

  std::optional<int>* place_in_header(const std::string& key) {
    if (key == "nodes") return &read_.nodes;
    if (key == "tiers") return &read_.tiers;
    return key == "podsize" ? &read_.pod_size : nullptr;
  }
  std::optional<int>* place_in_tier(const std::string& key) {
    const std::pair<std::string_view, std::optional<int>*> places[] = {
        {"downlink_speed_gbps", &current_->speed_gbps},
        {"radix_down", &current_->radix_down},
        {"radix_up", &current_->radix_up},
        {"bundle", &current_->bundle},
        {"oversubscribed", &current_->oversubscribed},
        {"downlink_latency_ns", &current_->latency_ns},
        {"switch_latency_ns", &current_->switch_latency_ns},
        {"queue_down", &current_->queue_down},
        {"queue_up", &current_->queue_up}};
    for (const auto& [name, place] : places)
      if (name == key) return place;
    return nullptr;
  }

  void need(const std::optional<int>& value, const char* key, std::size_t line) const {
    if (value && *value > 0) return;
    const std::string reason = std::string(key) + (value ? " is 0" : " is missing");
    if (line == 0) fail_in(file_, "its header", reason);
    fail_in(file_, "the tier of line " + std::to_string(line), reason);
  }

  void check() const {
    need(read_.nodes, "Nodes", 0);
    need(read_.tiers, "Tiers", 0);
    need(read_.pod_size, "Podsize", 0);
    if (*read_.tiers < 2 || *read_.tiers > 3)
      fail_in(file_, "its header", "Tiers is " + std::to_string(*read_.tiers), "htsim has fat trees of 2 or 3 tiers");
    for (int each = 0; each < *read_.tiers; ++each) {
      const tier& here = read_.tier_of[static_cast<std::size_t>(each)];
      if (here.line == 0) fail_in(file_, {}, "tier " + std::to_string(each) + " is missing");
      need(here.speed_gbps, "Downlink_speed_Gbps", here.line);
      need(here.radix_down, "Radix_Down", here.line);
      if (each + 1 < *read_.tiers) need(here.radix_up, "Radix_Up", here.line);
      if (here.bundle) need(here.bundle, "Bundle", here.line);
      if (here.oversubscribed) need(here.oversubscribed, "Oversubscribed", here.line);
    }
  }

  const document& file_;
  line_reader lines_;
  fat_tree read_;
  tier* current_ = nullptr;
};

}  // namespace

fat_tree parse(const document& file) {
  return reader(file).run();
}

}  // namespace hawser::discovery::htsim_format
