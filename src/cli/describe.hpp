// The surroundings of a run in words: versions, host, transports between the ranks; and progress on a terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <hawser/communicator/communicator.hpp>

namespace hawser::cli {

/// One transport and how many pairs of ranks it joins.
struct transport_use {
  std::string name;
  std::int64_t pairs = 0;
};

/// Collective. Which transports join the ranks of this job, on all ranks.
std::vector<transport_use> transports_in_use(communicator& members);
/// "shared_memory (28 pairs)"; "none (one rank)".
std::string to_text(const std::vector<transport_use>& uses);

/// "name, model of the processor, cores".
std::string describe_host();

/// Text on one line of a terminal that the next text replaces and the destructor removes. Nothing where there is none.
class progress {
 public:
  explicit progress(int descriptor) : descriptor_(descriptor) {}
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;
  ~progress() { clear(); }

  void show(const std::string& text);
  void clear();

 private:
  int descriptor_;
  bool is_shown_ = false;
};

enum class format { text, json, csv };

/// Throws errc::not_found that lists the formats.
format parse_format(std::string_view name, bool has_csv = false);

/// printf into a string.
[[gnu::format(printf, 1, 2)]] std::string formatted(const char* pattern, ...);

}  // namespace hawser::cli
