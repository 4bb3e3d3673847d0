// NCCL as a c10d backend whose calls end: with the collective, with its failure, with the group's timeout, or with an
// abort. It has no JNI: the bridge owns it, and turns its exceptions into Java's.
#include "../native/nccl_backend.h"

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// NativeLibraryTest looks for it in the file: without CUDA the library cannot be loaded to be asked.
extern "C" __attribute__((visibility("default"), used)) const char rar_nccl_source_hash[] = "sources " RAR_SOURCE_HASH;

// A symbol that newer compilers ask of the system's libraries, so that the library loads with glibc 2.31. The flag means
// "more than one thread".
extern "C" {
__attribute__((visibility("hidden"))) char __libc_single_threaded = 0;
}

namespace {

// Settings of ProcessGroupNCCL, which reads them from the environment whenever a group is made, and of NCCL.
//
// Blocking wait: WorkNCCL::wait returns when the GPU has done the collective, and throws in the calling thread if the
// communicator reports an error, such as a lost rank, or the timeout has passed. Without it, wait only orders streams, and
// a failure is left to a watchdog thread, which ends the whole process.
// With it, libtorch 2.7.1 starts neither the watchdog nor the thread that monitors it, so these mean nothing here:
// TORCH_NCCL_ASYNC_ERROR_HANDLING (by default the watchdog rethrows a failure, which ends the process),
// TORCH_NCCL_ENABLE_MONITORING and TORCH_NCCL_HEARTBEAT_TIMEOUT_SEC (the monitor aborts the process when the watchdog
// hangs), TORCH_NCCL_DUMP_ON_TIMEOUT and TORCH_NCCL_PROPAGATE_ERROR (the watchdog writes a trace; tells other ranks).
void set_environment() {
  setenv("TORCH_NCCL_BLOCKING_WAIT", "1", /*overwrite=*/1);
  // The switches of NVLink may add up in another order each time, and resumed weights have to be the same bytes. NCCL
  // compares whole names, and reads them when a communicator is made.
  setenv("NCCL_ALGO", "^NVLS,NVLSTree", /*overwrite=*/0);
}

constexpr int64_t kLarge = 25 << 18; // float32 values, 25 MiB: as many as a bucket of gradients has

c10::intrusive_ptr<c10d::ProcessGroupNCCL::Options> options(std::chrono::milliseconds timeout) {
  auto result = c10d::ProcessGroupNCCL::Options::create();
  result->timeout = timeout;
  // NCCL 2.26, which libtorch 2.7.1 comes with, hangs at random in non-blocking mode (pytorch issue 153960). In blocking
  // mode its calls may wait for another rank without limit; see `limited`.
  result->config.blocking = 1;
  return result;
}

// NCCL's failures have their reason in the last of several lines, and Java gets the first.
template <typename Call>
auto in_one_line(Call call) -> decltype(call()) {
  try {
    return call();
  } catch (const c10::DistError& failure) {
    std::string message = failure.what_without_backtrace();
    std::replace(message.begin(), message.end(), '\n', ' ');
    throw c10::DistError({__func__, __FILE__, __LINE__}, message);
  }
}

class NcclBackend final : public c10d::Backend {
 public:
  using Nccl = c10::intrusive_ptr<c10d::ProcessGroupNCCL>;
  using Work = c10::intrusive_ptr<c10d::Work>;

  NcclBackend(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size, std::chrono::milliseconds timeout)
      : Backend(rank, size),
        timeout_(timeout),
        nccl_(c10::make_intrusive<c10d::ProcessGroupNCCL>(c10::make_intrusive<c10d::PrefixStore>("nccl", store), rank,
                                                          size, options(timeout))) {}

  // A shutdown still sends what other ranks need to end the last collective; where one has not ended here, it would wait.
  ~NcclBackend() override {
    try {
      limited("to close", [nccl = nccl_, intact = settled_ && !aborted_] { intact ? nccl->shutdown() : nccl->abort(); });
    } catch (const std::exception& error) {
      TORCH_WARN("a process group was not closed properly: ", error.what());
    }
  }

  NcclBackend(const NcclBackend&) = delete;
  NcclBackend& operator=(const NcclBackend&) = delete;

  // Makes the connections, which NCCL would put off until a collective first uses them: it has algorithms for small and for
  // large tensors, each with its own.
  void connect(c10::Device device) {
    settled_ = false;
    in_one_line([&] {
      limited("to connect to the other ranks", [nccl = nccl_, device] {
        nccl->eagerConnectSingleDevice(device);
        for (int64_t size : {int64_t{1}, kLarge}) {
          std::vector<at::Tensor> tensors{at::zeros({size}, device)};
          nccl->allreduce(tensors)->wait();
        }
      });
    });
    settled_ = true;
  }

  const std::string getBackendName() const override { return nccl_->getBackendName(); }

  Work broadcast(std::vector<at::Tensor>& tensors, const c10d::BroadcastOptions& options) override {
    return begin([&] { return nccl_->broadcast(tensors, options); });
  }

  Work allreduce(std::vector<at::Tensor>& tensors, const c10d::AllreduceOptions& options) override {
    return begin([&] { return nccl_->allreduce(tensors, options); });
  }

  Work barrier(const c10d::BarrierOptions& options) override {
    return begin([&] { return nccl_->barrier(options); });
  }

  // The futures of NCCL's collectives are complete as soon as the GPU has been told to begin.
  void waitForPendingWorks() override {
    std::vector<Work> works;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      works.swap(pending_);
    }
    try {
      for (const auto& work : works) {
        in_one_line([&] { work->wait(); });
      }
    } catch (...) {
      require_not_aborted();
      throw;
    }
    require_not_aborted(); // after an abort, collectives end as if they had succeeded
    if (!works.empty()) {
      settled_ = true;
    }
  }

  // Fails all running and later collectives of this rank. Thread-safe.
  void abort() override {
    aborted_ = true;
    limited("to abort", [nccl = nccl_] { nccl->abort(); });
  }

 private:
  template <typename Collective>
  Work begin(Collective collective) {
    require_not_aborted();
    settled_ = false;
    auto work = in_one_line(collective);
    std::lock_guard<std::mutex> lock(mutex_);
    pending_.push_back(work);
    return work;
  }

  void require_not_aborted() const { TORCH_CHECK_WITH(DistError, !aborted_, "the process group was aborted"); }

  // Makes calls that may never return in a thread of their own, which is left behind when the group's timeout has passed.
  void limited(const char* purpose, std::function<void()> calls) const {
    struct State {
      std::exception_ptr failure;
      std::atomic<bool> done{false};
    };
    auto state = std::make_shared<State>();
    auto end = std::chrono::steady_clock::now() + timeout_;
    std::thread([state, calls = std::move(calls)]() mutable {
      try {
        calls();
      } catch (...) {
        state->failure = std::current_exception();
      }
      calls = nullptr; // with what it owns of the group
      state->done = true;
    }).detach();
    while (!state->done) {
      TORCH_CHECK_WITH(DistError, std::chrono::steady_clock::now() < end, "NCCL took longer than ", timeout_.count(),
                       " ms ", purpose);
      std::this_thread::sleep_for(std::chrono::milliseconds(1)); // a condition variable would need glibc 2.34
    }
    if (state->failure) {
      std::rethrow_exception(state->failure);
    }
  }

  const std::chrono::milliseconds timeout_;
  const Nccl nccl_;
  std::atomic<bool> settled_{true}; // whether all collectives have ended, without a failure
  std::atomic<bool> aborted_{false};
  std::mutex mutex_;
  std::vector<Work> pending_; // begun and not yet waited for
};

}  // namespace

extern "C" __attribute__((visibility("default"))) NcclBackendFactory rar_nccl_backend;

c10::intrusive_ptr<c10d::Backend> rar_nccl_backend(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size,
                                                   c10::DeviceIndex device, std::chrono::milliseconds timeout) {
  set_environment();
  auto backend = c10::make_intrusive<NcclBackend>(store, rank, size, timeout);
  backend->connect(c10::Device(c10::kCUDA, device));
  return backend;
}
