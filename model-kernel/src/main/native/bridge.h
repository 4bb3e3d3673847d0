// Shared by all native methods: C++ exceptions become Java exceptions, strings and arrays are copied, objects owned by
// Java have handles.
//
// A native method is declared `private static native` in the Java class that owns the handle it works on; the file of its
// definition is named after that class. A tensor handle is a heap-allocated torch::Tensor*, owned by the DJL NDArray that
// adopts it. Every other handle is a bridge::Handle<T>*, owned by one Java object and counted; the count is zero when all
// are closed. The Java side ensures that no handle is freed while a call uses it.
#pragma once

#include <jni.h>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <atomic>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

// Begins the definition of io.github.rarspark.kernel.<owner>'s native method `name`; `owner` is package_Class.
#define RAR_NATIVE(result, owner, name) \
  extern "C" __attribute__((visibility("default"))) result JNICALL Java_io_github_rarspark_kernel_##owner##_##name

namespace bridge {

// ---- exceptions ----

// Thrown in C++ while a Java exception is pending, which is then what the caller sees.
struct PendingJavaException {};

inline void raise(JNIEnv* env, const char* type, const std::string& message) {
  if (env->ExceptionCheck()) {
    return;
  }
  jclass exception = env->FindClass(type);
  if (exception != nullptr) {
    env->ThrowNew(exception, message.substr(0, message.find('\n')).c_str());
  }
}

inline void raise_out_of_memory(JNIEnv* env, const std::string& message) {
  raise(env, "io/github/rarspark/kernel/error/NativeMemoryException", message);
}

// libtorch's CPU allocator has no exception type; its messages contain its name. Nor have CUDA's libraries, which allocate
// memory beside libtorch's.
inline void raise_failure(JNIEnv* env, const std::string& message) {
  size_t allocator = message.find("DefaultCPUAllocator: ");
  if (allocator != std::string::npos) {
    raise_out_of_memory(env, message.substr(allocator));
  } else if (message.find("CUDA error: out of memory") != std::string::npos ||
             message.find("STATUS_ALLOC_FAILED") != std::string::npos) {
    raise_out_of_memory(env, message);
  } else {
    raise(env, "io/github/rarspark/kernel/error/NativeException", message);
  }
}

// What libtorch's CUDA allocator says about the allocation and the device, without its advice on fragmentation.
inline std::string without_advice(const std::string& message) {
  const std::string last = " is free.";
  size_t end = message.find(last);
  return end == std::string::npos ? message : message.substr(0, end + last.size() - 1);
}

// Turns the C++ exception that is being handled into a Java exception.
inline void raise_current(JNIEnv* env) {
  try {
    throw;
  } catch (const PendingJavaException&) {
  } catch (const c10::DistError& error) {
    std::string message = error.what_without_backtrace();
    // Of CUDA's, which NCCL allocates with.
    if (message.find("out of memory") != std::string::npos) {
      raise_out_of_memory(env, message);
    } else {
      raise(env, "io/github/rarspark/kernel/error/CommunicationException", message);
    }
  } catch (const c10::OutOfMemoryError& error) {
    raise_out_of_memory(env, without_advice(error.what_without_backtrace()));
  } catch (const c10::Error& error) {
    raise_failure(env, error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    raise_out_of_memory(env, "the process is out of memory");
  } catch (const std::exception& error) {
    // Gloo's exceptions are of standard types, and their messages begin with the place in its sources.
    if (std::strstr(error.what(), "gloo/") != nullptr) {
      raise(env, "io/github/rarspark/kernel/error/CommunicationException", error.what());
    } else {
      raise_failure(env, error.what());
    }
  } catch (...) {
    raise(env, "io/github/rarspark/kernel/error/NativeException", "libtorch raised an exception of unknown type");
  }
}

// Runs `body`; a C++ exception becomes a Java exception and the result is zero.
template <typename Body>
auto guarded(JNIEnv* env, Body body) -> decltype(body()) {
  try {
    return body();
  } catch (...) {
    raise_current(env);
  }
  return decltype(body())();
}

// ---- strings and arrays, copied, so that no memory of the JVM is pinned or has to be released ----

inline void require_no_exception(JNIEnv* env) {
  if (env->ExceptionCheck()) {
    throw PendingJavaException();
  }
}

// The JVM crashes on a null array or string.
inline void require_not_null(JNIEnv* env, jobject argument, const char* type) {
  if (argument == nullptr) {
    raise(env, "java/lang/NullPointerException", std::string("a native method was given null for ") + type);
    throw PendingJavaException();
  }
}

inline std::string text(JNIEnv* env, jstring value) {
  require_not_null(env, value, "a string");
  std::string result(env->GetStringUTFLength(value), '\0');
  env->GetStringUTFRegion(value, 0, env->GetStringLength(value), result.data());
  require_no_exception(env);
  return result;
}

inline std::vector<int64_t> longs(JNIEnv* env, jlongArray array) {
  static_assert(sizeof(jlong) == sizeof(int64_t));
  require_not_null(env, array, "an array");
  std::vector<int64_t> values(env->GetArrayLength(array));
  env->GetLongArrayRegion(array, 0, static_cast<jsize>(values.size()), reinterpret_cast<jlong*>(values.data()));
  require_no_exception(env);
  return values;
}

// ---- tensors ----

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

inline std::vector<at::Tensor> tensors(JNIEnv* env, jlongArray handles) {
  std::vector<at::Tensor> result;
  for (int64_t handle : longs(env, handles)) {
    result.push_back(tensor(handle));
  }
  return result;
}

// Gives a tensor to Java.
inline jlong give(at::Tensor result) {
  return reinterpret_cast<jlong>(new at::Tensor(std::move(result)));
}

// Gives all tensors to Java, or none.
inline jlongArray give_all(JNIEnv* env, const std::vector<at::Tensor>& results) {
  std::vector<std::unique_ptr<at::Tensor>> owned;
  std::vector<jlong> handles;
  for (const auto& result : results) {
    owned.push_back(std::make_unique<at::Tensor>(result));
    handles.push_back(reinterpret_cast<jlong>(owned.back().get()));
  }
  auto count = static_cast<jsize>(handles.size());
  jlongArray array = env->NewLongArray(count);
  require_no_exception(env);
  env->SetLongArrayRegion(array, 0, count, handles.data());
  for (auto& result : owned) {
    static_cast<void>(result.release());
  }
  return array;
}

// ---- other objects ----

inline std::atomic<int64_t> live_handles{0};

// Owns one object on behalf of Java. Destroying it may throw where destroying T may.
template <typename T>
struct Handle {
  template <typename... Arguments>
  explicit Handle(Arguments&&... arguments) : value(std::forward<Arguments>(arguments)...) {
    ++live_handles;
  }
  ~Handle() noexcept(std::is_nothrow_destructible_v<T>) { --live_handles; }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  T value;
};

template <typename T, typename... Arguments>
jlong own(Arguments&&... arguments) {
  return reinterpret_cast<jlong>(new Handle<T>(std::forward<Arguments>(arguments)...));
}

template <typename T>
T& borrow(jlong handle) {
  return reinterpret_cast<Handle<T>*>(handle)->value;
}

template <typename T>
void release(jlong handle) {
  delete reinterpret_cast<Handle<T>*>(handle);
}

}  // namespace bridge
