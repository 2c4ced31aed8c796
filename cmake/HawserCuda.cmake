# Looks for nvcc, decides HAWSER_USE_CUDA, and enables the language for every folder; nothing here asks for a GPU.
include(CheckLanguage)
if(HAWSER_WITH_CUDA AND NOT CMAKE_DISABLE_FIND_PACKAGE_CUDAToolkit)  # AUTO and ON are true
  find_program(HAWSER_NVCC nvcc HINTS /usr/local/cuda/bin)
  if(HAWSER_NVCC AND NOT DEFINED ENV{CUDACXX})
    set(ENV{CUDACXX} "${HAWSER_NVCC}")
  endif()
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 90)
  endif()
  check_language(CUDA)
endif()
hawser_decide(HAWSER_USE_CUDA CUDA FOUND "${CMAKE_CUDA_COMPILER}" DETAIL "${CMAKE_CUDA_COMPILER}"
  HOW "no nvcc; install the CUDA toolkit or set CMAKE_CUDA_COMPILER")
if(HAWSER_USE_CUDA)
  enable_language(CUDA)
  find_package(CUDAToolkit QUIET)
endif()
