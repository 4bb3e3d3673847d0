// Vectors of KERNELS_LANES floats, for cpu_kernels_impl.h, which includes this inside the namespace of its instruction
// set: GCC's vector extension, which becomes the registers of the instruction set.

constexpr int64_t kLanes = KERNELS_LANES;
using Lanes = float __attribute__((vector_size(kLanes * sizeof(float))));
using Integers = int32_t __attribute__((vector_size(kLanes * sizeof(int32_t))));
using Words = uint32_t __attribute__((vector_size(kLanes * sizeof(uint32_t))));
using Floats = float __attribute__((vector_size(kLanes / 2 * sizeof(float))));
using Doubles = double __attribute__((vector_size(kLanes / 2 * sizeof(double))));
using HalfWords = uint16_t __attribute__((vector_size(kLanes * sizeof(uint16_t))));

#define INLINE __attribute__((always_inline)) inline
// Before a loop over a small array, which otherwise stays in memory at -O2.
#define UNROLL _Pragma("GCC unroll 8")

INLINE Lanes load(const float* p) {
  Lanes x;
  __builtin_memcpy(&x, p, sizeof(x));
  return x;
}

INLINE Lanes load(const Bfloat16* p) {
  HalfWords bits;
  __builtin_memcpy(&bits, p, sizeof(bits));
  return reinterpret_cast<Lanes>(__builtin_convertvector(bits, Words) << 16);
}

INLINE Doubles load(const double* p) {
  Doubles x;
  __builtin_memcpy(&x, p, sizeof(x));
  return x;
}

// kLanes / 2 values from p on, in float64.
INLINE Doubles load_doubles(const float* p) {
  Floats x;
  __builtin_memcpy(&x, p, sizeof(x));
  return __builtin_convertvector(x, Doubles);
}

INLINE void store(double* p, Doubles x) {
  __builtin_memcpy(p, &x, sizeof(x));
}

INLINE void store(float* p, Lanes x) {
  __builtin_memcpy(p, &x, sizeof(x));
}

// Rounds to the nearest, ties to even; NaN stays NaN.
INLINE void store(Bfloat16* p, Lanes x) {
  Words bits = reinterpret_cast<Words>(x);
  Words rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  HalfWords half = __builtin_convertvector(x == x ? rounded : Words{} + 0x7FC0, HalfWords);
  __builtin_memcpy(p, &half, sizeof(half));
}

INLINE float load_one(const float* p) {
  return *p;
}

INLINE float load_one(const Bfloat16* p) {
  uint32_t bits = static_cast<uint32_t>(p->bits) << 16;
  float x;
  __builtin_memcpy(&x, &bits, sizeof(x));
  return x;
}

INLINE void store_one(float* p, float x) {
  *p = x;
}

INLINE void store_one(Bfloat16* p, float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof(bits));
  p->bits = static_cast<uint16_t>(x == x ? (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16 : 0x7FC0);
}

// The sum of the lanes: of the four sums of every fourth lane.
INLINE float sum(Lanes x) {
  using Four = float __attribute__((vector_size(16)));
  Four parts[kLanes / 4];
  __builtin_memcpy(parts, &x, sizeof(parts));
  for (int64_t i = 1; i < kLanes / 4; i++) {
    parts[0] += parts[i];
  }
  return (parts[0][0] + parts[0][2]) + (parts[0][1] + parts[0][3]);
}

// e^x for x <= 0, to two units in the last place; below -87 about 1e-38. The argument is split into n ln 2 + r, and e^r
// is a Taylor polynomial.
INLINE Lanes exp(Lanes x) {
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it leaves no bits for fractions
  x = x < -87.0f ? Lanes{} - 87.0f : x;
  Lanes n = (x * 1.44269504f + kRound) - kRound;
  Lanes r = x - n * 0.693145752f - n * 1.42860677e-6f;
  Lanes p = r * (1.0f / 5040) + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return p * reinterpret_cast<Lanes>((__builtin_convertvector(n, Integers) + 127) << 23);
}

INLINE float exp_one(float x) {
  return exp(Lanes{} + x)[0];
}

// x / (1 + e^-x), by an exponential that does not overflow.
INLINE Lanes silu(Lanes x) {
  Lanes e = exp(x < 0.0f ? x : -x);
  return x * (x < 0.0f ? e : Lanes{} + 1.0f) / (e + 1.0f);
}
