// Hawser's types and operators in NCCL's numbers.
#pragma once

#include <nccl.h>

#include <array>
#include <cstddef>
#include <optional>

#include <hawser/core/data_type.hpp>
#include <hawser/core/reduce_op.hpp>

namespace hawser::nccl {

/// Nothing for a type that no version of NCCL has.
std::optional<ncclDataType_t> native_type(data_type type) noexcept;
/// Nothing for an operator that none has; a premultiplied sum is made per communicator.
std::optional<ncclRedOp_t> native_operator(reduce_kind kind) noexcept;
/// A factor as an element of a floating type, the first bytes of the answer: what ncclRedOpCreatePreMulSum takes.
std::array<std::byte, 8> as_element(double factor, data_type type) noexcept;

}  // namespace hawser::nccl
