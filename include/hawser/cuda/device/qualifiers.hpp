// How the device core is marked: __device__ under nvcc, plain inline functions for host compilers.
#pragma once

#ifdef __CUDACC__
#define HAWSER_DEVICE __device__ __forceinline__
#define HAWSER_UNROLL _Pragma("unroll")
#else
#define HAWSER_DEVICE inline
#define HAWSER_UNROLL
#endif
