// Chooses the kernels: for the processor once, for type and operator per call.
#include <hawser/executor/reduce.hpp>
#include <hawser/executor/trusted_kernels.hpp>

#include <array>
#include <cstdio>
#include <cstring>
#include <string>
#include <type_traits>

#include "kernel_gate.hpp"
#include "reduce_kernels.hpp"

#ifdef HAWSER_X86_KERNELS
#include <cpuid.h>
#endif

namespace hawser::executor {
namespace {

constexpr std::size_t index_of(data_type type) {
  return static_cast<std::size_t>(type);
}

#ifdef HAWSER_X86_KERNELS
/// Read from the processor, because not every compiler's __builtin_cpu_supports knows this name.
bool has_f16c() noexcept {
  unsigned int eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}
#endif

#ifdef HAWSER_X86_KERNELS
/// A processor or an emulator that says it has instructions may yet get them wrong: what differs is not used.
bool is_right(const kernel_table& tested, const char* set, std::string& refused) {
  const std::string difference = find_difference(tested, baseline_kernels());
  if (difference.empty()) return true;
  refused = std::string(set) + ": " + difference + " differs";
  std::fprintf(stderr, "hawser: vector kernels are refused: %s differs from the plain one on this processor\n",
               difference.c_str());
  return false;
}
#endif

struct supported_sets {
  std::array<instruction_set, 3> sets{instruction_set::baseline};
  std::size_t count = 1;
  std::string refused;

  supported_sets() {
#ifdef HAWSER_X86_KERNELS
    __builtin_cpu_init();
    const bool has_avx2 = __builtin_cpu_supports("avx2") && has_f16c();
    const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    const bool is_avx2_right = has_avx2 && is_right(avx2_kernels(), "avx2", refused);
    if (is_avx2_right) sets[count++] = instruction_set::avx2;
    if (is_avx2_right && has_avx512 && is_right(avx512_kernels(), "avx512", refused)) sets[count++] = instruction_set::avx512;
#endif
  }
};

const supported_sets& supported() {
  static const supported_sets tried;
  return tried;
}

instruction_set best_set() noexcept {
  return instruction_sets().back();
}

const kernel_table& kernels(instruction_set set) {
  bool is_supported = false;
  for (const instruction_set available : instruction_sets()) is_supported = is_supported || available == set;
  if (!is_supported)
    fail(errc::unsupported, "cannot use the kernels for " + std::string(to_string(set)),
         "this processor does not have these instructions", "choose one of instruction_sets()");
#ifdef HAWSER_X86_KERNELS
  if (set == instruction_set::avx512) return avx512_kernels();
  if (set == instruction_set::avx2) return avx2_kernels();
#endif
  return baseline_kernels();
}

[[noreturn]] void fail_illegal(data_type type, std::string_view operation, std::string_view reason) {
  fail(errc::unsupported, "cannot reduce " + std::string(to_string(type)) + " with " + std::string(operation), reason,
       "the table in docs/types.md has every legal pair");
}

template <std::size_t Bytes>
void copy(void* out, const void* in, std::size_t count) {
  if (count > 0) std::memmove(out, in, count * Bytes);
}

template <class From, class To>
void cast(void* out, const void* in, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    From value;
    std::memcpy(&value, static_cast<const std::byte*>(in) + i * sizeof(From), sizeof(From));
    const To result = static_cast<To>(value);
    std::memcpy(static_cast<std::byte*>(out) + i * sizeof(To), &result, sizeof(To));
  }
}

convert_function copy_of(std::size_t bytes) {
  switch (bytes) {
    case 1: return &copy<1>;
    case 2: return &copy<2>;
    case 4: return &copy<4>;
    default: return &copy<8>;
  }
}

convert_function find_conversion(data_type from, data_type to, instruction_set set) {
  if (from == to) return copy_of(size_of(from));
  if (from == data_type::float32 && to == data_type::float64) return &cast<float, double>;
  if (from == data_type::float64 && to == data_type::float32) return &cast<double, float>;
  if (to == data_type::float32) return kernels(set).to_float32[index_of(from)];
  if (from == data_type::float32) return kernels(set).from_float32[index_of(to)];
  return nullptr;
}

/// C++ division truncates toward zero. Both operands fit into 64 bits with the sign of T.
template <class T>
void divide_integers(void* out, const void* in, std::size_t count, double divisor) {
  using wide = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
  const auto by = static_cast<wide>(divisor);
  for (std::size_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, static_cast<const std::byte*>(in) + i * sizeof(T), sizeof(T));
    value = static_cast<T>(static_cast<wide>(value) / by);
    std::memcpy(static_cast<std::byte*>(out) + i * sizeof(T), &value, sizeof(T));
  }
}

constexpr std::array<scale_function, 8> integer_dividers{
    &divide_integers<std::int8_t>,   &divide_integers<std::uint8_t>, &divide_integers<std::int16_t>,
    &divide_integers<std::uint16_t>, &divide_integers<std::int32_t>, &divide_integers<std::uint32_t>,
    &divide_integers<std::int64_t>,  &divide_integers<std::uint64_t>};

}  // namespace

std::string_view to_string(instruction_set set) noexcept {
  switch (set) {
    case instruction_set::baseline: return "baseline";
    case instruction_set::avx2: return "avx2";
    case instruction_set::avx512: return "avx512";
  }
  return "unknown";
}

std::span<const instruction_set> instruction_sets() noexcept {
  return {supported().sets.data(), supported().count};
}

const std::string& refused_kernels() {
  return supported().refused;
}

reducer make_reducer(data_type type, reduce_kind kind) {
  return make_reducer(type, kind, best_set());
}

reducer make_reducer(data_type type, reduce_kind kind, instruction_set set) {
  if (const auto reason = legality(type, kind)) fail_illegal(type, to_string(kind), *reason);
  if (kind == reduce_kind::user) fail_illegal(type, to_string(kind), "the user-defined operator has no function");
  return {kernels(set).reduce[index_of(type)][static_cast<std::size_t>(kind)], nullptr, size_of(type)};
}

reducer make_reducer(data_type type, std::size_t element_bytes, const reduce_op& operation) {
  if (const auto reason = legality(type, element_bytes, operation)) fail_illegal(type, operation.name, *reason);
  return operation.kind == reduce_kind::user ? operation.function : make_reducer(type, operation.kind);
}

converter make_converter(data_type from, data_type to) {
  return make_converter(from, to, best_set());
}

converter make_converter(data_type from, data_type to, instruction_set set) {
  const convert_function function =
      from == data_type::user || to == data_type::user ? nullptr : find_conversion(from, to, set);
  if (function == nullptr)
    fail(errc::unsupported, "cannot convert " + std::string(to_string(from)) + " to " + std::string(to_string(to)),
         "floating types convert to and from float32 only", "accumulate in the type itself or in float32");
  return {function, size_of(from), size_of(to)};
}

scaler make_scaler(data_type type, double factor) {
  return make_scaler(type, factor, best_set());
}

scaler make_scaler(data_type type, double factor, instruction_set set) {
  if (!is_floating(type))
    fail(errc::unsupported, "cannot multiply " + std::string(to_string(type)) + " with a factor",
         "the factor is not an integer", "choose a floating type");
  return {kernels(set).multiply[index_of(type)], factor};
}

scaler make_divider(data_type type, std::uint32_t divisor) {
  return make_divider(type, divisor, best_set());
}

scaler make_divider(data_type type, std::uint32_t divisor, instruction_set set) {
  if (divisor == 0) fail(errc::invalid_argument, "cannot divide by 0 ranks");
  if (type == data_type::user)
    fail(errc::unsupported, "cannot divide elements of a user-defined type", {},
         "divide inside the user-defined operator or after the collective");
  if (is_integer(type)) return {integer_dividers[index_of(type)], static_cast<double>(divisor)};
  return {kernels(set).divide[index_of(type)], static_cast<double>(divisor)};
}

}  // namespace hawser::executor
