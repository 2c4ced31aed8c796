// The conformance program's counts, its choice of cases, and what it says of a failure. Plain MPI, no hawser.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <random>
#include <string>

namespace conformance {

/// From the command line.
struct options {
  std::uint64_t seed = 1;
  bool is_quick = false;
  std::string collective;  ///< only this one; empty: all
  std::string type;        ///< only this one, as MPI spells it; empty: all
  std::string section;     ///< only this one; empty: all
  int timeout = 600;       ///< seconds for the whole program; 0: none
};

/// Both sides of every comparison: the MPI library behind the profiling interface, and what a program calls.
enum class library : int { pmpi, mpi };

const options& chosen();
void choose(const options& told);
/// Whether the command line leaves this one in.
bool is_wanted(const std::string& wanted, const std::string& name);

/// Counts a check; a failed one is printed, the first of a process only. Returns `holds`.
bool check(bool holds, const std::string& what);
std::int64_t checks() noexcept;
std::int64_t failures() noexcept;

/// Says what is under way, for failures and for the alarm that ends a hang.
void enter(const std::string& what);
const char* current() noexcept;

/// Random numbers that only seed, `stream` and `number` decide.
std::mt19937_64 random_numbers(std::uint64_t stream, std::uint64_t number);
/// From 0 to `below` - 1.
int any_below(std::mt19937_64& numbers, int below);

/// The MPI error class of a return code.
int class_of(int code);
/// "MPI_ERR_ROOT" and the like where MPI names it.
std::string error_text(int code);

}  // namespace conformance
