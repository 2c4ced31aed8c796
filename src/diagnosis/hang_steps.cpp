// See hang_steps.hpp.
#include "hang_steps.hpp"

#include <algorithm>
#include <limits>
#include <set>

namespace hawser::diagnosis::detail {

namespace {

bool receives(const dumped_step& step) {
  return step.kind == schedule::step_kind::recv || step.kind == schedule::step_kind::recv_reduce;
}
bool sends(const dumped_step& step) {
  return step.kind == schedule::step_kind::send;
}

/// A receive that has not ended, of a rank that is in the call.
struct waiting_receive {
  std::int32_t rank;
  const dumped_step* step;
};

/// The open receive that has waited the longest; of the whole call, or of one rank.
std::optional<waiting_receive> oldest_receive(const job_view& job, const call_name& call,
                                              const std::vector<std::int32_t>& ranks) {
  std::optional<waiting_receive> oldest;
  double begun = std::numeric_limits<double>::infinity();
  for (std::int32_t r : ranks)
    if (const dumped_call* made = job.call(r, call))
      for (const dumped_step& step : made->steps)
        if (step.is_open() && receives(step) && step.begin + job.of(r)->epoch < begun) {
          begun = step.begin + job.of(r)->epoch;
          oldest = {r, &step};
        }
  return oldest;
}

/// Messages of one call between two ranks, as the dump of one of them counts them.
struct traffic {
  std::size_t ended = 0, open = 0;
};

traffic count(const dumped_call& call, std::int32_t peer, bool wants_sends) {
  traffic found;
  for (const dumped_step& step : call.steps)
    if (step.peer == peer && (wants_sends ? sends(step) : receives(step)))
      ++(step.is_open() ? found.open : found.ended);
  return found;
}

/// Whether the sender has sent what the receiver waits for. Steps that have left the rings forbid the question.
bool is_lost_between(const job_view& job, const call_name& call, std::int32_t from, std::int32_t to) {
  const dumped_call *const sender = job.call(from, call), *const receiver = job.call(to, call);
  if (sender == nullptr || receiver == nullptr) return false;
  const auto is_whole = [&](std::int32_t r, const dumped_call& made) {
    return job.of(r)->steps_lost == 0 || &made != &job.of(r)->calls.front();
  };
  if (!is_whole(from, *sender) || !is_whole(to, *receiver)) return false;
  const traffic sent = count(*sender, to, true), received = count(*receiver, from, false);
  return sent.ended + sent.open > received.ended && received.open > 0;
}

hang_report link_report(const job_view& job, const call_name& call, std::int32_t from, const waiting_receive& waiting) {
  hang_report report{
      .kind = hang_kind::link, .ranks = {from, waiting.rank}, .communicator = call.first, .call = call.second};
  const bool has_left = count(*job.call(from, call), waiting.rank, true).open == 0;
  report.sentence = "In " + job.in_words(call) + ", rank " + std::to_string(waiting.rank) + " has waited for " +
                    duration_in_words(job.of(waiting.rank)->time - waiting.step->begin) + " in step " +
                    std::to_string(waiting.step->step) + " for a message that rank " + std::to_string(from) +
                    (has_left ? " has sent" : " is sending") +
                    ": the link between them carries nothing in this direction.";
  return report;
}

/// From the rank that has waited the longest to the one that it waits for, and so on.
hang_report end_of_chain(const job_view& job, const call_name& call, const waiting_receive& first) {
  hang_report report{.kind = hang_kind::step, .communicator = call.first, .call = call.second};
  std::set<std::int32_t> seen{first.rank};
  waiting_receive at = first;
  std::string chain = "rank " + std::to_string(first.rank);
  std::optional<waiting_receive> next;
  while (seen.insert(at.step->peer).second) {
    chain +=
        " waits in step " + std::to_string(at.step->step) + " for rank " + std::to_string(at.step->peer) + ", which";
    next = oldest_receive(job, call, {at.step->peer});
    if (!next) break;
    at = *next;
  }
  const std::int32_t last = at.step->peer;
  report.ranks = {last};
  const dumped_call* const made = job.call(last, call);
  std::string end = " waits for rank " + std::to_string(last) + " in turn";
  if (!next) {
    const bool has_steps = made != nullptr && std::any_of(made->steps.begin(), made->steps.end(),
                                                          [](const dumped_step& each) { return each.is_open(); });
    end = has_steps ? " has not finished what it sends"
          : made != nullptr && made->is_open()
              ? " does nothing in the call: nobody drives it, or its operator does not return"
              : (made == nullptr ? " is not in it" : " has left the call");
  }
  report.sentence = "In " + job.in_words(call) + ", " + chain + end + ".";
  return report;
}

}  // namespace

std::optional<hang_report> find_stuck_step(const job_view& job) {
  const auto open = job.open_by_call();
  if (open.empty()) return std::nullopt;
  const auto oldest = std::min_element(open.begin(), open.end(), [&](const auto& a, const auto& b) {
    const auto begin = [&](const auto& entry) {
      return job.call(entry.second.front(), entry.first)->begin + job.of(entry.second.front())->epoch;
    };
    return begin(a) < begin(b);
  });
  const call_name& call = oldest->first;
  for (std::int32_t r : oldest->second)
    for (const dumped_step& step : job.call(r, call)->steps)
      if (step.is_open() && receives(step) && is_lost_between(job, call, step.peer, r))
        return link_report(job, call, step.peer, {r, &step});
  if (const auto first = oldest_receive(job, call, oldest->second)) return end_of_chain(job, call, *first);
  hang_report report{.kind = hang_kind::step, .ranks = oldest->second, .communicator = call.first, .call = call.second};
  report.sentence = "In " + job.in_words(call) + ", no rank waits to receive, and " + ranks_in_words(oldest->second) +
                    (oldest->second.size() == 1 ? " has" : " have") +
                    " not ended it: nobody drives it, what is sent does not leave, or an operator does not return.";
  return report;
}

std::optional<hang_report> find_stuck_message(const job_view& job) {
  for (const dump& each : job.dumps())
    for (const dumped_call* message : job.open_messages(each.rank)) {
      const dump* const other = job.of(message->peer);
      hang_report report{.kind = other == nullptr ? hang_kind::missing : hang_kind::late,
                         .ranks = {message->peer},
                         .communicator = message->communicator};
      const std::string wanted = message->what == "send" ? "receive" : "send";
      const auto is_other_end = [&](const dumped_call& call) {
        return call.what == wanted && call.peer == each.rank && call.number == message->number && call.is_open() &&
               call.communicator == message->communicator;
      };
      const std::string waiting = "rank " + std::to_string(each.rank) + " has waited for " +
                                  duration_in_words(each.time - message->begin) + " in " + message->signature +
                                  (message->what == "send" ? " to rank " : " from rank ") +
                                  std::to_string(message->peer) + " with label " + std::to_string(message->number);
      if (other != nullptr && std::any_of(other->calls.begin(), other->calls.end(), is_other_end)) {
        report.kind = hang_kind::link;
        report.ranks = {std::min(each.rank, message->peer), std::max(each.rank, message->peer)};
        report.sentence = "Both ends of a message are there and do not meet: " + waiting + ".";
      } else {
        report.sentence = (other == nullptr ? "There is no dump of rank " : "Rank ") + std::to_string(message->peer) +
                          (other == nullptr ? ", while " : " has no " + wanted + " for it: ") + waiting + ".";
      }
      return report;
    }
  return std::nullopt;
}

}  // namespace hawser::diagnosis::detail
