// See options.hpp.
#include "options.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "handles.hpp"
#include "status.hpp"

namespace hawser::c {

namespace {

/// Of a struct of `known` bytes, how many of the caller's are read. Throws as `read`.
std::size_t readable(const void* given, std::size_t size, std::size_t known, const std::string& name) {
  constexpr std::size_t most = 4096;  // far beyond any version: what is more was never set
  if (size < sizeof size || size > most)
    fail(errc::invalid_argument, "the struct_size of " + name + " is " + std::to_string(size),
         "it says which hawser.h the program was compiled with", "initialise it with {sizeof(" + name + ")}");
  const auto* bytes = static_cast<const unsigned char*>(given);
  if (size > known && std::any_of(bytes + known, bytes + size, [](unsigned char b) { return b != 0; }))
    fail(errc::unsupported, "a field of " + name + " is set that this library does not know",
         std::string("the program was compiled with a newer hawser.h, the library is ") + hawser_version_text(),
         "use the library of that version");
  return std::min(size, known);
}

template <class Struct>
Struct read_sized(const Struct* given, const char* name) {
  Struct own{};
  if (given != nullptr) std::memcpy(&own, given, readable(given, given->struct_size, sizeof own, name));
  own.struct_size = sizeof own;
  return own;
}

[[noreturn]] void out_of_range(const char* what, std::int64_t number, const std::string& range) {
  fail(errc::invalid_argument, std::string("there is no ") + what + " " + std::to_string(number), {},
       "choose one of " + range);
}

void set(std::string& text, const char* given) {
  if (given != nullptr) text = given;
}

void set(milliseconds& time, std::int64_t given, const char* name) {
  constexpr std::int64_t most = std::int64_t{1} << 40;  // 35 years, so that adding it to a clock is no overflow
  if (given < 0 || given > most)
    fail(errc::invalid_argument, std::string(name) + " is out of range", std::to_string(given) + " ms",
         "pass a time above 0, or 0 for the default");
  if (given > 0) time = milliseconds(given);
}

std::string names_of_types() {
  std::string names;
  for (std::size_t i = 0; i <= builtin_data_types; ++i)
    names.append(i == 0 ? "" : ", ").append(std::to_string(i + 1) + " " + std::string(detail::data_types[i].name));
  return names;
}

/// The caller's struct may be shorter or longer than this version's.
template <class Struct>
void clear(Struct* made, std::size_t size) noexcept {
  if (made == nullptr || size < sizeof size) return;
  std::memset(static_cast<void*>(made), 0, size);
  made->struct_size = size;
}

}  // namespace

hawser_options read(const hawser_options* given) {
  return read_sized(given, "hawser_options");
}
hawser_call_options read(const hawser_call_options* given) {
  return read_sized(given, "hawser_call_options");
}

bootstrap::launch launch_of(const hawser_options& given) {
  bootstrap::launch told = given.ignores_environment != 0 ? bootstrap::launch{} : bootstrap::read_launch();
  if (given.size < 0 || (given.size > 0 && (given.rank < 0 || given.rank >= given.size)))
    fail(errc::invalid_argument, "the rank is out of range",
         "rank " + std::to_string(given.rank) + " of " + std::to_string(given.size),
         "ranks go from 0 to size - 1, and size 0 leaves both to the launcher");
  if (given.store_port < 0 || given.store_port > 65'535)
    fail(errc::invalid_argument, "the store's port is out of range", std::to_string(given.store_port),
         "pass 1 to 65535, or 0 for the launcher's");
  if (given.size > 0) told.rank = given.rank, told.size = given.size;
  if (given.store_address != nullptr) told.master_address = given.store_address, told.is_store_external = false;
  if (given.store_port > 0) told.master_port = given.store_port, told.is_store_external = false;
  set(told.secret, given.secret);
  milliseconds peer_timeout{0};
  set(peer_timeout, given.peer_timeout_ms, "peer_timeout_ms");
  if (peer_timeout.count() > 0) told.peer_timeout = peer_timeout;
  return told;
}

communicator_options options_of(const hawser_options& given, const bootstrap::launch& launch) {
  communicator_options made = hawser::options_of(launch);
  set(made.topology, given.topology);
  set(made.decisions, given.decisions);
  if (given.decisions != nullptr) made.must_decisions_fit = true;
  set(made.tuning, given.tuning);
  set(made.cache_directory, given.cache_directory);
  set(made.interface, given.network_interface);
  made.infer_racks = given.infers_racks != 0;
  made.require_auth = given.requires_auth != 0;
  if (given.progress != HAWSER_PROGRESS_THREAD && given.progress != HAWSER_PROGRESS_CALLER)
    out_of_range("progress", given.progress, "0 thread, 1 caller");
  made.progress = given.progress == HAWSER_PROGRESS_CALLER ? progress::caller : progress::thread;
  made.reproducibility = mode_of(given.mode);
  set(made.peer_timeout, given.peer_timeout_ms, "peer_timeout_ms");
  set(made.operation_timeout, given.operation_timeout_ms, "operation_timeout_ms");
  set(made.abort_timeout, given.abort_timeout_ms, "abort_timeout_ms");
  set(made.rendezvous_timeout, given.rendezvous_timeout_ms, "rendezvous_timeout_ms");
  return made;
}

call_options options_of(const hawser_call_options& given) {
  call_options made;
  set(made.algorithm, given.algorithm);
  made.reproducibility = mode_of(given.mode);
  if (given.accumulation != HAWSER_DEFAULT_TYPE) made.accumulation = type_of(given.accumulation);
  if (given.segments < 0)
    fail(errc::invalid_argument, "the number of segments is negative", std::to_string(given.segments),
         "pass 0 to leave it to the planner");
  if (given.typical_block_bytes < 0)
    fail(errc::invalid_argument, "typical_block_bytes is negative", std::to_string(given.typical_block_bytes),
         "pass 0 for the default");
  made.segments = given.segments;
  if (given.typical_block_bytes > 0) made.typical_block_bytes = given.typical_block_bytes;
  return made;
}

static_assert(static_cast<int>(data_type::int8) + 1 == HAWSER_INT8);
static_assert(static_cast<int>(data_type::bfloat16) + 1 == HAWSER_BFLOAT16);
static_assert(static_cast<int>(data_type::float8_e5m2) + 1 == HAWSER_FLOAT8_E5M2);
static_assert(static_cast<int>(data_type::user) + 1 == HAWSER_USER_TYPE);
static_assert(static_cast<int>(reduce_kind::premul_sum) + 1 == HAWSER_PREMUL_SUM);
static_assert(static_cast<int>(reduce_kind::logical_xor) + 1 == HAWSER_LOGICAL_XOR);
static_assert(static_cast<int>(reduce_kind::user) + 1 == HAWSER_USER_OP);
static_assert(static_cast<int>(schedule::mode::canonical) == HAWSER_CANONICAL);
static_assert(static_cast<int>(schedule::mode::order_invariant) == HAWSER_ORDER_INVARIANT);
static_assert(static_cast<int>(schedule::collective::all_to_all_v) + 1 == HAWSER_ALL_TO_ALL_V);
static_assert(static_cast<int>(schedule::collective::barrier) + 1 == HAWSER_BARRIER);

data_type type_of(hawser_type number) {
  if (number < HAWSER_INT8 || number > HAWSER_USER_TYPE) out_of_range("data type", number, names_of_types());
  return static_cast<data_type>(number - 1);
}

schedule::collective collective_of(hawser_collective number) {
  if (number < HAWSER_ALL_REDUCE || number > HAWSER_BARRIER)
    out_of_range("collective", number, "HAWSER_ALL_REDUCE (1) to HAWSER_BARRIER (10)");
  return static_cast<schedule::collective>(number - 1);
}

schedule::mode mode_of(hawser_mode number) {
  if (number < HAWSER_FAST || number > HAWSER_ORDER_INVARIANT)
    out_of_range("mode", number, "0 fast, 1 run_to_run, 2 canonical, 3 order_invariant");
  return static_cast<schedule::mode>(number);
}

reduce_op op_of(hawser_op number, const hawser_call_options& options) {
  if (number < HAWSER_SUM || number > HAWSER_USER_OP)
    out_of_range("operator", number, "HAWSER_SUM (1) to HAWSER_USER_OP (13)");
  if (number == HAWSER_USER_OP) return valid(options.user_op, "user_op of the call's options").op;
  if (number == HAWSER_PREMUL_SUM)
    return premultiplied_sum(
        valid(options.factor, "factor of the call's options, by which HAWSER_PREMUL_SUM multiplies,"));
  return make_op(static_cast<reduce_kind>(number - 1));
}

std::size_t element_bytes_of(data_type type, const hawser_call_options& options) {
  if (type != data_type::user) return size_of(type);
  if (options.element_bytes == 0)
    fail(errc::invalid_argument, "an element of HAWSER_USER_TYPE has no size",
         "element_bytes of the call's options is 0", "set it to the size of your type");
  return options.element_bytes;
}

}  // namespace hawser::c

extern "C" {

size_t hawser_type_bytes(hawser_type type) {
  if (type < HAWSER_INT8 || type >= HAWSER_USER_TYPE) return 0;
  return hawser::size_of(static_cast<hawser::data_type>(type - 1));
}

void hawser_options_init(hawser_options* options, size_t struct_size) {
  hawser::c::clear(options, struct_size);
}

void hawser_call_options_init(hawser_call_options* options, size_t struct_size) {
  hawser::c::clear(options, struct_size);
}
}
