// The kernels for processors with AVX-512.
#include "cpu_kernels.h"

#pragma GCC target("arch=x86-64-v4")
#define KERNELS_INSTRUCTION_SET avx512
#define KERNELS_LANES 16
#include "cpu_kernels_impl.h"
