// TensorScope: new tensors from Java's values, and gradients.
#include "bridge.h"

#include <torch/csrc/autograd/autograd.h>

#define NATIVE(result, name) RAR_NATIVE(result, tensor_TensorScope, name)

using namespace bridge;

namespace {

// `gpu` is a device index, negative for the CPU.
at::Device device(jint gpu) {
  return gpu < 0 ? at::Device(at::kCPU) : at::Device(at::kCUDA, static_cast<at::DeviceIndex>(gpu));
}

// A tensor in libtorch's own memory, since views of it may outlive the Java array.
template <typename Array, typename Element>
at::Tensor copied(JNIEnv* env, Array values, void (JNIEnv::*region)(Array, jsize, jsize, Element*), at::ScalarType type,
                  jlongArray shape, jint gpu) {
  require_not_null(env, values, "an array");
  auto extents = longs(env, shape);
  jsize count = env->GetArrayLength(values);
  TORCH_CHECK(c10::multiply_integers(extents) == count, count, " values do not fill the shape ", at::IntArrayRef(extents));
  at::Tensor result = at::empty(extents, type);
  (env->*region)(values, 0, count, static_cast<Element*>(result.mutable_data_ptr()));
  require_no_exception(env);
  // Nothing waits for the copy: the device's driver has taken the values when it returns.
  return result.to(result.options().device(device(gpu)), /*non_blocking=*/true);
}

}  // namespace

NATIVE(jlong, floats)(JNIEnv* env, jclass, jfloatArray values, jlongArray shape, jint gpu) {
  return guarded(env, [&] { return give(copied(env, values, &JNIEnv::GetFloatArrayRegion, at::kFloat, shape, gpu)); });
}

NATIVE(jlong, doubles)(JNIEnv* env, jclass, jdoubleArray values, jlongArray shape, jint gpu) {
  return guarded(env, [&] { return give(copied(env, values, &JNIEnv::GetDoubleArrayRegion, at::kDouble, shape, gpu)); });
}

NATIVE(jlong, longs)(JNIEnv* env, jclass, jlongArray values, jlongArray shape, jint gpu) {
  return guarded(env, [&] { return give(copied(env, values, &JNIEnv::GetLongArrayRegion, at::kLong, shape, gpu)); });
}

NATIVE(jlong, bytes)(JNIEnv* env, jclass, jbyteArray values, jlongArray shape, jint gpu) {
  return guarded(env, [&] { return give(copied(env, values, &JNIEnv::GetByteArrayRegion, at::kByte, shape, gpu)); });
}

NATIVE(jlong, zeros)(JNIEnv* env, jclass, jlongArray shape, jint gpu) {
  return guarded(env, [&] { return give(at::zeros(longs(env, shape), device(gpu))); });
}

NATIVE(jlong, copyOf)(JNIEnv* env, jclass, jlong x, jint gpu) {
  return guarded(env, [&] {
    const auto& source = tensor(x);
    return give(source.detach().to(source.options().device(device(gpu)), /*non_blocking=*/false, /*copy=*/true));
  });
}

// Returns whether gradients were recorded before, on the calling thread.
NATIVE(jboolean, setRecording)(JNIEnv*, jclass, jboolean on) {
  bool before = at::GradMode::is_enabled();
  at::GradMode::set_enabled(on);
  return before;
}

NATIVE(void, requireGradients)(JNIEnv* env, jclass, jlongArray parameters) {
  guarded(env, [&] {
    for (auto& parameter : tensors(env, parameters)) {
      parameter.requires_grad_(true);
    }
  });
}

NATIVE(void, dropGradients)(JNIEnv* env, jclass, jlongArray parameters) {
  guarded(env, [&] {
    for (auto& parameter : tensors(env, parameters)) {
      parameter.mutable_grad().reset();
    }
  });
}

// The gradient of a leaf; it shares the leaf's storage for as long as it lives.
NATIVE(jlong, gradient)(JNIEnv* env, jclass, jlong x) {
  return guarded(env, [&] {
    const auto& gradient = tensor(x).grad();
    TORCH_CHECK(gradient.defined(), "the tensor has no gradient");
    return give(gradient);
  });
}

NATIVE(void, backward)(JNIEnv* env, jclass, jlongArray outputs, jlongArray gradients) {
  guarded(env, [&] { torch::autograd::backward(tensors(env, outputs), tensors(env, gradients)); });
}
