// See successor.hpp.
#include "successor.hpp"

#include <algorithm>
#include <exception>

#include <hawser/communicator/communicator.hpp>

namespace hawser::detail {
namespace {

const std::string consent = "yes";

/// A refusal as the others learn of it: the number of its code, then the reason.
std::string refusal(const error& why) {
  return std::to_string(static_cast<int>(why.code())) + " " + why.what();
}

error to_error(const rank from, const std::string& told) {
  const std::size_t space = told.find(' ');
  const int code = space == std::string::npos ? static_cast<int>(errc::internal) : std::stoi(told.substr(0, space));
  return {static_cast<errc>(code), describe("the new communicator could not be opened",
                                            "rank " + to_string(from) + " of it: " + told.substr(space + 1))};
}

}  // namespace

void tell(const recovery_options& options, recovery_stage stage) {
  if (options.observer) options.observer(stage);
}

transport::registry substitutes(const transport::registry& before) {
  bool reaches_far = false, has_dropped = false;
  for (const transport::factory& line : before) {
    has_dropped = has_dropped || !line.is_renewable;
    reaches_far = reaches_far || (line.is_renewable && line.reaches != transport::reach::host);
  }
  if (reaches_far || !has_dropped) return {};
  transport::registry lines = default_transports();
  std::erase_if(lines, [](const transport::factory& line) { return line.reaches != transport::reach::network; });
  return lines;
}

communicator_options options_for_successor(const communicator_options& before) {
  communicator_options told = before;
  std::erase_if(told.transports, [](const transport::factory& line) { return !line.is_renewable; });
  for (transport::factory& line : substitutes(before.transports)) told.transports.push_back(std::move(line));
  told.aggregates.reset();
  return told;
}

opening open_together(const std::shared_ptr<bootstrap::shared_door>& shared, const std::string& scope,
                      const std::vector<rank>& members, const communicator_options& told,
                      const recovery_options& options) {
  opening result;
  bootstrap::question vote{.name = scope + " commit", .members = members, .said = consent, .timeout = options.timeout};
  try {
    auto door = std::make_unique<bootstrap::members_door>(shared, scope, members);
    result.made = std::make_shared<job>(std::move(door), told);
    tell(options, recovery_stage::opened);
  } catch (const error& failed) {
    vote.said = refusal(failed);
  } catch (const std::exception& failed) {
    vote.said = refusal(error(errc::internal, failed.what()));
  }
  const bootstrap::agreement all = shared->root().agree(vote);
  for (std::size_t r = 0; r < all.members.size(); ++r) {
    const bootstrap::agreement::member& each = all.members[r];
    if (each.state != bootstrap::standing::present)
      result.has_lost_some = true;
    else if (each.said != consent && !result.refused)
      result.refused = to_error(rank(static_cast<std::int32_t>(r)), each.said);
  }
  if (!result.has_lost_some && !result.refused) {
    tell(options, recovery_stage::committed);
    return result;
  }
  result.made.reset();
  return result;
}

}  // namespace hawser::detail
