// Fabrics told in one line per port: ibnetdiscover -p and iblinkinfo.
#pragma once

#include "fabric.hpp"

namespace hawser::discovery::fabric {

/// Of the first kilobytes, whether a line is one of ibnetdiscover -p, or of iblinkinfo.
bool has_port_line(std::string_view text);
bool has_link_line(std::string_view text);

/// Throw errc::parse with the line where one is malformed, or there is none.
model parse_port_lines(const document& file);
model parse_link_lines(const document& file);

}  // namespace hawser::discovery::fabric
