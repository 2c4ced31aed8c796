// Asks NVML for the NVLinks of a GPU: state, version, speed, what is at the other end.
#include <algorithm>
#include <array>

#include "nvml_parts.hpp"

namespace hawser::discovery::nvml {

namespace {

constexpr unsigned fields_per_link = 3;
using link_fields = std::array<field_value, most_links * fields_per_link>;

std::optional<unsigned> value_in(const field_value& field) {
  if (field.status != success) return std::nullopt;
  return static_cast<unsigned>(field.value.wide);  // all three fit into 32 bits, whatever their type
}

// One call for all links; false where the library lacks it.
bool ask_fields(const api& calls, device which, unsigned links, link_fields& fields) {
  for (unsigned each = 0; each < fields.size(); ++each) {
    fields[each] = {};
    fields[each].field = field_link_speed + each % fields_per_link;
    fields[each].scope = each / fields_per_link;
    fields[each].status = not_supported;
  }
  return calls.fields(which, static_cast<int>(links * fields_per_link), fields.data()) == success;
}

std::optional<unsigned> ask_field(const api& calls, device which, unsigned number, unsigned scope = 0) {
  field_value asked{};
  asked.field = number;
  asked.scope = scope;
  asked.status = not_supported;
  if (calls.fields(which, 1, &asked) != success) return std::nullopt;
  return value_in(asked);
}

unsigned count_links(const api& calls, device which) {
  return std::min(ask_field(calls, which, field_link_count).value_or(most_links), most_links);
}

bool is_visible(const topology::bus_id& id) {
  return id.domain != 0xffffffff && !(id.bus == 0xff && id.device >= 0x1f) && id != topology::bus_id{};
}

// The two structures differ; the numbers of both are compared with nothing but themselves.
std::optional<topology::bus_id> remote_id(const api& calls, device which, unsigned number) {
  topology::bus_id id;
  if (calls.link_remote_pci.address) {
    pci_info info{};
    if (calls.link_remote_pci(which, number, &info) != success) return std::nullopt;
    id = {info.domain, info.bus, info.device, 0};
  } else {
    legacy_pci_info info{};
    if (calls.link_remote_pci_legacy(which, number, &info) != success) return std::nullopt;
    id = {info.domain, info.bus, info.device, 0};
  }
  return is_visible(id) ? std::optional(id) : std::nullopt;
}

void ask_remote(const api& calls, device which, link& found) {
  unsigned can = 1;
  if (calls.link_capability(which, found.number, capability_p2p, &can) == success) found.is_peer_to_peer = can != 0;
  remote_type type = remote_type::unknown;
  if (calls.link_remote_type(which, found.number, &type) == success) found.remote = type;
  found.remote_id = remote_id(calls, which, found.number);
}

}  // namespace

void ask_chip_links(const api& calls, device which, gpu& found) {
  const unsigned count = std::min(ask_field(calls, which, field_chip_links).value_or(0), most_links);
  for (unsigned number = 0; number < count; ++number) {
    if (ask_field(calls, which, field_chip_link_state, number) != 1U) continue;
    ++found.chip_links;
    if (!found.chip_megabytes) found.chip_megabytes = ask_field(calls, which, field_chip_link_speed, number);
  }
}

result ask_links(const api& calls, device which, gpu& found) {
  link_fields fields;
  const unsigned count = count_links(calls, which);
  const bool has_fields = count > 0 && ask_fields(calls, which, count, fields);
  for (unsigned number = 0; number < count; ++number) {
    link each{.number = number};
    const field_value* const told = &fields[number * fields_per_link];
    std::optional<unsigned> state;
    if (has_fields) each.megabytes = value_in(told[0]), state = value_in(told[1]), each.version = value_in(told[2]);
    if (!state) {
      unsigned is_on = 0;
      const result status = calls.link_state(which, number, &is_on);
      if (status == gpu_is_lost || status == reset_required) return status;
      if (status == not_supported && number == 0) break;  // the GPU has no NVLink
      if (status != success) continue;                    // there is no such link
      state = is_on;
    }
    unsigned version = 0;
    if (!each.version && calls.link_version(which, number, &version) == success) each.version = version;
    each.is_active = *state != 0;
    if (each.is_active) ask_remote(calls, which, each);
    found.links.push_back(each);
  }
  return success;
}

}  // namespace hawser::discovery::nvml
