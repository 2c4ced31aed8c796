// See checks.hpp.
#include "checks.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace conformance {

namespace {

constexpr int printed_failures = 12;

options told_options;
std::int64_t checked = 0, failed = 0;
char under_way[512] = "start";  // read by a signal handler

int world_rank() {
  int rank = 0;
  PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

}  // namespace

const options& chosen() {
  return told_options;
}

void choose(const options& told) {
  told_options = told;
}

bool is_wanted(const std::string& wanted, const std::string& name) {
  return wanted.empty() || wanted == name;
}

bool check(bool holds, const std::string& what) {
  ++checked;
  if (holds) return true;
  if (++failed <= printed_failures)
    std::fprintf(stderr, "FAILED (rank %d, seed %llu): %s: %s\n", world_rank(),
                 static_cast<unsigned long long>(told_options.seed), under_way, what.c_str());
  return false;
}

std::int64_t checks() noexcept {
  return checked;
}
std::int64_t failures() noexcept {
  return failed;
}

void enter(const std::string& what) {
  std::strncpy(under_way, what.c_str(), sizeof under_way - 1);
}

const char* current() noexcept {
  return under_way;
}

std::mt19937_64 random_numbers(std::uint64_t stream, std::uint64_t number) {
  std::seed_seq mixed{told_options.seed, told_options.seed >> 32, stream, number, number >> 32};
  return std::mt19937_64(mixed);
}

int any_below(std::mt19937_64& numbers, int below) {
  return static_cast<int>(numbers() % static_cast<std::uint64_t>(below));
}

int class_of(int code) {
  int error_class = MPI_SUCCESS;
  if (code != MPI_SUCCESS) PMPI_Error_class(code, &error_class);
  return error_class;
}

std::string error_text(int code) {
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  PMPI_Error_string(code, text, &length);
  return std::string(text, static_cast<std::size_t>(length));
}

}  // namespace conformance
