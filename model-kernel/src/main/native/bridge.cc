#include "bridge.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>

#include <cstring>
#include <new>

// Two symbols that newer compilers ask of the system's libraries, so that the library loads with glibc 2.31 and the
// libstdc++ of GCC 10. The flag means "more than one thread".
extern "C" {
__attribute__((visibility("hidden"))) char __libc_single_threaded = 0;
}
namespace std {
[[noreturn]] void __throw_bad_array_new_length() {
  throw bad_array_new_length();
}
}  // namespace std

namespace bridge {

std::atomic<int64_t> live_handles{0};

std::vector<int64_t> longs(JNIEnv* env, jlongArray array) {
  std::vector<int64_t> values(env->GetArrayLength(array));
  static_assert(sizeof(jlong) == sizeof(int64_t));
  env->GetLongArrayRegion(array, 0, static_cast<jsize>(values.size()), reinterpret_cast<jlong*>(values.data()));
  return values;
}

std::vector<at::Tensor> tensors(JNIEnv* env, jlongArray handles) {
  std::vector<at::Tensor> result;
  for (int64_t handle : longs(env, handles)) {
    result.push_back(tensor(handle));
  }
  return result;
}

std::string text(JNIEnv* env, jstring value) {
  const char* chars = env->GetStringUTFChars(value, nullptr);
  TORCH_CHECK(chars != nullptr, "the JVM is out of memory for a string");
  std::string result(chars);
  env->ReleaseStringUTFChars(value, chars);
  return result;
}

jlongArray give_all(JNIEnv* env, std::vector<at::Tensor> results) {
  auto count = static_cast<jsize>(results.size());
  jlongArray array = env->NewLongArray(count);
  if (array == nullptr) {
    return nullptr;
  }
  std::vector<std::unique_ptr<at::Tensor>> owned;
  for (auto& result : results) {
    owned.push_back(std::make_unique<at::Tensor>(std::move(result)));
  }
  std::vector<jlong> handles;
  for (const auto& tensor : owned) {
    handles.push_back(reinterpret_cast<jlong>(tensor.get()));
  }
  env->SetLongArrayRegion(array, 0, count, handles.data());
  for (auto& tensor : owned) {
    static_cast<void>(tensor.release());
  }
  return array;
}

static void raise(JNIEnv* env, const char* type, const char* message) {
  if (env->ExceptionCheck()) {
    return;
  }
  const char* end = std::strchr(message, '\n');
  std::string first_line = end == nullptr ? std::string(message) : std::string(message, end);
  jclass exception = env->FindClass(type);
  if (exception != nullptr) {
    env->ThrowNew(exception, first_line.c_str());
  }
}

void raise_native(JNIEnv* env, const char* message) {
  raise(env, "io/github/rarspark/kernel/error/NativeException", message);
}

void raise_communication(JNIEnv* env, const char* message) {
  raise(env, "io/github/rarspark/kernel/error/CommunicationException", message);
}

bool is_from_gloo(const char* message) {
  return std::strstr(message, "gloo/") != nullptr;
}

}  // namespace bridge

using namespace bridge;

RAR_NATIVE(jstring, sourceHash)(JNIEnv* env, jclass) {
  return env->NewStringUTF(RAR_SOURCE_HASH);
}

RAR_NATIVE(jlong, liveHandles)(JNIEnv*, jclass) {
  return live_handles.load();
}

RAR_NATIVE(void, setIntraOpThreads)(JNIEnv* env, jclass, jint threads) {
  guarded(env, [&] { at::set_num_threads(threads); });
}

RAR_NATIVE(jint, intraOpThreads)(JNIEnv*, jclass) {
  return at::get_num_threads();
}

// Returns whether gradients were recorded before, on the calling thread.
RAR_NATIVE(jboolean, setGradMode)(JNIEnv*, jclass, jboolean on) {
  bool before = at::GradMode::is_enabled();
  at::GradMode::set_enabled(on);
  return before;
}

RAR_NATIVE(void, setDeterministic)(JNIEnv* env, jclass, jboolean on) {
  guarded(env, [&] {
    at::globalContext().setDeterministicAlgorithms(on, /*warn_only=*/false);
    // Filling fresh memory with NaN finds mistakes, but costs a pass over every result.
    at::globalContext().setDeterministicFillUninitializedMemory(false);
  });
}

RAR_NATIVE(jboolean, isDeterministic)(JNIEnv*, jclass) {
  return at::globalContext().deterministicAlgorithms();
}

// Returns whether autocast was on before, for autocastExit.
RAR_NATIVE(jboolean, autocastEnter)(JNIEnv* env, jclass, jboolean cuda) {
  return guarded(env, [&]() -> jboolean {
    auto device = cuda ? at::kCUDA : at::kCPU;
    bool before = at::autocast::is_autocast_enabled(device);
    at::autocast::set_autocast_dtype(device, at::kBFloat16);
    at::autocast::set_autocast_enabled(device, true);
    at::autocast::increment_nesting();
    return before;
  });
}

RAR_NATIVE(void, autocastExit)(JNIEnv* env, jclass, jboolean cuda, jboolean before) {
  guarded(env, [&] {
    at::autocast::set_autocast_enabled(cuda ? at::kCUDA : at::kCPU, before);
    if (at::autocast::decrement_nesting() == 0) {
      at::autocast::clear_cache();
    }
  });
}
