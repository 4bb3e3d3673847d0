// The kernels for processors with AVX-512.
#include "decoding_kernels.h"

#pragma GCC target("arch=x86-64-v4")
#define DECODING_INSTRUCTION_SET avx512
#define DECODING_LANES 16
#include "decoding_kernels_impl.h"
