// The option structs and the enumerations of hawser.h, checked and turned into the C++ ones.
#pragma once

#include <memory>

#include <hawser.h>
#include <hawser/bootstrap/launcher.hpp>
#include <hawser/communicator/options.hpp>

namespace hawser::c {

/// The struct as this version knows it, a shorter one of an older header filled up with zeros; null is all zeros.
/// Throws errc::invalid_argument for a size that is none, errc::unsupported where a newer header's field is set.
hawser_options read(const hawser_options* given);
hawser_call_options read(const hawser_call_options* given);

/// What the options leave open comes from the launcher. Throws as `bootstrap::read_launch`, and errc::invalid_argument
/// for numbers out of range.
bootstrap::launch launch_of(const hawser_options& given);
/// `launch`: the environment's, or an empty one. Throws errc::invalid_argument.
communicator_options options_of(const hawser_options& given, const bootstrap::launch& launch);
/// Throws errc::invalid_argument.
call_options options_of(const hawser_call_options& given);

/// The enumerator of a number. Throws errc::invalid_argument that says what there is.
data_type type_of(hawser_type number);
schedule::collective collective_of(hawser_collective number);
schedule::mode mode_of(hawser_mode number);
/// The operator of a call on elements of a type. Throws errc::invalid_argument, also where the options lack what the
/// operator needs.
reduce_op op_of(hawser_op number, const hawser_call_options& options);
/// Bytes of an element. Throws errc::invalid_argument where only the options could tell, and do not.
std::size_t element_bytes_of(data_type type, const hawser_call_options& options);

}  // namespace hawser::c
