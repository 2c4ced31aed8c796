// The measured figures that a verb without ranks plans with.
#pragma once

#include <string>

#include <hawser/tune/tuning.hpp>

namespace hawser::cli {

/// The hierarchy with the figures of the tuning file that was given, else of that of HAWSER_TUNING. One that was given
/// and is for another hierarchy is errc::invalid_argument; that of HAWSER_TUNING is then said on stderr and not used.
/// Throws errc::io and errc::parse for files that cannot be read.
tune::tuned tuned_of(const std::string& given, const topology::hierarchy& tree);

}  // namespace hawser::cli
