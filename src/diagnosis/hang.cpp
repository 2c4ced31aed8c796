// See hang.hpp. Each question is asked of the dumps in turn; the first that finds something ends the search.
#include <hawser/diagnosis/hang.hpp>

#include <algorithm>
#include <optional>
#include <set>

#include <hawser/core/error.hpp>

#include "hang_steps.hpp"
#include "job_view.hpp"

namespace hawser::diagnosis {

namespace {

using detail::call_name;
using detail::duration_in_words;
using detail::job_view;
using rank_list = std::vector<std::int32_t>;

std::string what_it_did_last(const job_view& job, std::int32_t rank, const std::string& communicator) {
  const dumped_call* const last = job.last_call(rank, communicator);
  if (last == nullptr) return "it has made none there";
  const std::string text = "the last that it made there is call " + std::to_string(last->number);
  return last->end ? text + ", which ended " + duration_in_words(job.of(rank)->time - *last->end) + " before its dump"
                   : text + ", which it is in";
}

/// The earliest call that ranks made differently.
std::optional<hang_report> find_different_calls(const job_view& job) {
  std::map<call_name, std::map<std::string, rank_list>> calls;
  for (const dump& each : job.dumps())
    for (const dumped_call& call : each.calls)
      if (!call.is_message()) calls[{call.communicator, call.number}][call.signature].push_back(each.rank);
  const std::map<std::string, rank_list>* found = nullptr;
  call_name which;
  double earliest = 0;
  for (const auto& [name, signatures] : calls) {
    if (signatures.size() < 2) continue;
    double begin = 0;
    for (const auto& [signature, ranks] : signatures)
      for (std::int32_t r : ranks) begin = std::max(begin, job.call(r, name)->begin + job.of(r)->epoch);
    if (found != nullptr && begin >= earliest) continue;
    found = &signatures;
    which = name;
    earliest = begin;
  }
  if (found == nullptr) return std::nullopt;
  const auto most = std::max_element(found->begin(), found->end(),
                                     [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  hang_report report{.kind = hang_kind::different_calls, .communicator = which.first, .call = which.second};
  std::string others;
  for (const auto& [signature, ranks] : *found) {
    if (signature == most->first) continue;
    others += (others.empty() ? "" : ", and ") + ranks_in_words(ranks) + " called " + signature;
    report.ranks.insert(report.ranks.end(), ranks.begin(), ranks.end());
  }
  std::sort(report.ranks.begin(), report.ranks.end());
  report.sentence = "As call " + std::to_string(which.second) + " of communicator " + which.first + ", " +
                    ranks_in_words(most->second) + " called " + most->first + ", while " + others + ".";
  return report;
}

/// For each call that ranks wait in: its members that have not made it, and those that left no dump.
struct absence {
  call_name call;
  rank_list waiting, late, missing;
};

std::vector<absence> absences(const job_view& job) {
  std::vector<absence> all;
  std::set<std::string> seen;
  for (const auto& [name, waiting] : job.open_by_call()) {
    if (!seen.insert(name.first).second) continue;  // the oldest call of a communicator comes first
    absence found{name, waiting, {}, {}};
    for (std::int32_t member : job.members(name.first)) {
      const dumped_call* const last = job.last_call(member, name.first);
      if (job.of(member) == nullptr)
        found.missing.push_back(member);
      else if (last == nullptr || last->number < name.second)
        found.late.push_back(member);
    }
    all.push_back(std::move(found));
  }
  return all;
}

bool is_blamed(const job_view& job, std::int32_t rank) {
  return std::any_of(job.dumps().begin(), job.dumps().end(),
                     [rank](const dump& each) { return each.blamed == std::optional(rank); });
}

std::string reason_for(const job_view& job, std::int32_t rank) {
  for (const dump& each : job.dumps())
    if (each.blamed == std::optional(rank)) return "; rank " + std::to_string(each.rank) + " says: " + each.reason;
  return "; was it killed, stopped, or is its host gone?";
}

std::optional<hang_report> find_missing(const job_view& job, const std::vector<absence>& waits, bool only_blamed) {
  for (const absence& each : waits) {
    hang_report report{.kind = hang_kind::missing, .communicator = each.call.first, .call = each.call.second};
    for (std::int32_t r : each.missing)
      if (!only_blamed || is_blamed(job, r)) report.ranks.push_back(r);
    if (report.ranks.empty()) continue;
    report.sentence = "There is no dump of " + ranks_in_words(report.ranks) + ", while " +
                      ranks_in_words(each.waiting) + " wait" + (each.waiting.size() == 1 ? "s" : "") + " in " +
                      job.in_words(each.call) + reason_for(job, report.ranks.front()) + ".";
    return report;
  }
  return std::nullopt;
}

/// Ranks that are late for a call and wait in no other: they hold up all the rest.
std::optional<hang_report> find_late(const job_view& job, const std::vector<absence>& waits) {
  for (const absence& each : waits) {
    hang_report report{.kind = hang_kind::late, .communicator = each.call.first, .call = each.call.second};
    for (std::int32_t r : each.late)
      if (job.open_calls(r).empty() && job.open_messages(r).empty()) report.ranks.push_back(r);
    if (report.ranks.empty()) continue;
    const bool is_one = report.ranks.size() == 1;
    report.sentence = ranks_in_words(report.ranks) + (is_one ? " has" : " have") + " not made " +
                      job.in_words(each.call) + ", in which " + ranks_in_words(each.waiting) + " wait" +
                      (each.waiting.size() == 1 ? "s" : "") + "; " +
                      (is_one ? "" : "of rank " + std::to_string(report.ranks.front()) + ": ") +
                      what_it_did_last(job, report.ranks.front(), each.call.first) + ".";
    report.sentence[0] = 'R';
    return report;
  }
  return std::nullopt;
}

/// What a rank that is late for a call is in instead, where that keeps it: a call of another communicator, or a message
/// whose other end is in a call.
std::optional<std::string> what_keeps(const job_view& job, std::int32_t late) {
  if (const auto open = job.open_calls(late); !open.empty())
    return job.in_words({open.front()->communicator, open.front()->number});
  for (const dumped_call* message : job.open_messages(late))
    if (!job.open_calls(message->peer).empty())
      return message->signature + (message->what == "send" ? " to rank " : " from rank ") +
             std::to_string(message->peer) + " with label " + std::to_string(message->number);
  return std::nullopt;
}

/// Everybody who is late waits elsewhere: a circle.
std::optional<hang_report> find_order(const job_view& job, const std::vector<absence>& waits) {
  for (const absence& each : waits)
    for (std::int32_t late : each.late) {
      const auto other = what_keeps(job, late);
      if (!other) continue;
      hang_report report{
          .kind = hang_kind::order, .ranks = {late}, .communicator = each.call.first, .call = each.call.second};
      report.sentence = "Rank " + std::to_string(late) + " is in " + *other + ", while " +
                        ranks_in_words(each.waiting) + " wait" + (each.waiting.size() == 1 ? "s" : "") + " for it in " +
                        job.in_words(each.call) + ": the ranks make these two in different orders.";
      return report;
    }
  return std::nullopt;
}

std::string describe_waiting(const dump& from, const dumped_call& call) {
  std::string text = "rank " + std::to_string(from.rank) + " is in " + call.signature + " (call " +
                     std::to_string(call.number) + " of communicator " + call.communicator + ") since " +
                     duration_in_words(from.time - call.begin);
  if (call.is_message())
    text = "rank " + std::to_string(from.rank) + " is in " + call.signature +
           (call.what == "send" ? " to rank " : " from rank ") + std::to_string(call.peer) + " (label " +
           std::to_string(call.number) + ") since " + duration_in_words(from.time - call.begin);
  constexpr int most_told = 4;
  int told = 0;
  for (const dumped_step& step : call.steps)
    if (step.is_open() && told++ < most_told)
      text += std::string(told == 1 ? ": step " : ", step ") + std::to_string(step.step) + " " +
              std::string(to_string(step.kind)) + (step.peer >= 0 ? " with rank " + std::to_string(step.peer) : "") +
              " since " + duration_in_words(from.time - step.begin);
  return told > most_told ? text + " and " + std::to_string(told - most_told) + " more" : text;
}

hang_report first_finding(const job_view& job) {
  const std::vector<absence> waits = absences(job);
  if (auto found = find_different_calls(job)) return *found;
  if (auto found = find_missing(job, waits, true)) return *found;
  if (auto found = find_late(job, waits)) return *found;
  if (auto found = find_missing(job, waits, false)) return *found;
  if (auto found = find_order(job, waits)) return *found;
  const bool is_late = std::any_of(waits.begin(), waits.end(), [](const absence& each) { return !each.late.empty(); });
  if (auto found = is_late ? detail::find_stuck_message(job) : std::nullopt) return *found;
  if (auto found = detail::find_stuck_step(job)) return *found;
  if (auto found = detail::find_stuck_message(job)) return *found;
  hang_report none;
  none.sentence = "No rank waits in a call.";
  return none;
}

}  // namespace

std::string ranks_in_words(const std::vector<std::int32_t>& ranks) {
  std::vector<std::string> runs;
  for (std::size_t i = 0; i < ranks.size();) {
    std::size_t last = i;
    while (last + 1 < ranks.size() && ranks[last + 1] == ranks[last] + 1) ++last;
    if (last - i < 2) last = i;
    runs.push_back(std::to_string(ranks[i]) + (last > i ? "-" + std::to_string(ranks[last]) : ""));
    i = last + 1;
  }
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (std::size_t i = 0; i < runs.size(); ++i) text += (i == 0 ? "" : i + 1 == runs.size() ? " and " : ", ") + runs[i];
  return text;
}

hang_report find_hang(const std::vector<dump>& dumps) {
  if (dumps.empty()) fail(errc::invalid_argument, "there are no dumps to read");
  const job_view job(dumps);
  hang_report report = first_finding(job);
  report.without_dump = job.without_dump();
  for (const dump& each : dumps) {
    for (const dumped_call* call : job.open_calls(each.rank)) report.waiting.push_back(describe_waiting(each, *call));
    for (const dumped_call* call : job.open_messages(each.rank))
      report.waiting.push_back(describe_waiting(each, *call));
  }
  return report;
}

}  // namespace hawser::diagnosis
