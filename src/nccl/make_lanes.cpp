// Makes a group's lanes: the first from an id that its first member publishes, the others by splitting it.
#include <set>
#include <string>
#include <utility>

#include "nccl/group_state.hpp"
#include "nccl/meeting.hpp"
#include "nccl/results.hpp"

namespace hawser::nccl {
namespace {

using detail::group_state;

/// Members of several parts may share a meeting; each part has a maker of ids.
std::string id_key(const group_state& of, int number) {
  return "id/" + to_string(of.members.front()) + "/" + std::to_string(number);
}

bool is_split(const group_state& of, const group_state* parent, int number) {
  return of.opened->can().has_split && (parent != nullptr || number > 0);
}

ncclUniqueId agree_on_id(const group_state& of, meeting& by, int number) {
  ncclUniqueId id{};
  if (of.place != 0) {
    const std::string told = by.get(id_key(of, number));
    if (told.size() != sizeof id.internal)
      fail(errc::mismatch, "an id of NCCL of " + std::to_string(told.size()) + " bytes");
    told.copy(id.internal, sizeof id.internal);
    return id;
  }
  const ncclResult_t result = of.calls().unique_id(&id);
  if (!is_fine(result)) throw to_error(of.calls(), nullptr, result, "make an id");
  by.put(id_key(of, number), std::string(id.internal, sizeof id.internal));
  return id;
}

void start(group_state& of, const group_state* parent, meeting& by, int number) {
  lane& started = *of.lanes.emplace_back(std::make_unique<lane>(of.opened));
  const patience until{by.deadline(), [&by] { by.look(); }};
  const int size = static_cast<int>(of.members.size());
  if (!is_split(of, parent, number))
    started.start(agree_on_id(of, by, number), size, of.place, of.config(), until);
  else if (parent != nullptr)
    started.start(*parent->lanes[static_cast<std::size_t>(number)], of.members.front().value, of.place, of.config(),
                  until);
  else
    started.start(*of.lanes.front(), 0, of.place, of.config(), until);
}

void choose_device(const group_state& of) {
  if (of.options.device < 0) return;
  if (const int code = of.calls().choose_device(of.options.device)) {
    error refused(errc::resource,
                  describe("CUDA device " + std::to_string(of.options.device) + " cannot be used",
                           "CUDA's driver says " + std::to_string(code), "is there such a device, and a driver?"));
    refused.with_native_code(code);
    throw refused;
  }
}

/// Keys that this member will publish; all that it may, before NCCL is opened.
std::set<std::string> promises(const group_state& of, const group_state* parent) {
  std::set<std::string> keys;
  for (int number = 0; of.place == 0 && number < of.options.lanes; ++number)
    if (!of.opened || !is_split(of, parent, number)) keys.insert(id_key(of, number));
  return keys;
}

}  // namespace

void make_lanes(group_state& state, group_state* parent, const std::string& keys) {
  const group_state& all = parent != nullptr ? *parent : state;
  meeting by(state.job, state.heeded, keys, all.members, all.place,
             meeting::clock::now() + state.options.creation_timeout, promises(state, parent));
  try {
    try {
      if (!state.opened) state.opened = open_library(state.options.library);
      choose_device(state);
      for (int number = 0; number < state.options.lanes; ++number) start(state, parent, by, number);
      by.conclude();
    } catch (const error& e) {
      by.refuse(e);
    }
  } catch (...) {
    // Not before the others are told: what NCCL makes of it must not be taken for the cause.
    state.abort("its making was refused");
    if (parent != nullptr) parent->abort("a split of it was refused");
    state.lanes.clear();
    throw;
  }
  for (const std::string& key : promises(state, parent)) by.erase(key);
}

}  // namespace hawser::nccl
