// The records of ibnetdiscover and of ibsim: a line per device, then a line per cabled port.
#pragma once

#include "fabric.hpp"

namespace hawser::discovery::fabric {

/// What the first kilobytes look like: devices with GUIDs and descriptions, or ibsim's with names of their own.
enum class record_style { none, ibnetdiscover, ibsim };
record_style style_of_records(std::string_view text);

/// The model, with findings. Throws errc::parse with the line where a record or port is malformed, or there is none.
model parse_records(const document& file, record_style style);

}  // namespace hawser::discovery::fabric
