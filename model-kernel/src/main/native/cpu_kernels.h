// Inner loops on CPUs, in float32 and for tensors in bfloat16, compiled for several instruction sets. Each call computes
// one row, one head of one row, or some pixels of one image, on the calling thread: what it computes depends on neither the batch nor the number of
// threads.
#pragma once

#include <cstdint>

namespace cpu {

// The bits of a c10::BFloat16.
struct Bfloat16 {
  uint16_t bits;
};

// A layer normalization: weight and bias [width], both null for none.
struct Norm {
  const float* weight;
  const float* bias;
  float eps;
};

// The keys and values [capacity, width] of a head, of which `length` positions are written.
template <typename T>
struct Cache {
  T* keys;
  T* values;
  int64_t length;
};

// One implementation. T is the type of what linear layers read and write: float or Bfloat16.
template <typename T>
struct Kernels {
  // y = norm(x) * (1 + scale) + shift; scale and shift both null for none.
  void (*norm)(const float* x, T* y, int64_t width, const Norm& norm, const T* shift, const T* scale);

  // y = silu(a + b).
  void (*activated_sum)(const float* a, const float* b, T* y, int64_t width);

  // y = x + gate * branch; gate null for 1.
  void (*residual)(const float* x, const T* gate, const T* branch, float* y, int64_t width);

  // Writes the key, normalized, and the value of the next position; y = attention of the query, normalized, to all
  // positions. `scratch` holds 2 * width + length + 1 floats.
  void (*attend)(const T* q, const T* k, const T* v, const Norm& q_norm, const Norm& k_norm, const Cache<T>& cache,
                 T* y, int64_t width, float* scratch);

  // ---- training: attention with dropout ----

  // y = x * mask.
  void (*masked)(const T* x, const float* mask, T* y, int64_t width);

  // Replaces the first `count` of `width` scores by their softmax, and the others by 0. `scratch` holds `count` floats.
  void (*softmax)(T* scores, int64_t count, int64_t width, float* scratch);

  // The gradient of scale * scores, from that of masked softmax weights p * mask: g = p * (g * mask - sum of p * g * mask)
  // * scale in the first `count` places, 0 in the others of `width`.
  void (*softmax_gradient)(const T* p, const float* mask, T* g, int64_t count, int64_t width, float scale);

  // ---- images: x [pixels, channels], a multiple of 16 channels, always in float32 ----

  // Adds each channel's values to `sums`, and their squares to `squares`.
  void (*channel_sums)(const float* x, int64_t pixels, int64_t channels, double* sums, double* squares);

  // y = silu(x * scale + shift), with a scale and a shift for each channel.
  void (*scaled_silu)(const float* x, const float* scale, const float* shift, float* y, int64_t pixels, int64_t channels);
};

// The implementation for the widest instruction set that libtorch uses on this machine (ATEN_CPU_CAPABILITY limits it).
template <typename T>
const Kernels<T>& kernels();

// What kernels() chose: "avx512", "avx2" or "baseline".
const char* instruction_set();

namespace avx512 {
template <typename T>
Kernels<T> implementation();
}
namespace avx2 {
template <typename T>
Kernels<T> implementation();
}
namespace baseline {
template <typename T>
Kernels<T> implementation();
}

}  // namespace cpu
