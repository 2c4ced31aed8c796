// Reads the text of `nvidia-smi nvlink -s`.
#include "smi_nvlink_parse.hpp"

#include <algorithm>
#include <utility>

namespace hawser::discovery {

namespace {

// "GPU 3" and what follows its colon, also "Link 12".
std::optional<std::pair<int, std::string_view>> numbered(std::string_view line, std::string_view what) {
  const std::size_t at = line.find(what);
  if (at == std::string_view::npos ||
      (at > 0 && blanks.find(line[at - 1]) == std::string_view::npos && line[at - 1] != ':'))
    return std::nullopt;
  const std::string_view rest = line.substr(at + what.size());
  const std::size_t colon = rest.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto number = to_integer<int>(trimmed(rest.substr(0, colon)));
  if (!number || *number < 0) return std::nullopt;
  return std::pair(*number, trimmed(rest.substr(colon + 1)));
}

class reader {
 public:
  explicit reader(const document& file) : file_(file) {}

  smi_nvlink_document run() {
    for (line_reader lines(file_.text); lines.next();) take(trimmed(lines.line()), lines.number());
    if (all_.gpus.empty())
      fail_in(file_, {}, "it names no GPU", "give the whole text that nvidia-smi nvlink -s printed");
    return std::move(all_);
  }

 private:
  void take(std::string_view line, std::size_t number) {
    if (line == "..." || line == "....") all_.is_elided = true;
    if (const auto gpu = numbered(line, "GPU "))
      begin(gpu->first, gpu->second, number);
    else if (const auto link = numbered(line, "Link "))
      add(link->first, link->second, number);
    else if (now_ && line.find("Unable to retrieve") != std::string_view::npos)
      now_->has_none = true;
  }

  void begin(int gpu, std::string_view rest, std::size_t number) {
    if (gpu >= static_cast<int>(max_nvlink_gpus))
      fail_at_line(file_, number, "GPU " + std::to_string(gpu) + " of one host");
    number_ = gpu;
    const auto [entry, is_new] = all_.gpus.try_emplace(gpu);
    now_ = &entry->second;
    if (!is_new) return;
    const std::size_t uuid = rest.find("(UUID:");
    now_->name = trimmed(rest.substr(0, uuid));
    now_->line = number;
    if (uuid == std::string_view::npos) return;
    const std::string_view value = trimmed(rest.substr(uuid + 6, rest.find(')', uuid) - uuid - 6));
    if (value != "..." && !value.empty()) now_->uuid = value;
  }

  void add(int link, std::string_view status, std::size_t number) {
    if (!now_) fail_at_line(file_, number, "a link before the first GPU");
    if (link >= max_nvlinks_listed)
      fail_at_line(file_, number, "link " + std::to_string(link) + " of one GPU",
                   "the numbers are below " + std::to_string(max_nvlinks_listed));
    const std::string name = "GPU" + std::to_string(number_) + " link " + std::to_string(link);
    std::optional<double> rate;
    if (const std::size_t unit = status.find("GB/s"); unit != std::string_view::npos)
      rate = to_number(trimmed(status.substr(0, unit)));
    if (rate && !(*rate > 0 && *rate < most_rate)) rate.reset();
    if (!rate && status.find("inactive") == std::string_view::npos && status.find("inActive") == std::string_view::npos)
      all_.unknown_links.push_back(name + " (" + shortened(status) + ")");
    const auto [entry, is_new] = now_->links.emplace(link, rate);
    if (!is_new && entry->second != rate) all_.contradictory_links.push_back(name);
    if (all_.contradictory_links.size() > most_notes) all_.contradictory_links.resize(most_notes);
    if (all_.unknown_links.size() > most_notes) all_.unknown_links.resize(most_notes);
  }

  static constexpr double most_rate = 10'000;      // GB/s of one link; a hundred times what any has
  static constexpr std::size_t most_notes = 1024;  // the text may repeat itself

  const document& file_;
  smi_nvlink_document all_;
  nvlink_status* now_ = nullptr;
  int number_ = 0;
};

}  // namespace

smi_nvlink_document parse_smi_nvlink(const document& file) {
  return reader(file).run();
}

}  // namespace hawser::discovery
