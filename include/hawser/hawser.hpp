// Everything a program needs to run collectives; adapters (hawser/ucx, hawser/mpi) are included by name.
#pragma once

#include <hawser/bootstrap/launcher.hpp>
#include <hawser/communicator/communicator.hpp>
#include <hawser/communicator/in_process.hpp>
#include <hawser/planner/explain.hpp>
