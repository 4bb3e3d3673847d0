// The generator is that of io.github.rarspark.kernel.random.RandomStream: the k-th word of a stream is splitmix64 at
// key + (k + 1) * gamma; element j of a row uses the low (even j) or high half (odd j) of word j / 2. CPUs draw it in loops
// that fill masks while they are used, and again in the backward pass; other devices in a dozen operations on whole tensors,
// which take longer than what uses the mask, so there it is kept.
#include "keyed_dropout.h"

#include "cpu_dispatch.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::Variable;
using torch::autograd::variable_list;

// ---- masks ----

constexpr uint64_t kGamma = 0x9E3779B97F4A7C15ULL;

inline uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

// The first `count` elements of the stream `key`. Compiled for several instruction sets; the dynamic linker picks the
// widest that the machine supports.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), optimize("O3")))
void fill(float* mask, int64_t count, uint64_t key, uint32_t threshold, float scale) {
  int64_t pairs = count / 2;
  for (int64_t i = 0; i < pairs; i++) {
    uint64_t word = mix(key + static_cast<uint64_t>(i + 1) * kGamma);
    mask[2 * i] = static_cast<uint32_t>(word) >= threshold ? scale : 0.0f;
    mask[2 * i + 1] = static_cast<uint32_t>(word >> 32) >= threshold ? scale : 0.0f;
  }
  if (count % 2 != 0) {
    uint64_t word = mix(key + static_cast<uint64_t>(pairs + 1) * kGamma);
    mask[count - 1] = static_cast<uint32_t>(word) >= threshold ? scale : 0.0f;
  }
}

// z >> bits of unsigned words, which libtorch computes with signed ones only.
at::Tensor shifted_right(const at::Tensor& z, int64_t bits) {
  return z.bitwise_right_shift(bits).bitwise_and_((int64_t{1} << (64 - bits)) - 1);
}

// The function above of each word of a tensor, in place, in signed integers that wrap around.
void mix_(at::Tensor& z) {
  z.bitwise_xor_(shifted_right(z, 30)).mul_(static_cast<int64_t>(0xBF58476D1CE4E5B9ULL));
  z.bitwise_xor_(shifted_right(z, 27)).mul_(static_cast<int64_t>(0x94D049BB133111EBULL));
  z.bitwise_xor_(shifted_right(z, 31));
}

class Masks {
 public:
  // `drawn` is what another object with the same keys has drawn; undefined for nothing.
  Masks(const at::Tensor& x, double p, std::vector<int64_t> keys, at::Tensor drawn = {})
      : p_(p), keys_(std::move(keys)), drawn_(std::move(drawn)) {
    TORCH_CHECK(x.dim() > 0 && x.size(0) == static_cast<int64_t>(keys_.size()),
                "dropout needs one key per row: ", keys_.size(), " keys for shape ", x.sizes());
  }

  // Elements [start, start + count) of a row's mask. `buffer` holds count + 1 floats.
  const float* part(int64_t row, int64_t start, int64_t count, float* buffer) const {
    // Parts begin with a whole word.
    int64_t before = start % 2;
    uint64_t key = static_cast<uint64_t>(keys_[row]) + static_cast<uint64_t>(start / 2) * kGamma;
    fill(buffer, count + before, key, threshold(), scale());
    return buffer + before;
  }

  // Which elements of a tensor like x are kept, on its device.
  const at::Tensor& kept(const at::Tensor& x) {
    if (!drawn_.defined()) {
      drawn_ = draw(x);
    }
    return drawn_;
  }

  // What kept() has returned, undefined if it was not asked.
  const at::Tensor& drawn() const { return drawn_; }

  // What kept elements are multiplied with.
  float scale() const { return static_cast<float>(1.0 / (1.0 - p_)); }

 private:
  // Halves of words below it drop their elements.
  uint32_t threshold() const { return static_cast<uint32_t>(std::llround(p_ * 4294967296.0)); }

  // Gets nothing but the keys from the host.
  at::Tensor draw(const at::Tensor& x) const {
    int64_t width = x.numel() / x.size(0);
    int64_t words = (width + 1) / 2;
    auto options = x.options().dtype(at::kLong);
    // Nothing waits for the copy: the device's driver has taken the keys when it returns.
    auto keys = at::tensor(keys_, at::kLong).to(options, /*non_blocking=*/true).unsqueeze(1);
    auto z = at::arange(1, words + 1, options).mul_(static_cast<int64_t>(kGamma)) + keys;
    mix_(z);
    // The low half of a word comes first. Flipping the highest bits makes the order of signed numbers that of unsigned.
    auto halves = z.view(at::kInt).bitwise_xor_(std::numeric_limits<int32_t>::min());
    auto limit = static_cast<int32_t>(threshold() ^ 0x80000000U);
    return halves.ge(limit).narrow(1, 0, width).reshape(x.sizes());
  }

  double p_;
  std::vector<int64_t> keys_;
  at::Tensor drawn_;
};

// x * mask; on a CPU in pieces that stay in the cache.
at::Tensor masked(const at::Tensor& x, Masks& masks) {
  if (!cpu::has_kernels(x)) {
    return at::native_dropout_backward(x, masks.kept(x), masks.scale());
  }
  constexpr int64_t kPiece = 2048;
  at::Tensor input = x.contiguous();
  at::Tensor result = at::empty_like(input);
  int64_t rows = x.size(0);
  int64_t width = x.numel() / rows;
  int64_t pieces = (width + kPiece - 1) / kPiece;
  cpu::with_type(x.scalar_type(), [&](auto element) {
    using T = decltype(element);
    const T* in = static_cast<const T*>(input.const_data_ptr());
    T* out = static_cast<T*>(result.data_ptr());
    at::parallel_for(0, rows * pieces, 8, [&](int64_t begin, int64_t end) {
      float buffer[kPiece + 1];
      for (int64_t i = begin; i < end; i++) {
        int64_t row = i / pieces;
        int64_t start = i % pieces * kPiece;
        int64_t count = std::min(kPiece, width - start);
        const float* mask = masks.part(row, start, count, buffer);
        cpu::kernels<T>().masked(in + row * width + start, mask, out + row * width + start, count);
      }
    });
  });
  return result;
}

struct KeyedDropout : Function<KeyedDropout> {
  static Variable forward(AutogradContext* context, const Variable& x, double p, const std::vector<int64_t>& keys) {
    context->saved_data["p"] = p;
    context->saved_data["keys"] = keys;
    Masks masks(x, p, keys);
    auto y = masked(x, masks);
    context->save_for_backward({masks.drawn()});
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    Masks masks(gradients[0], context->saved_data["p"].toDouble(), context->saved_data["keys"].toIntVector(),
                context->get_saved_variables()[0]);
    return {masked(gradients[0], masks), Variable(), Variable()};
  }
};

// ---- attention ----

// Calls `body` for each row of attention weights [batch, heads, positions, positions]: with its first element, the number
// of keys that its query sees, their part of the mask, and space for as many floats.
template <typename Body>
void for_queries(const at::Tensor& weights, const Masks& masks, Body body) {
  int64_t positions = weights.size(3);
  int64_t rows = weights.size(1) * positions; // of a batch entry
  at::parallel_for(0, weights.size(0) * rows, std::max<int64_t>(1, 16384 / positions), [&](int64_t begin, int64_t end) {
    std::vector<float> buffer(positions + 1);
    std::vector<float> scratch(positions);
    for (int64_t i = begin; i < end; i++) {
      int64_t count = i % positions + 1;
      const float* mask = masks.part(i / rows, i % rows * positions, count, buffer.data());
      body(i * positions, count, mask, scratch.data());
    }
  });
}

// The softmax weights before and after dropout.
struct Weights {
  at::Tensor kept;
  at::Tensor dropped;
};

// `scores` becomes `kept`.
Weights weights_of(at::Tensor scores, Masks& masks) {
  if (!cpu::has_kernels(scores)) {
    int64_t positions = scores.size(3);
    auto future = at::ones({positions, positions}, scores.options().dtype(at::kBool)).triu_(1);
    auto kept = at::_softmax(scores.masked_fill_(future, -INFINITY), -1, /*half_to_float=*/false);
    return {kept, masked(kept, masks)};
  }
  at::Tensor dropped = at::empty_like(scores);
  int64_t width = scores.size(3);
  cpu::with_type(scores.scalar_type(), [&](auto element) {
    using T = decltype(element);
    T* kept = static_cast<T*>(scores.data_ptr());
    T* out = static_cast<T*>(dropped.data_ptr());
    for_queries(scores, masks, [&](int64_t start, int64_t count, const float* mask, float* scratch) {
      cpu::kernels<T>().softmax(kept + start, count, width, scratch);
      cpu::kernels<T>().masked(kept + start, mask, out + start, count);
      std::memset(out + start + count, 0, (width - count) * sizeof(T));
    });
  });
  return {scores, dropped};
}

// The weights after dropout, from those before.
at::Tensor dropped_again(const at::Tensor& weights, Masks& masks) {
  if (!cpu::has_kernels(weights)) {
    return masked(weights, masks);
  }
  at::Tensor dropped = at::zeros_like(weights);
  cpu::with_type(weights.scalar_type(), [&](auto element) {
    using T = decltype(element);
    const T* in = static_cast<const T*>(weights.const_data_ptr());
    T* out = static_cast<T*>(dropped.data_ptr());
    for_queries(weights, masks, [&](int64_t start, int64_t count, const float* mask, float*) {
      cpu::kernels<T>().masked(in + start, mask, out + start, count);
    });
  });
  return dropped;
}

// Turns the gradient of dropped weights into that of unscaled scores.
void score_gradient(const at::Tensor& weights, Masks& masks, at::Tensor& gradient, double scale) {
  if (!cpu::has_kernels(weights)) {
    gradient = at::_softmax_backward_data(masked(gradient, masks), weights, -1, weights.scalar_type()).mul_(scale);
    return;
  }
  int64_t width = weights.size(3);
  cpu::with_type(weights.scalar_type(), [&](auto element) {
    using T = decltype(element);
    const T* in = static_cast<const T*>(weights.const_data_ptr());
    T* out = static_cast<T*>(gradient.data_ptr());
    for_queries(weights, masks, [&](int64_t start, int64_t count, const float* mask, float*) {
      cpu::kernels<T>().softmax_gradient(in + start, mask, out + start, count, width, static_cast<float>(scale));
    });
  });
}

double scale_of(const at::Tensor& q) {
  return 1.0 / std::sqrt(static_cast<double>(q.size(-1)));
}

// Of the weights, keeps those before dropout alone. q, k and v have one type.
struct AttentionWithDropout : Function<AttentionWithDropout> {
  static Variable forward(AutogradContext* context, const Variable& q, const Variable& k, const Variable& v, double p,
                          const std::vector<int64_t>& keys) {
    auto scores = at::matmul(q * scale_of(q), k.transpose(-2, -1)).contiguous();
    Masks masks(q, p, keys);
    auto weights = weights_of(scores, masks);
    context->save_for_backward({q, k, v, weights.kept, masks.drawn()});
    context->saved_data["p"] = p;
    context->saved_data["keys"] = keys;
    return at::matmul(weights.dropped, v);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    auto saved = context->get_saved_variables();
    const auto& [q, k, v, weights] = std::tie(saved[0], saved[1], saved[2], saved[3]);
    const auto& gradient = gradients[0];
    Masks masks(q, context->saved_data["p"].toDouble(), context->saved_data["keys"].toIntVector(), saved[4]);
    auto dv = at::matmul(dropped_again(weights, masks).transpose(-2, -1), gradient);
    auto ds = at::matmul(gradient, v.transpose(-2, -1)).contiguous();
    score_gradient(weights, masks, ds, scale_of(q));
    return {at::matmul(ds, k), at::matmul(ds.transpose(-2, -1), q), dv, Variable(), Variable()};
  }
};

}  // namespace

at::Tensor keyed_dropout(const at::Tensor& x, double p, const std::vector<int64_t>& keys) {
  return KeyedDropout::apply(x, p, keys);
}

at::Tensor attention_with_dropout(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double p,
                                  const std::vector<int64_t>& keys) {
  return AttentionWithDropout::apply(q.to(v.scalar_type()), k.to(v.scalar_type()), v, p, keys);
}
