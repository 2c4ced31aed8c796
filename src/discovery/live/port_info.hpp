// The speed in a PortInfo attribute, read from its bytes: Debian 12's libibmad does not know XDR's field.
#pragma once

#include <cstdint>
#include <span>

#include "../sources/fabric_speed.hpp"

namespace hawser::discovery {

/// The 64 bytes of PortInfo as they are on the wire (InfiniBand Architecture Specification 1.7, volume 1, 14.2.5.6).
using port_info = std::span<const std::uint8_t, 64>;

/// Width and speed at which a port runs. `capabilities` is the PortInfo whose capability masks count: the port's own,
/// or port 0's of a switch. As ibnetdiscover decodes it: extended speeds count where the masks announce them, and the
/// second field of them (XDR) wins. `is_fdr10`: the vendor's attribute tells FDR10, which PortInfo calls QDR.
fabric::link_speed speed_in(port_info port, port_info capabilities, bool is_fdr10) noexcept;

}  // namespace hawser::discovery
