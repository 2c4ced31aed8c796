// A wire between devices over any transport: a thread of the host carries what streams exchange. In hawser::runtime.
#pragma once

#include <memory>
#include <string>

#include <hawser/executor/stream_wire.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::executor {

/// A wire that reaches wherever a transport does. A stream that comes to an exchange sets a flag in pinned memory and
/// waits for another one, which the wire's thread sets once the messages are through; no graph can replay
/// that. `endpoint` takes memory of the device (`with_staging` makes any transport do
/// so); its ranks are those of the wire, and all of them have wires with as many lanes. `name` is for people. The
/// device must outlive it, and is called by two threads. After a failure streams wait until `abort`. Its flags go with
/// it: streams must be through with what was enqueued before, if need be after an `abort`.
/// Throws errc::resource where there is no thread, descriptor or pinned memory, errc::invalid_argument for no lanes.
std::unique_ptr<stream_wire> make_transport_wire(transport::any_transport endpoint, stream_device& device, int lanes,
                                                 std::string name);

}  // namespace hawser::executor
