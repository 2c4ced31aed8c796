// Which of hawser's types and operators NCCL has, and where its results differ from what docs/types.md promises.
#pragma once

#include <optional>
#include <string_view>

#include <hawser/core/data_type.hpp>
#include <hawser/core/reduce_op.hpp>
#include <hawser/nccl/library.hpp>

namespace hawser::nccl {

/// Why NCCL cannot reduce this pair, or nothing where it can. What it cannot is done by hawser's own steps, whose
/// messages are bytes.
std::optional<std::string_view> why_not_native(const capabilities& of, data_type type, reduce_kind kind) noexcept;

/// In what NCCL's result differs from docs/types.md for a pair that it has, or nothing where it does not: whoever
/// chooses a native phase asks the caller's mode first. Read in NCCL 2.28.9, src/device/reduce_kernel.h and
/// src/enqueue.cc.
std::optional<std::string_view> how_native_differs(data_type type, reduce_kind kind) noexcept;

}  // namespace hawser::nccl
