// Settings of libtorch, of the thread and of the process: NativeLibrary, Handles, Torch, DeterministicMode, Tf32,
// Autocast.
#include "bridge.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include <malloc.h>
#include <unistd.h>

#include <cstdlib>
#include <mutex>

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

using namespace bridge;

namespace {

// Tensors of every step have the sizes of those before, so freed memory is kept for them: returning it to the kernel
// costs a page fault, with a page to clear, for each 4 KiB of the next. Huge pages make the first faults rare. What the
// environment sets stays.
void keep_freed_memory() {
  constexpr int kNever = 1 << 30;
  if (std::getenv("MALLOC_TRIM_THRESHOLD_") == nullptr && std::getenv("MALLOC_MMAP_THRESHOLD_") == nullptr) {
    mallopt(M_TRIM_THRESHOLD, kNever);
    if (mallopt(M_MMAP_THRESHOLD, kNever) == 0) {
      mallopt(M_MMAP_THRESHOLD, 32 << 20); // the most that older versions of glibc accept
    }
  }
  setenv("THP_MEM_ALLOC_ENABLE", "1", /*overwrite=*/0); // libtorch reads it when it allocates its first tensor
}

// float32 on a GPU is float32: not TF32, which libtorch lets cuDNN use unless told otherwise.
void allow_tf32(bool allowed) {
  at::globalContext().setAllowTF32CuDNN(allowed);
  at::globalContext().setAllowTF32CuBLAS(allowed);
}

}  // namespace

// Called when the library is loaded.
extern "C" __attribute__((visibility("default"))) jint JNICALL JNI_OnLoad(JavaVM*, void*) {
  keep_freed_memory();
  allow_tf32(false);
  // Some convolutions of cuDNN's add up in another order each time, and a shard that is made again has to be the same bytes.
  at::globalContext().setDeterministicCuDNN(true);
  // cuBLAS computes deterministically with this only, and reads it when it is first used.
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  return JNI_VERSION_10;
}

RAR_NATIVE(jstring, tensor_NativeLibrary, sourceHash)(JNIEnv* env, jclass) {
  return env->NewStringUTF(RAR_SOURCE_HASH);
}

RAR_NATIVE(jlong, tensor_Handles, liveObjects)(JNIEnv*, jclass) {
  return live_handles.load();
}

RAR_NATIVE(void, tensor_Torch, setThreads)(JNIEnv* env, jclass, jint threads) {
  guarded(env, [&] { at::set_num_threads(threads); });
}

RAR_NATIVE(jint, tensor_Torch, threads)(JNIEnv*, jclass) {
  return at::get_num_threads();
}

RAR_NATIVE(jint, tensor_Torch, nativeGpus)(JNIEnv* env, jclass) {
  return guarded(env, [&]() -> jint {
    const auto& cuda = at::detail::getCUDAHooks();
    return cuda.hasCUDA() ? cuda.getNumGPUs() : 0;
  });
}

RAR_NATIVE(jboolean, tensor_Torch, deterministicConvolutions)(JNIEnv*, jclass) {
  return at::globalContext().deterministicCuDNN();
}

RAR_NATIVE(void, tensor_Torch, awaitGpu)(JNIEnv* env, jclass, jint index) {
  guarded(env, [&] { at::detail::getCUDAHooks().deviceSynchronize(static_cast<at::DeviceIndex>(index)); });
}

// Not exit(), which would destroy libtorch's statics while other threads use them.
RAR_NATIVE(void, tensor_Torch, exitProcess)(JNIEnv*, jclass, jint code) {
  _exit(code);
}

namespace {

// A setting of libtorch's, one for the process, that is on while a Java object demands it.
class Demanded {
 public:
  explicit Demanded(void (*set)(bool)) : set_(set) {}

  void change(int64_t by) {
    std::lock_guard<std::mutex> lock(mutex_);
    demands_ += by;
    set_(demands_ > 0);
  }

 private:
  std::mutex mutex_;
  int64_t demands_ = 0;
  void (*set_)(bool);
};

Demanded deterministic([](bool on) {
  at::globalContext().setDeterministicAlgorithms(on, /*warn_only=*/false);
  // Filling fresh memory with NaN finds mistakes, but costs a pass over every result.
  at::globalContext().setDeterministicFillUninitializedMemory(false);
});

Demanded tf32(allow_tf32);

}  // namespace

RAR_NATIVE(void, tensor_DeterministicMode, enter)(JNIEnv* env, jclass) {
  guarded(env, [&] { deterministic.change(1); });
}

RAR_NATIVE(void, tensor_DeterministicMode, exit)(JNIEnv* env, jclass) {
  guarded(env, [&] { deterministic.change(-1); });
}

RAR_NATIVE(jboolean, tensor_DeterministicMode, on)(JNIEnv*, jclass) {
  return at::globalContext().deterministicAlgorithms();
}

RAR_NATIVE(void, tensor_Tf32, enter)(JNIEnv* env, jclass) {
  guarded(env, [&] { tf32.change(1); });
}

RAR_NATIVE(void, tensor_Tf32, exit)(JNIEnv* env, jclass) {
  guarded(env, [&] { tf32.change(-1); });
}

RAR_NATIVE(jboolean, tensor_Tf32, on)(JNIEnv*, jclass) {
  return at::globalContext().allowTF32CuDNN() && at::globalContext().allowTF32CuBLAS();
}

// Returns whether autocast was on before, for exit.
RAR_NATIVE(jboolean, tensor_Autocast, enter)(JNIEnv* env, jclass, jboolean cuda) {
  return guarded(env, [&]() -> jboolean {
    auto device = cuda ? at::kCUDA : at::kCPU;
    bool before = at::autocast::is_autocast_enabled(device);
    at::autocast::set_autocast_dtype(device, at::kBFloat16);
    at::autocast::set_autocast_enabled(device, true);
    at::autocast::increment_nesting();
    return before;
  });
}

RAR_NATIVE(void, tensor_Autocast, exit)(JNIEnv* env, jclass, jboolean cuda, jboolean before) {
  guarded(env, [&] {
    at::autocast::set_autocast_enabled(cuda ? at::kCUDA : at::kCPU, before);
    if (at::autocast::decrement_nesting() == 0) {
      at::autocast::clear_cache();
    }
  });
}
