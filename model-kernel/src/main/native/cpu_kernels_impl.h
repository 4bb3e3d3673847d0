// The definitions of cpu_kernels.h for one instruction set, in the namespace KERNELS_INSTRUCTION_SET, for registers
// of KERNELS_LANES floats. Nothing from the standard library is used here: the linker could pick these instances of its
// templates for the rest of the program.

namespace cpu::KERNELS_INSTRUCTION_SET {
namespace {

#include "cpu_lanes.h"

template <typename T>
void activated_sum(const float* a, const float* b, T* y, int64_t width) {
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) {
    store(y + i, silu(load(a + i) + load(b + i)));
  }
  for (; i < width; i++) {
    store_one(y + i, silu(Lanes{} + (a[i] + b[i]))[0]);
  }
}

// ---- normalization ----

struct Moments {
  float mean;
  float inverse_deviation;
};

template <typename T>
INLINE Moments moments(const T* x, int64_t width, float eps) {
  int64_t i = 0;
  Lanes sums{};
  for (; i + kLanes <= width; i += kLanes) {
    sums += load(x + i);
  }
  float total = sum(sums);
  for (; i < width; i++) {
    total += load_one(x + i);
  }
  float mean = total / static_cast<float>(width);
  Lanes squares{};
  for (i = 0; i + kLanes <= width; i += kLanes) {
    Lanes d = load(x + i) - mean;
    squares += d * d;
  }
  float variance = sum(squares);
  for (; i < width; i++) {
    float d = load_one(x + i) - mean;
    variance += d * d;
  }
  variance /= static_cast<float>(width);
  return {mean, 1.0f / __builtin_sqrtf(variance + eps)};
}

template <typename In, typename Out, typename M>
INLINE void normalize(const In* x, Out* y, int64_t width, const Norm& norm, const M* shift, const M* scale) {
  Moments m = moments(x, width, norm.eps);
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) {
    Lanes value = (load(x + i) - m.mean) * m.inverse_deviation;
    if (norm.weight != nullptr) {
      value = value * load(norm.weight + i) + load(norm.bias + i);
    }
    if (shift != nullptr) {
      value = value * (load(scale + i) + 1.0f) + load(shift + i);
    }
    store(y + i, value);
  }
  for (; i < width; i++) {
    float value = (load_one(x + i) - m.mean) * m.inverse_deviation;
    if (norm.weight != nullptr) {
      value = value * norm.weight[i] + norm.bias[i];
    }
    if (shift != nullptr) {
      value = value * (load_one(scale + i) + 1.0f) + load_one(shift + i);
    }
    store_one(y + i, value);
  }
}

template <typename T>
void norm(const float* x, T* y, int64_t width, const Norm& norm, const T* shift, const T* scale) {
  normalize(x, y, width, norm, shift, scale);
}

template <typename T>
void residual(const float* x, const T* gate, const T* branch, float* y, int64_t width) {
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) {
    Lanes b = load(branch + i);
    store(y + i, load(x + i) + (gate == nullptr ? b : load(gate + i) * b));
  }
  for (; i < width; i++) {
    float b = load_one(branch + i);
    y[i] = x[i] + (gate == nullptr ? b : load_one(gate + i) * b);
  }
}

// ---- images: channels innermost, a multiple of 16 of them ----

void channel_sums(const float* x, int64_t pixels, int64_t channels, double* sums, double* squares) {
  constexpr int64_t kRun = 8;  // pixels for which the sums of some channels stay in registers
  for (int64_t pixel = 0; pixel < pixels; pixel += kRun) {
    int64_t run = pixels - pixel < kRun ? pixels - pixel : kRun;
    for (int64_t c = 0; c < channels; c += kLanes / 2) {
      Doubles sum = load(sums + c);
      Doubles square = load(squares + c);
      for (int64_t i = 0; i < run; i++) {
        Doubles value = load_doubles(x + (pixel + i) * channels + c);
        sum += value;
        square += value * value;
      }
      store(sums + c, sum);
      store(squares + c, square);
    }
  }
}

void scaled_silu(const float* x, const float* scale, const float* shift, float* y, int64_t pixels, int64_t channels) {
  for (int64_t pixel = 0; pixel < pixels; pixel++) {
    for (int64_t c = 0; c < channels; c += kLanes) {
      int64_t i = pixel * channels + c;
      store(y + i, silu(load(x + i) * load(scale + c) + load(shift + c)));
    }
  }
}

// ---- attention ----

// Asks for the cache lines of some values that are read soon.
template <typename T>
INLINE void prefetch(const T* values, int64_t count) {
  constexpr int64_t kLine = 64;
  const char* bytes = reinterpret_cast<const char*>(values);
  for (int64_t i = 0; i < count * static_cast<int64_t>(sizeof(T)); i += kLine) {
    __builtin_prefetch(bytes + i);
  }
}

// The products of q with kCount keys of `width` floats from k on, which share each load of q.
template <int kCount, typename T>
INLINE void products(const float* q, const T* k, int64_t width, float* result) {
  Lanes sums[kCount]{};
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) {
    Lanes query = load(q + i);
    UNROLL for (int n = 0; n < kCount; n++) {
      sums[n] += query * load(k + n * width + i);
    }
  }
  UNROLL for (int n = 0; n < kCount; n++) {
    result[n] = sum(sums[n]);
    for (int64_t j = i; j < width; j++) {
      result[n] += q[j] * load_one(k + n * width + j);
    }
  }
}

// y += the sum of kCount values of `width` floats from v on, each times its weight.
template <int kCount, typename T>
INLINE void add_weighted(const float* weights, const T* v, int64_t width, float* y) {
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) {
    Lanes total = load(y + i);
    UNROLL for (int n = 0; n < kCount; n++) {
      total += load(v + n * width + i) * weights[n];
    }
    store(y + i, total);
  }
  for (; i < width; i++) {
    for (int n = 0; n < kCount; n++) {
      y[i] += weights[n] * load_one(v + n * width + i);
    }
  }
}

// Replaces scores by their exponentials, relative to the largest; returns the sum.
INLINE float exponentials(float* scores, int64_t count) {
  float largest = scores[0];
  for (int64_t j = 1; j < count; j++) {
    largest = scores[j] > largest ? scores[j] : largest;
  }
  int64_t j = 0;
  Lanes sums{};
  for (; j + kLanes <= count; j += kLanes) {
    Lanes e = exp(load(scores + j) - largest);
    store(scores + j, e);
    sums += e;
  }
  float total = sum(sums);
  for (; j < count; j++) {
    scores[j] = exp_one(scores[j] - largest);
    total += scores[j];
  }
  return total;
}

template <typename T>
void attend(const T* q, const T* k, const T* v, const Norm& q_norm, const Norm& k_norm, const Cache<T>& cache, T* y,
            int64_t width, float* scratch) {
  constexpr int kCount = 4;
  const float* none = nullptr;
  normalize(k, cache.keys + cache.length * width, width, k_norm, none, none);
  __builtin_memcpy(cache.values + cache.length * width, v, width * sizeof(T));
  int64_t count = cache.length + 1;

  float* query = scratch;
  float* result = query + width;
  float* scores = result + width;
  normalize(q, query, width, q_norm, none, none);
  float scale = 1.0f / __builtin_sqrtf(static_cast<float>(width));
  for (int64_t i = 0; i < width; i++) {
    query[i] *= scale;
    result[i] = 0;
  }

  int64_t j = 0;
  for (; j + kCount <= count; j += kCount) {
    prefetch(cache.values + j * width, kCount * width);
    products<kCount>(query, cache.keys + j * width, width, scores + j);
  }
  for (; j < count; j++) {
    products<1>(query, cache.keys + j * width, width, scores + j);
  }
  float total = exponentials(scores, count);
  for (j = 0; j + kCount <= count; j += kCount) {
    add_weighted<kCount>(scores + j, cache.values + j * width, width, result);
  }
  for (; j < count; j++) {
    add_weighted<1>(scores + j, cache.values + j * width, width, result);
  }
  for (int64_t i = 0; i < width; i++) {
    store_one(y + i, result[i] / total);
  }
}

// ---- training: attention with dropout ----

template <typename T>
void masked(const T* x, const float* mask, T* y, int64_t width) {
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) {
    store(y + i, load(x + i) * load(mask + i));
  }
  for (; i < width; i++) {
    store_one(y + i, load_one(x + i) * mask[i]);
  }
}

template <typename T>
void softmax(T* scores, int64_t count, int64_t width, float* scratch) {
  for (int64_t i = 0; i < count; i++) {
    scratch[i] = load_one(scores + i);
  }
  float inverse = 1.0f / exponentials(scratch, count);
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    store(scores + i, load(scratch + i) * inverse);
  }
  for (; i < count; i++) {
    store_one(scores + i, scratch[i] * inverse);
  }
  __builtin_memset(scores + count, 0, (width - count) * sizeof(T));
}

template <typename T>
void softmax_gradient(const T* p, const float* mask, T* g, int64_t count, int64_t width, float scale) {
  int64_t i = 0;
  Lanes sums{};
  for (; i + kLanes <= count; i += kLanes) {
    sums += load(p + i) * load(g + i) * load(mask + i);
  }
  float total = sum(sums);
  for (; i < count; i++) {
    total += load_one(p + i) * load_one(g + i) * mask[i];
  }
  for (i = 0; i + kLanes <= count; i += kLanes) {
    store(g + i, load(p + i) * (load(g + i) * load(mask + i) - total) * scale);
  }
  for (; i < count; i++) {
    store_one(g + i, load_one(p + i) * (load_one(g + i) * mask[i] - total) * scale);
  }
  __builtin_memset(g + count, 0, (width - count) * sizeof(T));
}

#undef INLINE
#undef UNROLL

}  // namespace

template <typename T>
Kernels<T> implementation() {
  return {norm<T>, activated_sum<T>, residual<T>, attend<T>, masked<T>, softmax<T>, softmax_gradient<T>,
          channel_sums, scaled_silu};
}
template Kernels<float> implementation();
template Kernels<Bfloat16> implementation();

}  // namespace cpu::KERNELS_INSTRUCTION_SET
