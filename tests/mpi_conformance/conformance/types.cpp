// See types.hpp.
#include "types.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "checks.hpp"

namespace conformance {

namespace {

template <class T>
T unit(std::mt19937_64& numbers) {
  return static_cast<T>(static_cast<double>(numbers() >> 11) / static_cast<double>(std::uint64_t{1} << 53));
}

/// A real number, never 0 and never a NaN.
template <class T>
T real(std::mt19937_64& numbers, purpose use) {
  const T sign = numbers() % 2 == 0 ? T(1) : T(-1);
  switch (use) {
    case purpose::product: return sign * (T(0.7) + T(0.7) * unit<T>(numbers));
    case purpose::order:
    case purpose::location: return sign * static_cast<T>(1 + numbers() % 5);
    default: return sign * (T(0.01) + unit<T>(numbers));
  }
}

/// A whole number such that no sum or product over up to 9 ranks overflows: then MPI's result is undefined, and Open
/// MPI's sums of 8 and 16 bits saturate.
template <class T>
T whole(std::mt19937_64& numbers, purpose use) {
  constexpr std::uint64_t most_of_sum = static_cast<std::uint64_t>(std::numeric_limits<T>::max()) / 9;
  constexpr std::uint64_t most_of_product = sizeof(T) == 1 ? 1 : sizeof(T) == 2 ? 3 : sizeof(T) == 4 ? 9 : 100;
  switch (use) {
    case purpose::sum: return static_cast<T>(numbers() % (most_of_sum + 1));
    case purpose::product: return static_cast<T>(1 + numbers() % most_of_product);
    case purpose::logic: return static_cast<T>(numbers() % 3 == 0 ? 0 : numbers());
    case purpose::order:
    case purpose::location: return static_cast<T>(numbers() % 7);
    default: return static_cast<T>(numbers());
  }
}

template <class T>
struct scalar {
  static T made(std::mt19937_64& numbers, purpose use) {
    if constexpr (std::is_same_v<T, bool>) {
      return numbers() % 3 != 0;
    } else if constexpr (std::is_integral_v<T>) {
      return whole<T>(numbers, use);
    } else {
      return real<T>(numbers, use);
    }
  }
  static bool is_same(T a, T b, purpose use, int terms) {
    if constexpr (std::is_floating_point_v<T>) {
      if (use != purpose::sum && use != purpose::product) return a == b;
      const T scale = use == purpose::sum ? static_cast<T>(terms) : std::max(std::abs(a), std::abs(b));
      return std::abs(a - b) <= static_cast<T>(2 * terms) * std::numeric_limits<T>::epsilon() * scale;
    } else {
      return a == b;
    }
  }
};

template <class T>
struct scalar<std::complex<T>> {
  static std::complex<T> made(std::mt19937_64& numbers, purpose use) {
    if (use == purpose::product) return std::polar(T(0.7) + T(0.7) * unit<T>(numbers), T(6) * unit<T>(numbers));
    return {real<T>(numbers, use), real<T>(numbers, use)};
  }
  static bool is_same(const std::complex<T>& a, const std::complex<T>& b, purpose use, int terms) {
    if (use != purpose::sum && use != purpose::product) return a == b;
    const T scale = use == purpose::sum ? static_cast<T>(2 * terms) : std::max(std::abs(a), std::abs(b));
    return std::abs(a - b) <= static_cast<T>(8 * terms) * std::numeric_limits<T>::epsilon() * scale;
  }
};

template <class T>
void make(std::mt19937_64& numbers, purpose use, std::byte* to) {
  const T value = scalar<T>::made(numbers, use);
  std::memset(to, 0, sizeof value);  // the padding of a long double
  if constexpr (std::is_same_v<T, long double>)
    std::memcpy(to, &value, 10);
  else
    std::memcpy(static_cast<void*>(to), &value, sizeof value);
}

template <class T>
bool is_same(const std::byte* a, const std::byte* b, purpose use, int terms) {
  T left, right;
  std::memcpy(static_cast<void*>(&left), a, sizeof left);
  std::memcpy(static_cast<void*>(&right), b, sizeof right);
  return scalar<T>::is_same(left, right, use, terms);
}

/// A value and a place, packed one after the other.
template <class T, class Place>
void make_pair(std::mt19937_64& numbers, purpose use, std::byte* to) {
  make<T>(numbers, use == purpose::moved ? purpose::location : use, to);
  const auto place = static_cast<Place>(numbers() % 50);
  std::memcpy(to + sizeof(T), &place, sizeof place);
}

template <class T, class Place>
bool is_same_pair(const std::byte* a, const std::byte* b, purpose use, int terms) {
  return is_same<T>(a, b, use, terms) && std::memcmp(a + sizeof(T), b + sizeof(T), sizeof(Place)) == 0;
}

/// The table; a type that the library does not have is left out.
class table {
 public:
  std::vector<base_type> found;

  template <class T>
  void add(MPI_Datatype type, const char* name, group of) {
    constexpr bool is_long_double = std::is_same_v<T, long double> || std::is_same_v<T, std::complex<long double>>;
    constexpr bool rounds = !std::is_integral_v<T>;
    put(type, name, of, sizeof(T), is_long_double, rounds, &make<T>, &is_same<T>);
  }
  template <class T, class Place>
  void add_pair(MPI_Datatype type, const char* name) {
    put(type, name, group::pair, sizeof(T) + sizeof(Place), true, false, &make_pair<T, Place>, &is_same_pair<T, Place>);
  }
  /// Fortran's, whose sizes its compiler decides.
  void add_integer(MPI_Datatype type, const char* name, group of) {
    switch (size_of(type)) {
      case 1: return add<std::int8_t>(type, name, of);
      case 2: return add<std::int16_t>(type, name, of);
      case 4: return add<std::int32_t>(type, name, of);
      case 8: return add<std::int64_t>(type, name, of);
      default: return;
    }
  }

 private:
  static int size_of(MPI_Datatype type) {
    int size = 0;
    if (type != MPI_DATATYPE_NULL) PMPI_Type_size(type, &size);
    return size;
  }
  void put(MPI_Datatype type, const char* name, group of, std::size_t size, bool is_padded, bool rounds,
           decltype(base_type::make) make_one, decltype(base_type::is_same) compare) {
    if (size_of(type) != static_cast<int>(size)) return;  // none, or of another size than C++ knows
    found.push_back({type, name, of, static_cast<int>(size), is_padded, rounds, make_one, compare});
  }
};

#define ADD(T, name, of) all.add<T>(name, #name, group::of)
#define ADD_PAIR(T, Place, name) all.add_pair<T, Place>(name, #name)
#define ADD_FORTRAN(name, of) all.add_integer(name, #name, group::of)

void add_c_types(table& all) {
  ADD(int, MPI_INT, c_integer);
  ADD(long, MPI_LONG, c_integer);
  ADD(short, MPI_SHORT, c_integer);
  ADD(unsigned short, MPI_UNSIGNED_SHORT, c_integer);
  ADD(unsigned, MPI_UNSIGNED, c_integer);
  ADD(unsigned long, MPI_UNSIGNED_LONG, c_integer);
  ADD(long long, MPI_LONG_LONG_INT, c_integer);
  ADD(long long, MPI_LONG_LONG, c_integer);
  ADD(unsigned long long, MPI_UNSIGNED_LONG_LONG, c_integer);
  ADD(signed char, MPI_SIGNED_CHAR, c_integer);
  ADD(unsigned char, MPI_UNSIGNED_CHAR, c_integer);
  ADD(std::int8_t, MPI_INT8_T, c_integer);
  ADD(std::int16_t, MPI_INT16_T, c_integer);
  ADD(std::int32_t, MPI_INT32_T, c_integer);
  ADD(std::int64_t, MPI_INT64_T, c_integer);
  ADD(std::uint8_t, MPI_UINT8_T, c_integer);
  ADD(std::uint16_t, MPI_UINT16_T, c_integer);
  ADD(std::uint32_t, MPI_UINT32_T, c_integer);
  ADD(std::uint64_t, MPI_UINT64_T, c_integer);
  ADD(MPI_Aint, MPI_AINT, multi_language);
  ADD(MPI_Offset, MPI_OFFSET, multi_language);
  ADD(MPI_Count, MPI_COUNT, multi_language);
  ADD(float, MPI_FLOAT, floating);
  ADD(double, MPI_DOUBLE, floating);
  ADD(long double, MPI_LONG_DOUBLE, floating);
  ADD(bool, MPI_C_BOOL, logical);
  ADD(bool, MPI_CXX_BOOL, logical);
  ADD(std::uint8_t, MPI_BYTE, byte);
  ADD(char, MPI_CHAR, moved_only);
  ADD(wchar_t, MPI_WCHAR, moved_only);
  ADD(std::uint8_t, MPI_PACKED, moved_only);
}

void add_complex_and_pairs(table& all) {
  ADD(std::complex<float>, MPI_C_COMPLEX, complex);
  ADD(std::complex<float>, MPI_C_FLOAT_COMPLEX, complex);
  ADD(std::complex<double>, MPI_C_DOUBLE_COMPLEX, complex);
  ADD(std::complex<long double>, MPI_C_LONG_DOUBLE_COMPLEX, complex);
  ADD(std::complex<float>, MPI_CXX_FLOAT_COMPLEX, complex);
  ADD(std::complex<double>, MPI_CXX_DOUBLE_COMPLEX, complex);
  ADD(std::complex<long double>, MPI_CXX_LONG_DOUBLE_COMPLEX, complex);
  ADD(std::complex<float>, MPI_COMPLEX, complex);
  ADD(std::complex<double>, MPI_DOUBLE_COMPLEX, complex);
  ADD_PAIR(float, int, MPI_FLOAT_INT);
  ADD_PAIR(double, int, MPI_DOUBLE_INT);
  ADD_PAIR(long, int, MPI_LONG_INT);
  ADD_PAIR(int, int, MPI_2INT);
  ADD_PAIR(short, int, MPI_SHORT_INT);
  ADD_PAIR(long double, int, MPI_LONG_DOUBLE_INT);
  ADD_PAIR(float, float, MPI_2REAL);
  ADD_PAIR(double, double, MPI_2DOUBLE_PRECISION);
  ADD_PAIR(int, int, MPI_2INTEGER);
}

void add_fortran_types(table& all) {
  ADD(float, MPI_REAL, floating);
  ADD(double, MPI_DOUBLE_PRECISION, floating);
  ADD_FORTRAN(MPI_INTEGER, fortran_integer);
  ADD(char, MPI_CHARACTER, moved_only);
  if (int size = 0; MPI_LOGICAL != MPI_DATATYPE_NULL && PMPI_Type_size(MPI_LOGICAL, &size) == MPI_SUCCESS && size == 4)
    all.found.push_back({MPI_LOGICAL, "MPI_LOGICAL", group::logical, 4, false, false,
                         [](std::mt19937_64& numbers, purpose, std::byte* to) {
                           const std::int32_t truth = numbers() % 2 == 0 ? 0 : 1;
                           std::memcpy(to, &truth, sizeof truth);
                         },
                         &is_same<std::int32_t>});
#ifdef MPI_REAL8
  ADD(float, MPI_REAL4, floating);
  ADD(double, MPI_REAL8, floating);
  ADD(std::complex<float>, MPI_COMPLEX8, complex);
  ADD(std::complex<double>, MPI_COMPLEX16, complex);
  ADD_FORTRAN(MPI_INTEGER1, fortran_integer);
  ADD_FORTRAN(MPI_INTEGER2, fortran_integer);
  ADD_FORTRAN(MPI_INTEGER4, fortran_integer);
  ADD_FORTRAN(MPI_INTEGER8, fortran_integer);
#endif
}

std::vector<base_type> all_types() {
  table all;
  add_c_types(all);
  add_complex_and_pairs(all);
  add_fortran_types(all);
  return all.found;
}

const std::vector<base_type>& every_type() {
  static const std::vector<base_type> all = all_types();
  return all;
}

}  // namespace

const std::vector<base_type>& base_types() {
  static const std::vector<base_type> wanted = [] {
    std::vector<base_type> kept;
    for (const base_type& each : every_type())
      if (is_wanted(chosen().type, each.name)) kept.push_back(each);
    return kept;
  }();
  return wanted;
}

const base_type& base_type_of(MPI_Datatype type) {
  return *std::find_if(every_type().begin(), every_type().end(), [&](const base_type& b) { return b.type == type; });
}

const std::vector<reduction>& reductions() {
  static const std::vector<reduction> all = {{MPI_SUM, "MPI_SUM", purpose::sum},
                                             {MPI_PROD, "MPI_PROD", purpose::product},
                                             {MPI_MAX, "MPI_MAX", purpose::order},
                                             {MPI_MIN, "MPI_MIN", purpose::order},
                                             {MPI_LAND, "MPI_LAND", purpose::logic},
                                             {MPI_LOR, "MPI_LOR", purpose::logic},
                                             {MPI_LXOR, "MPI_LXOR", purpose::logic},
                                             {MPI_BAND, "MPI_BAND", purpose::bits},
                                             {MPI_BOR, "MPI_BOR", purpose::bits},
                                             {MPI_BXOR, "MPI_BXOR", purpose::bits},
                                             {MPI_MAXLOC, "MPI_MAXLOC", purpose::location},
                                             {MPI_MINLOC, "MPI_MINLOC", purpose::location}};
  return all;
}

bool is_defined(const reduction& op, group of) {
  const bool is_integer = of == group::c_integer || of == group::fortran_integer || of == group::multi_language;
  switch (op.use) {
    case purpose::sum:
    case purpose::product: return is_integer || of == group::floating || of == group::complex;
    case purpose::order: return is_integer || of == group::floating;
    case purpose::logic: return of == group::c_integer || of == group::logical;
    case purpose::bits: return is_integer || of == group::byte;
    case purpose::location: return of == group::pair;
    case purpose::moved: return false;
  }
  return false;
}

}  // namespace conformance
