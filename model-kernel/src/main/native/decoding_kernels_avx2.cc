// The kernels for processors with AVX2 and FMA.
#include "decoding_kernels.h"

#pragma GCC target("arch=x86-64-v3")
#define DECODING_INSTRUCTION_SET avx2
#define DECODING_LANES 8
#include "decoding_kernels_impl.h"
