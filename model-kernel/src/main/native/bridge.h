// What every part of the bridge shares: exceptions to Java, owned handles, arrays from Java.
//
// A tensor handle is a heap-allocated torch::Tensor*, owned by the DJL NDArray that adopts it. Every other handle is a
// bridge::Handle<T>*, owned by one Java object and counted; the count is zero when all are closed.
#pragma once

#include <jni.h>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <atomic>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#define RAR_NATIVE(type, name) \
  extern "C" __attribute__((visibility("default"))) type JNICALL Java_io_github_rarspark_kernel_jni_Bridge_##name

namespace bridge {

extern std::atomic<int64_t> live_handles;

// Owns one object on behalf of Java.
template <typename T>
struct Handle {
  explicit Handle(T object) : value(std::move(object)) { ++live_handles; }
  ~Handle() { --live_handles; }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  T value;
};

template <typename T>
jlong own(T object) {
  return reinterpret_cast<jlong>(new Handle<T>(std::move(object)));
}

template <typename T>
T& borrow(jlong handle) {
  TORCH_CHECK(handle != 0, "the native object is closed");
  return reinterpret_cast<Handle<T>*>(handle)->value;
}

template <typename T>
void release(jlong handle) {
  delete reinterpret_cast<Handle<T>*>(handle);
}

inline const at::Tensor& tensor(jlong handle) {
  TORCH_CHECK(handle != 0, "the tensor is closed");
  return *reinterpret_cast<at::Tensor*>(handle);
}

inline std::optional<at::Tensor> optional_tensor(jlong handle) {
  if (handle == 0) {
    return std::nullopt;
  }
  return tensor(handle);
}

inline jlong give(at::Tensor result) {
  return reinterpret_cast<jlong>(new at::Tensor(std::move(result)));
}

std::vector<int64_t> longs(JNIEnv* env, jlongArray array);
std::vector<at::Tensor> tensors(JNIEnv* env, jlongArray handles);
std::string text(JNIEnv* env, jstring value);

// As `give`, for several results. Null, and nothing given, if the JVM is out of memory for the array.
jlongArray give_all(JNIEnv* env, std::vector<at::Tensor> results);

// Raise an exception of io.github.rarspark.kernel.error with the first line of the message.
void raise_native(JNIEnv* env, const char* message);
void raise_communication(JNIEnv* env, const char* message);

// Whether a failure without a type of its own comes from Gloo, whose messages begin with the place in its sources.
bool is_from_gloo(const char* message);

// Runs `body`; a C++ exception becomes a Java exception and the result is zero.
template <typename Body>
auto guarded(JNIEnv* env, Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const c10::DistError& error) {
    raise_communication(env, error.what_without_backtrace());
  } catch (const c10::Error& error) {
    raise_native(env, error.what_without_backtrace());
  } catch (const std::exception& error) {
    (is_from_gloo(error.what()) ? raise_communication : raise_native)(env, error.what());
  } catch (...) {
    raise_native(env, "libtorch raised an exception of unknown type");
  }
  return decltype(body())();
}

}  // namespace bridge
