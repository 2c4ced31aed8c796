// Lint: cluster UUIDs and clique ids that do not name one multi-node NVLink domain.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>

#include "rules.hpp"

namespace hawser::discovery {

namespace attribute = topology::attribute;

namespace {

// NVIDIA's NMX controller numbers partitions from 1; the last number is that of the default partition, the same in
// every rack (NMX-C gRPC API, partitionId). 0 occurs with a valid UUID on GH200 (NVIDIA/go-nvlib#54). NCCL, UCC and the
// GPU feature discovery take a zero UUID for "no multi-node domain".
constexpr long long default_partition = 32766;

enum class uuid_kind { absent, zero, all_ones, usual };

uuid_kind kind_of(std::string_view uuid) {
  if (is_absent(uuid)) return uuid_kind::absent;
  std::string digits;
  for (char c : uuid)
    if (c != '-' && c != '{' && c != '}') digits += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (digits.starts_with("0x")) digits.erase(0, 2);
  const auto only = [&](char digit) { return digits.find_first_not_of(digit) == std::string::npos; };
  return only('0') ? uuid_kind::zero : only('f') ? uuid_kind::all_ones : uuid_kind::usual;
}

std::optional<long long> number_of(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2), base = 16;
  long long number = 0;
  const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (status != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string_view uuid_of(const node& part) {
  return value_of(part, attribute::cluster_uuid);
}
std::string_view clique_of(const node& part) {
  return value_of(part, attribute::clique_id);
}

// GPUs as their driver tells it, hosts as labels of a scheduler do.
bool may_have_clique(const node& part) {
  return (part.kind == node_kind::gpu && value_of(part, attribute::lost).empty()) || part.kind == node_kind::host;
}

std::string sentinel_in(const node& part) {
  if (!may_have_clique(part)) return {};
  const uuid_kind uuid = kind_of(uuid_of(part));
  if (uuid == uuid_kind::all_ones) return "cluster UUID " + std::string(uuid_of(part));
  if (is_absent(clique_of(part))) return {};
  const std::optional<long long> id = number_of(clique_of(part));
  const bool names_domain = uuid == uuid_kind::usual;
  const bool is_usable = id && *id >= 0 && *id <= (names_domain ? default_partition : default_partition - 1);
  return is_usable ? std::string() : "clique id " + std::string(clique_of(part));
}

}  // namespace

void check_multi_node(const graph& machine, findings& found) {
  const auto zero = [](const node& part) {
    const bool is_zero = may_have_clique(part) && kind_of(uuid_of(part)) == uuid_kind::zero;
    return is_zero ? "clique " + std::string(is_absent(clique_of(part)) ? "unknown" : clique_of(part)) : std::string();
  };
  for (const part_group& each : grouped(machine, zero))
    found.push_back({severity::info, "not-multi-node", subject_of(machine, each),
                     each.value + " with a zero cluster UUID (" + listed(machine, each.parts) +
                         ") is not a multi-node NVLink domain: NVLink joins the GPUs of this host only, and other "
                         "hosts with the same clique are not in reach"});
}

void check_sentinel_cliques(const graph& machine, findings& found) {
  for (const part_group& each : grouped(machine, sentinel_in))
    found.push_back({severity::warning, "sentinel-clique", subject_of(machine, each),
                     each.value + " of " + listed(machine, each.parts) +
                         " stands for \"none\" and names no NVLink domain: hosts that share it share no NVLink; check "
                         "the fabric's state and its partitions"});
  std::set<std::string, std::less<>> clusters;
  for (const node& each : machine.nodes())
    if (may_have_clique(each) && kind_of(uuid_of(each)) == uuid_kind::usual &&
        number_of(clique_of(each)) == default_partition)
      clusters.emplace(uuid_of(each));
  if (!clusters.empty())
    found.push_back({severity::info, "sentinel-clique", "clique " + std::to_string(default_partition),
                     "the default NVLink partition has this number in every rack (here in " +
                         counted(clusters.size(), "cluster") +
                         "): only cluster UUID and clique id together name a domain"});
}

void check_mixed_cliques(const graph& machine, findings& found) {
  for (const host_parts& host : parts_of_hosts(machine)) {
    std::map<std::string, std::vector<node_index>> gpus_in;
    for (node_index gpu : host.gpus) {
      const node& part = machine.nodes()[gpu];
      if (kind_of(uuid_of(part)) == uuid_kind::usual)
        gpus_in[plain(uuid_of(part)) + "." + plain(clique_of(part))].push_back(gpu);
    }
    if (gpus_in.size() < 2) continue;
    std::string those;
    for (const auto& [clique, gpus] : gpus_in)
      those += (those.empty() ? "" : "; ") + clique + ": " + listed(machine, gpus);
    found.push_back({severity::warning, "mixed-cliques", machine.nodes()[host.host].name,
                     "GPUs of one host are in different NVLink domains (" + those +
                         "): labels by host are ambiguous; check the partitions of the NVLink fabric"});
  }
}

}  // namespace hawser::discovery
