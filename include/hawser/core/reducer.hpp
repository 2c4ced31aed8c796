// The type-erased binary form of an operator, as the executor calls it.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>

namespace hawser {

/// out[i] = left[i] op right[i], i in [0, count). `out` may be exactly `left` or exactly `right`; no partial overlap.
/// No alignment beyond 1 byte is guaranteed.
using reduce_function = void (*)(const void* context, void* out, const void* left, const void* right,
                                 std::size_t count);

/// A reduce_function bound to its context. It does not own the context.
struct reducer {
  reduce_function function = nullptr;
  const void* context = nullptr;
  std::size_t element_bytes = 0;

  explicit operator bool() const noexcept { return function != nullptr; }
  void operator()(void* out, const void* left, const void* right, std::size_t count) const {
    function(context, out, left, right, count);
  }
};

/// An operator on T: callable as `T(const T&, const T&)`.
template <class Op, class T>
concept binary_operator_on = std::invocable<const Op&, const T&, const T&> &&
    std::convertible_to<std::invoke_result_t<const Op&, const T&, const T&>, T>;

namespace detail {

/// Elements go through aligned copies, because the buffers of a message need not be aligned for T.
template <class T, class Op>
void reduce_each(const Op& op, void* out, const void* left, const void* right, std::size_t count) {
  static_assert(std::is_trivially_copyable_v<T>);
  auto* to = static_cast<std::byte*>(out);
  const auto* from_left = static_cast<const std::byte*>(left);
  const auto* from_right = static_cast<const std::byte*>(right);
  alignas(T) std::byte a[sizeof(T)];
  alignas(T) std::byte b[sizeof(T)];
  for (std::size_t i = 0; i < count * sizeof(T); i += sizeof(T)) {
    std::memcpy(a, from_left + i, sizeof(T));
    std::memcpy(b, from_right + i, sizeof(T));
    const T result = op(*reinterpret_cast<const T*>(a), *reinterpret_cast<const T*>(b));
    std::memcpy(to + i, std::addressof(result), sizeof(T));
  }
}

template <class T, class Op>
void reduce_stateless(const void*, void* out, const void* left, const void* right, std::size_t count) {
  reduce_each<T>(Op{}, out, left, right, count);
}

template <class T, class Op>
void reduce_stateful(const void* context, void* out, const void* left, const void* right, std::size_t count) {
  reduce_each<T>(*static_cast<const Op*>(context), out, left, right, count);
}

/// The context of a function pointer is the pointer itself, so that nothing must be kept alive.
template <class T>
void reduce_with_function(const void* context, void* out, const void* left, const void* right, std::size_t count) {
  reduce_each<T>(reinterpret_cast<T (*)(const T&, const T&)>(const_cast<void*>(context)), out, left, right, count);
}

template <class Op>
concept stateless = std::is_empty_v<Op> && std::is_default_constructible_v<Op>;

}  // namespace detail

/// The reducer of a function `T(const T&, const T&)`.
template <class T>
reducer make_reducer(T (*op)(const T&, const T&)) {
  return {&detail::reduce_with_function<T>, reinterpret_cast<const void*>(op), sizeof(T)};
}

/// The reducer of an operator on T. A stateless one is not referred to again; one with state must outlive the reducer.
template <class T, binary_operator_on<T> Op>
reducer make_reducer(const Op& op) {
  if constexpr (std::is_convertible_v<const Op&, T (*)(const T&, const T&)>)
    return make_reducer<T>(static_cast<T (*)(const T&, const T&)>(op));
  else if constexpr (detail::stateless<Op>)
    return {&detail::reduce_stateless<T, Op>, nullptr, sizeof(T)};
  else
    return {&detail::reduce_stateful<T, Op>, std::addressof(op), sizeof(T)};
}

/// An operator with state may not be a temporary: the reducer refers to it.
template <class T, binary_operator_on<T> Op>
requires(!detail::stateless<Op> && !std::is_convertible_v<const Op&, T (*)(const T&, const T&)>) reducer
    make_reducer(const Op&&)
= delete;

}  // namespace hawser
