// LayerOperations: the layers of networks. All are differentiable and respect autocast.
//
// Dropout masks are a function of keys, so that they depend on neither ranks, threads nor the order of evaluation. The generator is that of io.github.rarspark.kernel.random.RandomStream: the k-th word of a stream is
// splitmix64 at key + (k + 1) * gamma; element j of a row uses the low (even j) or high half (odd j) of word j / 2.
#include "bridge.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <cmath>
#include <string_view>

namespace {

constexpr uint64_t kGamma = 0x9E3779B97F4A7C15ULL;

inline uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

// Compiled for several instruction sets; the dynamic linker picks the widest that the machine supports.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), optimize("O3")))
void fill_row(float* mask, int64_t count, uint64_t key, uint32_t threshold, float scale) {
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

// A mask like x: per element 0 with probability p, else 1 / (1 - p). Row r (axis 0) draws from the stream keys[r].
at::Tensor keyed_mask(const at::Tensor& x, double p, const std::vector<int64_t>& keys) {
  TORCH_CHECK(x.dim() > 0 && x.size(0) == static_cast<int64_t>(keys.size()),
              "dropout needs one key per row: ", keys.size(), " keys for shape ", x.sizes());
  auto mask = at::empty(x.sizes(), at::TensorOptions().dtype(at::kFloat));
  int64_t row = x.numel() / x.size(0);
  auto threshold = static_cast<uint32_t>(std::llround(p * 4294967296.0));
  auto scale = static_cast<float>(1.0 / (1.0 - p));
  float* data = mask.data_ptr<float>();
  at::parallel_for(0, x.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      fill_row(data + r * row, row, static_cast<uint64_t>(keys[r]), threshold, scale);
    }
  });
  return mask.to(x.options());
}

// ---- linear layers whose weight oneDNN has packed ----

// libtorch has these operations for its compiler and declares no functions for them.
template <typename Signature>
auto operation(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

// The rows that a weight is packed for. oneDNN gives a layout that serves any number of them.
constexpr int64_t kPackedRows = 64;

at::Tensor packed(const at::Tensor& weight) {
  using Signature = at::Tensor(const at::Tensor&, std::optional<int64_t>);
  static const auto reorder = operation<Signature>("mkldnn::_reorder_linear_weight");
  return reorder.call(weight.contiguous(), kPackedRows);
}

// x is converted to the weight's type. `activation` is "none" or "gelu", the exact one.
at::Tensor packed_linear(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                         std::string_view activation) {
  using Scalars = c10::List<std::optional<at::Scalar>>;
  using Signature = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, std::string_view,
                               Scalars, std::optional<std::string_view>);
  static const auto linear = operation<Signature>("mkldnn::_linear_pointwise");
  return linear.call(x.to(weight.scalar_type()).contiguous(), weight, bias, activation, Scalars(), "none");
}

}  // namespace

#define NATIVE(result, name) RAR_NATIVE(result, tensor_LayerOperations, name)

using namespace bridge;

NATIVE(jlong, gelu)(JNIEnv* env, jclass, jlong x) {
  return guarded(env, [&] { return give(at::gelu(tensor(x))); });
}

NATIVE(jlong, silu)(JNIEnv* env, jclass, jlong x) {
  return guarded(env, [&] { return give(at::silu(tensor(x))); });
}

NATIVE(jlong, relu)(JNIEnv* env, jclass, jlong x) {
  return guarded(env, [&] { return give(at::relu(tensor(x))); });
}

NATIVE(jlong, packLinear)(JNIEnv* env, jclass, jlong weight) {
  return guarded(env, [&] {
    at::NoGradGuard no_grad;
    return give(packed(tensor(weight)));
  });
}

NATIVE(jlong, linear)(JNIEnv* env, jclass, jlong x, jlong weight, jlong bias) {
  return guarded(env, [&] {
    const auto& matrix = tensor(weight);
    return give(matrix.is_mkldnn() ? packed_linear(tensor(x), matrix, optional_tensor(bias), "none")
                                   : at::linear(tensor(x), matrix, optional_tensor(bias)));
  });
}

NATIVE(jlong, linearGelu)(JNIEnv* env, jclass, jlong x, jlong weight, jlong bias) {
  return guarded(env, [&] {
    const auto& matrix = tensor(weight);
    return give(matrix.is_mkldnn() ? packed_linear(tensor(x), matrix, optional_tensor(bias), "gelu")
                                   : at::gelu(at::linear(tensor(x), matrix, optional_tensor(bias))));
  });
}

NATIVE(jlong, layerNorm)(JNIEnv* env, jclass, jlong x, jlong weight, jlong bias, jdouble eps) {
  return guarded(env, [&] {
    const auto& input = tensor(x);
    return give(at::layer_norm(input, {input.size(-1)}, optional_tensor(weight), optional_tensor(bias), eps));
  });
}

NATIVE(jlong, groupNorm)(JNIEnv* env, jclass, jlong x, jint groups, jlong weight, jlong bias, jdouble eps) {
  return guarded(env, [&] {
    return give(at::group_norm(tensor(x), groups, optional_tensor(weight), optional_tensor(bias), eps));
  });
}

NATIVE(jlong, conv2d)(JNIEnv* env, jclass, jlong x, jlong weight, jlong bias, jlong stride,
                      jlong padding_height, jlong padding_width) {
  return guarded(env, [&] {
    return give(at::conv2d(tensor(x), tensor(weight), optional_tensor(bias), {stride, stride},
                           {padding_height, padding_width}));
  });
}

NATIVE(jlong, averagePool)(JNIEnv* env, jclass, jlong x, jlong size, jlong stride, jlong padding) {
  return guarded(env, [&] {
    constexpr bool ceil_mode = false;
    constexpr bool count_include_pad = false;
    return give(at::avg_pool2d(tensor(x), {size, size}, {stride, stride}, {padding, padding}, ceil_mode,
                               count_include_pad));
  });
}

NATIVE(jlong, maxPool)(JNIEnv* env, jclass, jlong x, jlong size, jlong stride, jlong padding) {
  return guarded(env, [&] {
    return give(at::max_pool2d(tensor(x), {size, size}, {stride, stride}, {padding, padding}));
  });
}

NATIVE(jlong, upsampleNearest2)(JNIEnv* env, jclass, jlong x) {
  return guarded(env, [&] {
    const auto& input = tensor(x);
    return give(at::upsample_nearest2d(input, {input.size(2) * 2, input.size(3) * 2}));
  });
}

NATIVE(jlong, embedding)(JNIEnv* env, jclass, jlong weight, jlong ids) {
  return guarded(env, [&] { return give(at::embedding(tensor(weight), tensor(ids))); });
}

NATIVE(jlong, attention)(JNIEnv* env, jclass, jlong q, jlong k, jlong v, jboolean causal) {
  return guarded(env, [&] {
    return give(at::scaled_dot_product_attention(tensor(q), tensor(k), tensor(v), {}, 0.0, causal));
  });
}

NATIVE(jlong, crossEntropy)(JNIEnv* env, jclass, jlong logits, jlong targets) {
  return guarded(env, [&] { return give(at::cross_entropy_loss(tensor(logits).to(at::kFloat), tensor(targets))); });
}

NATIVE(jlong, dropout)(JNIEnv* env, jclass, jlong x, jdouble p, jlongArray keys) {
  return guarded(env, [&] { return give(tensor(x) * keyed_mask(tensor(x), p, longs(env, keys))); });
}

// Causal attention with dropout on the attention weights, q, k, v [batch, heads, positions, width].
NATIVE(jlong, attentionWithDropout)(JNIEnv* env, jclass, jlong q, jlong k, jlong v, jdouble p, jlongArray keys) {
  return guarded(env, [&] {
    const auto& query = tensor(q);
    double scale = 1.0 / std::sqrt(static_cast<double>(query.size(-1)));
    auto scores = at::matmul(query * scale, tensor(k).transpose(-2, -1));
    int64_t positions = query.size(-2);
    auto future = at::ones({positions, positions}, query.options().dtype(at::kBool)).triu(1);
    auto weights = at::softmax(scores.masked_fill(future, -INFINITY), -1);
    return give(at::matmul(weights * keyed_mask(weights, p, longs(env, keys)), tensor(v)));
  });
}
