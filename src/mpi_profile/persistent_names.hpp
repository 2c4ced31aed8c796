// What the persistent collectives are called: by MPI 4, or in Open MPI 4.1's extension.
#pragma once

#include "mpi_api.hpp"

#ifdef OPEN_MPI
#define HAWSER_MPI_INIT(name) MPIX_##name##_init
#define HAWSER_PMPI_INIT(name) PMPIX_##name##_init
#else
#define HAWSER_MPI_INIT(name) MPI_##name##_init
#define HAWSER_PMPI_INIT(name) PMPI_##name##_init
#endif
