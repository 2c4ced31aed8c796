// Dumps from snapshots, and the dumps of a folder; their JSON is in dump_json.cpp.
#include <hawser/diagnosis/dump.hpp>

#include <algorithm>
#include <filesystem>
#include <map>

#include <hawser/core/error.hpp>

#include "core/text_file.hpp"

namespace hawser::diagnosis {

namespace {

/// Far above what the rings of one rank come to.
constexpr std::size_t most_dump_bytes = std::size_t{16} << 20;

dumped_step dumped(const step_record& from, const tick_scale& scale) {
  dumped_step made{from.step, from.segment, from.kind, from.peer, scale.seconds_at(from.begin), {}};
  if (from.end != 0) made.end = scale.seconds_at(from.end);
  return made;
}

dumped_call dumped(const call_record& from, const snapshot& seen) {
  const call_facts& facts = from.facts;
  dumped_call made;
  made.communicator = seen.communicators.at(facts.communicator).name;
  made.number = from.number;
  if (facts.kind == call_kind::collective) {
    made.what = to_string(facts.what);
    made.signature = signature_of(facts, seen.algorithms.at(facts.algorithm));
  } else {
    made.what = facts.kind == call_kind::send ? "send" : "receive";
    made.signature = made.what + " of " + std::to_string(facts.count) + " bytes";
    made.peer = facts.root;
  }
  made.begin = seen.scale.seconds_at(from.begin);
  if (from.state != call_state::open) made.end = seen.scale.seconds_at(from.end);
  made.has_failed = from.state == call_state::failed;
  return made;
}

}  // namespace

std::string signature_of(const call_facts& facts, std::string_view algorithm) {
  std::string text(to_string(facts.what));
  if (facts.what != schedule::collective::barrier) {
    const std::string type = facts.type == data_type::user ? std::to_string(facts.element_bytes) + "-byte elements"
                                                           : std::string(to_string(facts.type));
    text += " of " + (facts.count >= 0 ? std::to_string(facts.count) + " " : "") + type;
  }
  if (schedule::reduces(facts.what)) text += ", " + std::string(to_string(facts.op));
  if (schedule::has_root(facts.what)) text += ", root " + std::to_string(facts.root);
  if (facts.mode != schedule::mode::fast) text += ", mode " + std::string(to_string(facts.mode));
  text += ", by " + std::string(algorithm);
  if (facts.blocks != 0) text += ", block sizes #" + std::to_string(facts.blocks % 1'000'000);
  if (facts.segments > 1) text += " in " + std::to_string(facts.segments) + " segments";
  return text;
}

dump make_dump(const snapshot& seen, std::int32_t rank, std::int32_t size) {
  dump made;
  made.rank = rank;
  made.size = size;
  made.steps_lost = seen.steps_made - seen.steps.size();
  for (const known_communicator& each : seen.communicators)
    if (each.is_alive) made.communicators.push_back({each.name, each.members});
  std::map<std::uint64_t, std::size_t> place_of;
  for (const call_record& each : seen.calls) {
    place_of[each.id % recorder::call_modulus] = made.calls.size();
    made.calls.push_back(dumped(each, seen));
  }
  for (const step_record& each : seen.steps)
    if (const auto found = place_of.find(each.call); found != place_of.end())
      made.calls[found->second].steps.push_back(dumped(each, seen.scale));
  return made;
}

std::vector<dump> read_dumps(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code failed;
  std::vector<std::string> files;
  for (fs::directory_iterator each(folder, failed), end; !failed && each != end; each.increment(failed))
    if (each->path().filename().string().ends_with(dump_file_ending)) files.push_back(each->path().string());
  if (failed) fail(errc::io, "cannot read the folder \"" + folder + "\"", failed.message());
  if (files.empty())
    fail(errc::not_found, "there is no dump in \"" + folder + "\"",
         "no file there ends in " + std::string(dump_file_ending),
         "start the job with HAWSER_DUMP_DIR, or call communicator::dump");
  std::sort(files.begin(), files.end());
  std::map<std::int32_t, dump> by_rank;
  for (const std::string& file : files) {
    dump read = dump_from_json(read_text_file("dump", file, most_dump_bytes), file);
    if (!by_rank.empty() && by_rank.begin()->second.size != read.size)
      fail(errc::mismatch, "the dumps in \"" + folder + "\" are of different jobs",
           "of " + std::to_string(by_rank.begin()->second.size) + " ranks and of " + std::to_string(read.size),
           "use a folder of its own for each job");
    const auto [entry, is_new] = by_rank.try_emplace(read.rank, std::move(read));
    if (!is_new)
      fail(errc::mismatch, "two dumps in \"" + folder + "\" are of rank " + std::to_string(entry->first), {},
           "use a folder of its own for each job");
  }
  std::vector<dump> all;
  all.reserve(by_rank.size());
  for (auto& [rank, each] : by_rank) all.push_back(std::move(each));
  return all;
}

}  // namespace hawser::diagnosis
