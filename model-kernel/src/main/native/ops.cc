// Tensor operations. All take part in autograd where their inputs do, and under autocast where it is on.
#include "bridge.h"

#include <ATen/Functions.h>
#include <c10/core/MemoryFormat.h>
#include <torch/csrc/autograd/autograd.h>

using namespace bridge;

// ---- elementwise ----

RAR_NATIVE(jlong, add)(JNIEnv* env, jclass, jlong x, jlong y) {
  return guarded(env, [&] { return give(tensor(x) + tensor(y)); });
}

RAR_NATIVE(jlong, subtract)(JNIEnv* env, jclass, jlong x, jlong y) {
  return guarded(env, [&] { return give(tensor(x) - tensor(y)); });
}

RAR_NATIVE(jlong, multiply)(JNIEnv* env, jclass, jlong x, jlong y) {
  return guarded(env, [&] { return give(tensor(x) * tensor(y)); });
}

// x * factor + offset
RAR_NATIVE(jlong, affine)(JNIEnv* env, jclass, jlong x, jdouble factor, jdouble offset) {
  return guarded(env, [&] { return give(offset == 0 ? tensor(x) * factor : tensor(x) * factor + offset); });
}

// x * (1 + scale) + shift
RAR_NATIVE(jlong, modulate)(JNIEnv* env, jclass, jlong x, jlong shift, jlong scale) {
  return guarded(env, [&] { return give(at::addcmul(tensor(shift), tensor(x), tensor(scale) + 1)); });
}

// x + gate * y
RAR_NATIVE(jlong, addGated)(JNIEnv* env, jclass, jlong x, jlong gate, jlong y) {
  return guarded(env, [&] { return give(at::addcmul(tensor(x), tensor(gate), tensor(y))); });
}

RAR_NATIVE(jlong, clamp)(JNIEnv* env, jclass, jlong x, jdouble low, jdouble high) {
  return guarded(env, [&] { return give(at::clamp(tensor(x), low, high)); });
}

RAR_NATIVE(jlong, relu)(JNIEnv* env, jclass, jlong x) {
  return guarded(env, [&] { return give(at::relu(tensor(x))); });
}

RAR_NATIVE(jlong, gelu)(JNIEnv* env, jclass, jlong x) {
  return guarded(env, [&] { return give(at::gelu(tensor(x))); });
}

RAR_NATIVE(jlong, silu)(JNIEnv* env, jclass, jlong x) {
  return guarded(env, [&] { return give(at::silu(tensor(x))); });
}

// ---- layers ----

RAR_NATIVE(jlong, layerNorm)(JNIEnv* env, jclass, jlong x, jlong weight, jlong bias, jdouble eps) {
  return guarded(env, [&] {
    const auto& input = tensor(x);
    return give(at::layer_norm(input, {input.size(-1)}, optional_tensor(weight), optional_tensor(bias), eps));
  });
}

RAR_NATIVE(jlong, groupNorm)(JNIEnv* env, jclass, jlong x, jint groups, jlong weight, jlong bias, jdouble eps) {
  return guarded(env, [&] {
    return give(at::group_norm(tensor(x), groups, optional_tensor(weight), optional_tensor(bias), eps));
  });
}

RAR_NATIVE(jlong, linear)(JNIEnv* env, jclass, jlong x, jlong weight, jlong bias) {
  return guarded(env, [&] { return give(at::linear(tensor(x), tensor(weight), optional_tensor(bias))); });
}

RAR_NATIVE(jlong, conv2d)(JNIEnv* env, jclass, jlong x, jlong weight, jlong bias, jlong stride,
                          jlong padding_height, jlong padding_width) {
  return guarded(env, [&] {
    return give(at::conv2d(tensor(x), tensor(weight), optional_tensor(bias), {stride, stride},
                           {padding_height, padding_width}));
  });
}

RAR_NATIVE(jlong, averagePool)(JNIEnv* env, jclass, jlong x, jlong size, jlong stride, jlong padding) {
  return guarded(env, [&] {
    constexpr bool ceil_mode = false;
    constexpr bool count_include_pad = false;
    return give(at::avg_pool2d(tensor(x), {size, size}, {stride, stride}, {padding, padding}, ceil_mode,
                               count_include_pad));
  });
}

RAR_NATIVE(jlong, maxPool)(JNIEnv* env, jclass, jlong x, jlong size, jlong stride, jlong padding) {
  return guarded(env, [&] {
    return give(at::max_pool2d(tensor(x), {size, size}, {stride, stride}, {padding, padding}));
  });
}

RAR_NATIVE(jlong, upsampleNearest2)(JNIEnv* env, jclass, jlong x) {
  return guarded(env, [&] {
    const auto& input = tensor(x);
    return give(at::upsample_nearest2d(input, {input.size(2) * 2, input.size(3) * 2}));
  });
}

RAR_NATIVE(jlong, matmul)(JNIEnv* env, jclass, jlong x, jlong y) {
  return guarded(env, [&] { return give(at::matmul(tensor(x), tensor(y))); });
}

RAR_NATIVE(jlong, channelsLast)(JNIEnv* env, jclass, jlong x) {
  return guarded(env, [&] { return give(tensor(x).contiguous(at::MemoryFormat::ChannelsLast)); });
}

RAR_NATIVE(jlong, embedding)(JNIEnv* env, jclass, jlong weight, jlong ids) {
  return guarded(env, [&] { return give(at::embedding(tensor(weight), tensor(ids))); });
}

RAR_NATIVE(jlong, crossEntropy)(JNIEnv* env, jclass, jlong logits, jlong targets) {
  return guarded(env, [&] { return give(at::cross_entropy_loss(tensor(logits).to(at::kFloat), tensor(targets))); });
}

RAR_NATIVE(jlong, attention)(JNIEnv* env, jclass, jlong q, jlong k, jlong v, jboolean causal) {
  return guarded(env, [&] {
    return give(at::scaled_dot_product_attention(tensor(q), tensor(k), tensor(v), {}, 0.0, causal));
  });
}

// ---- shape ----

RAR_NATIVE(jlong, reshape)(JNIEnv* env, jclass, jlong x, jlongArray shape) {
  return guarded(env, [&] { return give(tensor(x).reshape(longs(env, shape))); });
}

RAR_NATIVE(jlong, expand)(JNIEnv* env, jclass, jlong x, jlongArray shape) {
  return guarded(env, [&] { return give(tensor(x).expand(longs(env, shape))); });
}

RAR_NATIVE(jlong, permute)(JNIEnv* env, jclass, jlong x, jlongArray axes) {
  return guarded(env, [&] { return give(tensor(x).permute(longs(env, axes))); });
}

RAR_NATIVE(jlong, concatenate)(JNIEnv* env, jclass, jlongArray parts, jlong axis) {
  return guarded(env, [&] { return give(at::cat(tensors(env, parts), axis)); });
}

RAR_NATIVE(jlong, narrow)(JNIEnv* env, jclass, jlong x, jlong axis, jlong start, jlong length) {
  return guarded(env, [&] { return give(tensor(x).narrow(axis, start, length)); });
}

// Equal parts of an axis, as views whose backward pass is one concatenation.
RAR_NATIVE(jlongArray, split)(JNIEnv* env, jclass, jlong x, jlong axis, jlong parts) {
  return guarded(env, [&]() -> jlongArray {
    const auto& input = tensor(x);
    int64_t extent = input.size(axis);
    TORCH_CHECK(parts > 0 && extent % parts == 0, "cannot split an axis of ", extent, " into ", parts, " equal parts");
    return give_all(env, at::split(input, extent / parts, axis));
  });
}

RAR_NATIVE(jlong, indexSelect)(JNIEnv* env, jclass, jlong x, jlong axis, jlong indices) {
  return guarded(env, [&] { return give(at::index_select(tensor(x), axis, tensor(indices))); });
}

RAR_NATIVE(void, copy)(JNIEnv* env, jclass, jlong target, jlong source) {
  guarded(env, [&] {
    at::NoGradGuard no_grad;
    at::Tensor destination = tensor(target);
    destination.copy_(tensor(source));
  });
}

RAR_NATIVE(jlong, detach)(JNIEnv* env, jclass, jlong x) {
  return guarded(env, [&] { return give(tensor(x).detach()); });
}

// `type` is a c10::ScalarType.
RAR_NATIVE(jlong, to)(JNIEnv* env, jclass, jlong x, jint type) {
  return guarded(env, [&] { return give(tensor(x).to(static_cast<at::ScalarType>(type))); });
}

// ---- reductions ----

RAR_NATIVE(jlong, softmax)(JNIEnv* env, jclass, jlong x) {
  return guarded(env, [&] { return give(at::softmax(tensor(x), -1)); });
}

RAR_NATIVE(jlong, sum)(JNIEnv* env, jclass, jlong x, jlongArray axes) {
  return guarded(env, [&] { return give(at::sum(tensor(x), longs(env, axes))); });
}

RAR_NATIVE(jlong, mean)(JNIEnv* env, jclass, jlong x, jlongArray axes) {
  return guarded(env, [&] { return give(at::mean(tensor(x), longs(env, axes))); });
}

RAR_NATIVE(jlong, argMin)(JNIEnv* env, jclass, jlong x, jlong axis) {
  return guarded(env, [&] { return give(at::argmin(tensor(x), axis)); });
}

RAR_NATIVE(jlong, argMax)(JNIEnv* env, jclass, jlong x, jlong axis) {
  return guarded(env, [&] { return give(at::argmax(tensor(x), axis)); });
}

// ---- sampling, gradients, linear algebra ----

// One category a row of probabilities [rows, categories], by inverting the cumulative distribution at uniforms [rows].
RAR_NATIVE(jlong, sampleCategories)(JNIEnv* env, jclass, jlong probabilities, jlong uniforms) {
  return guarded(env, [&] {
    at::NoGradGuard no_grad;
    auto cumulative = at::cumsum(tensor(probabilities).to(at::kDouble), -1);
    auto total = cumulative.narrow(-1, cumulative.size(-1) - 1, 1);
    TORCH_CHECK(at::isfinite(total).all().item<bool>(), "the probabilities of a token are not finite");
    auto target = tensor(uniforms).to(at::kDouble).unsqueeze(-1) * total;
    return give(at::le(cumulative, target).sum(-1).clamp_max(cumulative.size(-1) - 1));
  });
}

// The gradient of a leaf; it shares the leaf's storage for as long as it lives.
RAR_NATIVE(jlong, gradient)(JNIEnv* env, jclass, jlong x) {
  return guarded(env, [&] {
    const auto& gradient = tensor(x).grad();
    TORCH_CHECK(gradient.defined(), "the tensor has no gradient");
    return give(gradient);
  });
}

RAR_NATIVE(void, backward)(JNIEnv* env, jclass, jlong output, jlong gradient) {
  guarded(env, [&] {
    std::vector<at::Tensor> gradients;
    if (gradient != 0) {
      gradients.push_back(tensor(gradient));
    }
    torch::autograd::backward({tensor(output)}, gradients);
  });
}

// Eigenvalues [n], ascending, and eigenvectors [n, n] in columns, of a symmetric matrix.
RAR_NATIVE(jlongArray, eigenSymmetric)(JNIEnv* env, jclass, jlong matrix) {
  return guarded(env, [&]() -> jlongArray {
    at::NoGradGuard no_grad;
    auto [values, vectors] = at::linalg_eigh(tensor(matrix));
    return give_all(env, {values, vectors});
  });
}

RAR_NATIVE(jlong, singularValues)(JNIEnv* env, jclass, jlong matrix) {
  return guarded(env, [&] {
    at::NoGradGuard no_grad;
    return give(at::linalg_svdvals(tensor(matrix)));
  });
}
