// The registry of sources, and how a file finds its own.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include <hawser/core/error.hpp>
#include <hawser/discovery/live.hpp>
#include <hawser/discovery/source.hpp>

#include "file.hpp"
#include "live/live_sources.hpp"
#include "sources/sources.hpp"
#include "text.hpp"

namespace hawser::discovery {

namespace {

std::string kinds() {
  std::string all;
  for (const file_source& each : file_sources()) all.append(all.empty() ? "" : ", ").append(each.kind);
  return all;
}

// Editors of some systems put it in front of UTF-8, and no format here gives it a meaning.
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

struct file_argument {
  std::string_view kind;  // empty: to be recognised
  std::string host;
  std::string name;
};

// "KIND:FILE" and "KIND@HOST:FILE" only where KIND is one: a file name may have a colon.
file_argument parse_argument(std::string_view argument, const read_options& options) {
  const std::size_t colon = argument.find(':');
  const std::string_view before = argument.substr(0, colon);
  const std::string_view kind = before.substr(0, before.find('@'));
  const auto is_kind = [&](const file_source& each) { return each.kind == kind; };
  if (colon == std::string_view::npos || std::ranges::none_of(file_sources(), is_kind))
    return {{}, options.host, std::string(argument)};
  const std::string host = kind.size() == before.size() ? options.host : std::string(before.substr(kind.size() + 1));
  return {kind, host, std::string(argument.substr(colon + 1))};
}

}  // namespace

std::span<const file_source> file_sources() {
  static const std::array all = {
      hawser_json, nccl_xml,   flagcx_xml, hwloc_xml,     smi_query_xml, smi_query,           smi_topo,
      smi_p2p,     smi_nvlink, fabric_csv, rocm_topo,     ibnetdiscover, ibnetdiscover_ports, iblinkinfo,
      ibsim_net,   slurm_conf, slurm_yaml, cluster_uuids, kubernetes,    topograph,           simgrid,
      astra_sim,   htsim,
  };
  return all;
}

std::span<const live_source> live_sources() {
  // The first to tell of a part names it: those that know it as a GPU or a NIC come before those that see its bus.
  static const std::array all = {
      live_nvml, live_network, live_system, live_hwloc, live_ibnetdisc, live_slurm, live_slurm_files, live_kubernetes,
  };
  return all;
}

std::optional<std::string> process_variable(const char* name) {
  const char* const value = std::getenv(name);
  return value ? std::optional<std::string>(value) : std::nullopt;
}

const file_source& file_source_of(std::string_view kind) {
  for (const file_source& each : file_sources())
    if (each.kind == kind) return each;
  fail(errc::not_found, "there is no kind of topology file \"" + shortened(kind) + "\"", "the kinds are " + kinds());
}

const file_source& recognise(const document& file) {
  for (const file_source& each : file_sources())
    if (each.recognises(file)) return each;
  fail_in(file, {}, "it is of no kind that is known", "name the kind, as in KIND:FILE, of " + kinds());
}

topology::graph read(const file_source& source, const document& file, const read_options& options) {
  try {
    return source.read(file, options);
  } catch (const error& failure) {
    if (failure.code() != errc::invalid_argument) throw;
    fail_in(file, {}, failure.what());
  }
}

opened_file open_file(std::string_view argument, const read_options& options) {
  file_argument wanted = parse_argument(argument, options);
  const std::size_t limit = wanted.kind.empty() ? max_text_bytes : file_source_of(wanted.kind).max_bytes;
  opened_file opened{std::move(wanted.name), {}, std::move(wanted.host), nullptr};
  opened.text = read_text(opened.name, limit);
  if (opened.text.starts_with("\xff\xfe") || opened.text.starts_with("\xfe\xff"))
    fail_in(opened.as_document(), {}, "it is UTF-16", "convert it, as with iconv -f UTF-16 -t UTF-8");
  if (opened.text.starts_with(byte_order_mark)) opened.text.erase(0, byte_order_mark.size());
  opened.source = wanted.kind.empty() ? &recognise(opened.as_document()) : &file_source_of(wanted.kind);
  if (opened.text.size() > opened.source->max_bytes)
    fail_in(opened.as_document(), {}, "it is larger than " + std::to_string(opened.source->max_bytes >> 20) + " MiB");
  return opened;
}

topology::graph read_file(std::string_view argument, const read_options& options) {
  const opened_file opened = open_file(argument, options);
  return read(*opened.source, opened.as_document(), {opened.host});
}

}  // namespace hawser::discovery
