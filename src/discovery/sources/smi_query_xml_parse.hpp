// Reads the XML of `nvidia-smi -q -x`.
#pragma once

#include "smi_query_document.hpp"

namespace hawser::discovery {

/// Throws errc::parse where the text is no such XML, errc::unsupported where hawser was built without pugixml.
smi_query_document parse_smi_query_xml(const document& file);

}  // namespace hawser::discovery
