// The kernels for processors with AVX2 and FMA.
#include "cpu_kernels.h"

#pragma GCC target("arch=x86-64-v3")
#define KERNELS_INSTRUCTION_SET avx2
#define KERNELS_LANES 8
#include "cpu_kernels_impl.h"
