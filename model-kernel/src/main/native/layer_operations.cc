// LayerOperations: the layers of networks. All are differentiable and respect autocast.
#include "bridge.h"
#include "group_norm.h"
#include "keyed_dropout.h"
#include "onednn_convolution.h"
#include "onednn_linear.h"

#include <ATen/Functions.h>

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
  return guarded(env, [&] { return give(pack_linear(tensor(weight))); });
}

NATIVE(jlong, linear)(JNIEnv* env, jclass, jlong x, jlong weight, jlong bias) {
  return guarded(env, [&] { return give(linear(tensor(x), tensor(weight), optional_tensor(bias), "none")); });
}

NATIVE(jlong, linearGelu)(JNIEnv* env, jclass, jlong x, jlong weight, jlong bias) {
  return guarded(env, [&] { return give(linear(tensor(x), tensor(weight), optional_tensor(bias), "gelu")); });
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

NATIVE(jlong, groupNormSilu)(JNIEnv* env, jclass, jlong x, jint groups, jlong weight, jlong bias, jdouble eps) {
  return guarded(env, [&] { return give(group_norm_silu(tensor(x), groups, tensor(weight), tensor(bias), eps)); });
}

NATIVE(jlong, packConvolution)(JNIEnv* env, jclass, jlong weight, jlong stride, jlong padding_height, jlong padding_width,
                               jlong side) {
  return guarded(env, [&] {
    return give(pack_convolution(tensor(weight), {stride, {padding_height, padding_width}}, side));
  });
}

NATIVE(jlong, conv2d)(JNIEnv* env, jclass, jlong x, jlong weight, jlong bias, jlong stride, jlong padding_height,
                      jlong padding_width) {
  return guarded(env, [&] {
    return give(convolution(tensor(x), tensor(weight), optional_tensor(bias), {stride, {padding_height, padding_width}},
                            "none"));
  });
}

NATIVE(jlong, conv2dRelu)(JNIEnv* env, jclass, jlong x, jlong weight, jlong bias, jlong stride, jlong padding_height,
                          jlong padding_width) {
  return guarded(env, [&] {
    return give(convolution(tensor(x), tensor(weight), optional_tensor(bias), {stride, {padding_height, padding_width}},
                            "relu"));
  });
}

NATIVE(jlong, packUpsampledConvolution)(JNIEnv* env, jclass, jlong weight, jlong side) {
  return guarded(env, [&] { return give(pack_upsampled_convolution(tensor(weight), side)); });
}

NATIVE(jlong, upsampledConv2d)(JNIEnv* env, jclass, jlong x, jlong weight, jlong bias) {
  return guarded(env, [&] { return give(upsampled_convolution(tensor(x), tensor(weight), tensor(bias))); });
}

NATIVE(jlong, addConv2d)(JNIEnv* env, jclass, jlong sum, jlong x, jlong weight, jlong padding) {
  return guarded(env, [&] { return give(add_convolution(tensor(sum), tensor(x), tensor(weight), {1, {padding, padding}})); });
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
  return guarded(env, [&] { return give(keyed_dropout(tensor(x), p, longs(env, keys))); });
}

NATIVE(jlong, attentionWithDropout)(JNIEnv* env, jclass, jlong q, jlong k, jlong v, jdouble p, jlongArray keys) {
  return guarded(env, [&] { return give(attention_with_dropout(tensor(q), tensor(k), tensor(v), p, longs(env, keys))); });
}
