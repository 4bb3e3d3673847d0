// TensorOperations. All are differentiable and respect autocast.
#include "bridge.h"

#include <ATen/Functions.h>
#include <c10/core/MemoryFormat.h>

#define NATIVE(result, name) RAR_NATIVE(result, tensor_TensorOperations, name)

using namespace bridge;

namespace {

// Sums of the probabilities up to each one, in any unit. In deterministic mode CUDA refuses to add floating-point numbers
// up, whose sums depend on the order; integers it adds exactly.
at::Tensor cumulative_sums(const at::Tensor& probabilities) {
  if (probabilities.is_cpu()) {
    return at::cumsum(probabilities, -1);
  }
  constexpr double kUnits = 4503599627370496.0; // 2^52 in 1, so that float64 holds the sums
  return at::cumsum((probabilities * kUnits).to(at::kLong), -1).to(at::kDouble);
}

}  // namespace

// ---- elementwise ----

NATIVE(jlong, add)(JNIEnv* env, jclass, jlong x, jlong y) {
  return guarded(env, [&] { return give(tensor(x) + tensor(y)); });
}

NATIVE(jlong, subtract)(JNIEnv* env, jclass, jlong x, jlong y) {
  return guarded(env, [&] { return give(tensor(x) - tensor(y)); });
}

NATIVE(jlong, multiply)(JNIEnv* env, jclass, jlong x, jlong y) {
  return guarded(env, [&] { return give(tensor(x) * tensor(y)); });
}

// x * factor + offset
NATIVE(jlong, affine)(JNIEnv* env, jclass, jlong x, jdouble factor, jdouble offset) {
  return guarded(env, [&] { return give(offset == 0 ? tensor(x) * factor : tensor(x) * factor + offset); });
}

// x * (1 + scale) + shift
NATIVE(jlong, modulate)(JNIEnv* env, jclass, jlong x, jlong shift, jlong scale) {
  return guarded(env, [&] { return give(at::addcmul(tensor(shift), tensor(x), tensor(scale) + 1)); });
}

// x + gate * y
NATIVE(jlong, addGated)(JNIEnv* env, jclass, jlong x, jlong gate, jlong y) {
  return guarded(env, [&] { return give(at::addcmul(tensor(x), tensor(gate), tensor(y))); });
}

NATIVE(jlong, clamp)(JNIEnv* env, jclass, jlong x, jdouble low, jdouble high) {
  return guarded(env, [&] { return give(at::clamp(tensor(x), low, high)); });
}

// ---- shape ----

NATIVE(jlong, reshape)(JNIEnv* env, jclass, jlong x, jlongArray shape) {
  return guarded(env, [&] { return give(tensor(x).reshape(longs(env, shape))); });
}

NATIVE(jlong, expand)(JNIEnv* env, jclass, jlong x, jlongArray shape) {
  return guarded(env, [&] { return give(tensor(x).expand(longs(env, shape))); });
}

NATIVE(jlong, permute)(JNIEnv* env, jclass, jlong x, jlongArray axes) {
  return guarded(env, [&] { return give(tensor(x).permute(longs(env, axes))); });
}

NATIVE(jlong, concatenate)(JNIEnv* env, jclass, jlongArray parts, jlong axis) {
  return guarded(env, [&] { return give(at::cat(tensors(env, parts), axis)); });
}

NATIVE(jlong, narrow)(JNIEnv* env, jclass, jlong x, jlong axis, jlong start, jlong length) {
  return guarded(env, [&] { return give(tensor(x).narrow(axis, start, length)); });
}

// Equal parts of an axis, as views whose backward pass is one concatenation.
NATIVE(jlongArray, split)(JNIEnv* env, jclass, jlong x, jlong axis, jlong parts) {
  return guarded(env, [&]() -> jlongArray {
    const auto& input = tensor(x);
    int64_t extent = input.size(axis);
    TORCH_CHECK(parts > 0 && extent % parts == 0, "cannot split an axis of ", extent, " into ", parts, " equal parts");
    return give_all(env, at::split(input, extent / parts, axis));
  });
}

NATIVE(jlong, indexSelect)(JNIEnv* env, jclass, jlong x, jlong axis, jlong indices) {
  return guarded(env, [&] { return give(at::index_select(tensor(x), axis, tensor(indices))); });
}

NATIVE(void, copy)(JNIEnv* env, jclass, jlong target, jlong source) {
  guarded(env, [&] {
    at::NoGradGuard no_grad;
    at::Tensor destination = tensor(target);
    destination.copy_(tensor(source));
  });
}

NATIVE(jlong, detach)(JNIEnv* env, jclass, jlong x) {
  return guarded(env, [&] { return give(tensor(x).detach()); });
}

// `type` is a c10::ScalarType.
NATIVE(jlong, to)(JNIEnv* env, jclass, jlong x, jint type) {
  return guarded(env, [&] { return give(tensor(x).to(static_cast<at::ScalarType>(type))); });
}

NATIVE(jlong, channelsLast)(JNIEnv* env, jclass, jlong x) {
  return guarded(env, [&] { return give(tensor(x).contiguous(at::MemoryFormat::ChannelsLast)); });
}

// ---- products, reductions ----

NATIVE(jlong, matmul)(JNIEnv* env, jclass, jlong x, jlong y) {
  return guarded(env, [&] { return give(at::matmul(tensor(x), tensor(y))); });
}

NATIVE(jlong, softmax)(JNIEnv* env, jclass, jlong x) {
  return guarded(env, [&] { return give(at::softmax(tensor(x), -1)); });
}

NATIVE(jlong, sum)(JNIEnv* env, jclass, jlong x, jlongArray axes) {
  return guarded(env, [&] { return give(at::sum(tensor(x), longs(env, axes))); });
}

NATIVE(jlong, mean)(JNIEnv* env, jclass, jlong x, jlongArray axes) {
  return guarded(env, [&] { return give(at::mean(tensor(x), longs(env, axes))); });
}

NATIVE(jlong, argMin)(JNIEnv* env, jclass, jlong x, jlong axis) {
  return guarded(env, [&] { return give(at::argmin(tensor(x), axis)); });
}

NATIVE(jlong, argMax)(JNIEnv* env, jclass, jlong x, jlong axis) {
  return guarded(env, [&] { return give(at::argmax(tensor(x), axis)); });
}

// ---- sampling, linear algebra ----

// Draws one category per row of probabilities [rows, categories] by inverting the cumulative distribution at uniforms
// [rows]. The sums of the rows are added to totals [rows], of float64.
NATIVE(jlong, sampleCategories)(JNIEnv* env, jclass, jlong probabilities, jlong uniforms, jlong totals) {
  return guarded(env, [&] {
    at::NoGradGuard no_grad;
    auto wide = tensor(probabilities).to(at::kDouble);
    auto cumulative = cumulative_sums(wide);
    auto total = cumulative.narrow(-1, cumulative.size(-1) - 1, 1);
    at::Tensor all = tensor(totals);
    all.add_(wide.is_cpu() ? total.squeeze(-1) : wide.sum(-1));
    auto target = tensor(uniforms).to(at::kDouble).unsqueeze(-1) * total;
    return give(at::le(cumulative, target).sum(-1).clamp_max(cumulative.size(-1) - 1));
  });
}

// Eigenvalues [n], ascending, and eigenvectors [n, n] in columns, of a symmetric matrix.
NATIVE(jlongArray, eigenSymmetric)(JNIEnv* env, jclass, jlong matrix) {
  return guarded(env, [&]() -> jlongArray {
    at::NoGradGuard no_grad;
    auto [values, vectors] = at::linalg_eigh(tensor(matrix));
    return give_all(env, {values, vectors});
  });
}

NATIVE(jlong, singularValues)(JNIEnv* env, jclass, jlong matrix) {
  return guarded(env, [&] {
    at::NoGradGuard no_grad;
    return give(at::linalg_svdvals(tensor(matrix)));
  });
}
