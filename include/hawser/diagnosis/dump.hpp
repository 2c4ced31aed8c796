// What one rank's flight recorder held, with names in place of numbers: JSON of the schema "hawser.dump/1".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/diagnosis/recorder.hpp>

namespace hawser::diagnosis {

inline constexpr std::string_view dump_schema = "hawser.dump/1";
inline constexpr std::string_view dump_file_ending = ".dump.json";

/// A step of one segment. Times in seconds of the host's monotonic clock.
struct dumped_step {
  std::uint32_t step = 0;
  std::uint32_t segment = 0;
  schedule::step_kind kind = schedule::step_kind::copy;
  std::int32_t peer = -1;  ///< numbered as in the job; -1: none
  double begin = 0;
  std::optional<double> end{};  ///< none: it had not ended

  bool is_open() const noexcept { return !end; }
  friend bool operator==(const dumped_step&, const dumped_step&) = default;
};

/// A call, a collective or a message. Times in seconds of the host's monotonic clock.
struct dumped_call {
  std::string communicator{};  ///< its name, the same on all of its members and in no other one of the job
  std::uint64_t number = 0;    ///< of the communicator's collectives, from 1; of a message its label
  std::string what{};          ///< "all_reduce", ...; "send", "receive"
  std::string signature{};     ///< what all ranks must agree on, in words; of a message its size
  std::int32_t peer = -1;      ///< of a message: the other end, numbered as in the job
  double begin = 0;
  std::optional<double> end{};  ///< none: it had not ended
  bool has_failed = false;
  std::vector<dumped_step> steps{};  ///< those that were still in the ring, oldest first

  bool is_message() const noexcept { return peer >= 0; }
  /// Whoever made it is still in it, or was until the job failed.
  bool is_open() const noexcept { return !end || has_failed; }
  friend bool operator==(const dumped_call&, const dumped_call&) = default;
};

/// A communicator that the rank is in.
struct dumped_communicator {
  std::string name;
  std::vector<std::int32_t> members;  ///< their numbers in the job; empty: all of the job
  friend bool operator==(const dumped_communicator&, const dumped_communicator&) = default;
};

/// Everything that one rank left.
struct dump {
  std::int32_t rank = 0;
  std::int32_t size = 1;  ///< ranks of the job
  std::string host{};
  std::int64_t process = 0;
  std::string reason{};                  ///< why it was written
  std::optional<std::int32_t> blamed{};  ///< the rank whose failure that was, as far as this one knew
  double time = 0;                       ///< when, in seconds of the host's monotonic clock
  double epoch = 0;                      ///< added to a time: seconds since 1970
  std::uint64_t steps_lost = 0;          ///< steps that were no longer in the ring
  std::vector<dumped_communicator> communicators{};
  std::vector<dumped_call> calls{};  ///< those that were still in the ring, oldest first

  friend bool operator==(const dump&, const dump&) = default;
};

/// The calls, steps and communicators of a snapshot, for a rank of a job of so many; the caller adds the rest.
dump make_dump(const snapshot& seen, std::int32_t rank, std::int32_t size);

/// "all_reduce of 1000 float32, sum, by ring in 4 segments": what all ranks agree on where the call is right.
std::string signature_of(const call_facts& facts, std::string_view algorithm);

/// As text that reads back equal. Throws errc::unsupported where hawser was built without nlohmann-json.
std::string to_json(const dump& written);
/// Throws errc::parse with file, path of the element and reason where the text is no such dump, errc::unsupported as
/// above. `file_name` is for the messages only.
dump dump_from_json(std::string_view text, std::string_view file_name = {});

/// The dumps of a folder, by rank: files whose names end in `dump_file_ending`. Throws errc::io where the folder or a
/// file cannot be read, errc::not_found where there is none, errc::parse as above, errc::mismatch where two are of one
/// rank or of jobs of different sizes.
std::vector<dump> read_dumps(const std::string& folder);

}  // namespace hawser::diagnosis
