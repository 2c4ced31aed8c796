// How fast one rank reduces: gamma of the cost model.
#pragma once

namespace hawser::tune {

/// Bytes of result per second of a float32 sum of 4 MiB, which no core's own cache holds twice; the best of several.
double measure_reduction();

}  // namespace hawser::tune
