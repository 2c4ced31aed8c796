// What ranks did when, for people: dumps as Chrome's trace events, which Perfetto shows.
#pragma once

#include <string>
#include <vector>

#include <hawser/diagnosis/dump.hpp>

namespace hawser::diagnosis {

inline constexpr std::string_view trace_file_ending = ".trace.json";

/// Each rank is a process, its calls and messages the first of its rows, its steps below. The hosts' clocks are taken
/// as they are set. What had not ended lasts until the dump.
std::string to_chrome_json(const std::vector<dump>& dumps);

}  // namespace hawser::diagnosis
