// A double of c10d's NCCL process group, for machines without a GPU: what src/main/native-cuda uses of it, over Gloo.
// Its futures are complete before the collectives are; only a wait in blocking mode ends with the collective, a failure or
// the timeout; an abort ends a wait as if the collective had succeeded; and it can be told to hang, or to have no memory,
// while ranks connect.
#pragma once

#include "abortable_gloo.h"

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// What a test reads and sets, for the whole process.
extern "C" {
__attribute__((visibility("default"), used)) inline std::atomic<int> nccl_double_aborts{0};
__attribute__((visibility("default"), used)) inline std::atomic<int> nccl_double_shutdowns{0};
__attribute__((visibility("default"), used)) inline std::atomic<int> nccl_double_hangs{0}; // not zero: while connecting
__attribute__((visibility("default"), used)) inline std::atomic<int> nccl_double_full{0}; // not zero: while connecting
}

namespace c10d {

class ProcessGroupNCCL final : public Backend {
 public:
  struct Options : Backend::Options {
    Options() : Backend::Options("nccl") {}
    static c10::intrusive_ptr<Options> create() { return c10::make_intrusive<Options>(); }
    struct {
      int blocking = -1;
    } config;
  };

  ProcessGroupNCCL(const c10::intrusive_ptr<Store>& store, int rank, int size, c10::intrusive_ptr<Options> options)
      : Backend(rank, size), options_(std::move(options)) {
    const char* blocking_wait = std::getenv("TORCH_NCCL_BLOCKING_WAIT");
    TORCH_CHECK(options_->config.blocking == 1 && blocking_wait != nullptr && std::string(blocking_wait) == "1",
                "without blocking calls and waits it behaves in other ways");
    TORCH_CHECK(std::getenv("NCCL_ALGO") != nullptr, "NVLink's switches may add up in any order");
    auto gloo = ProcessGroupGloo::Options::create(std::chrono::minutes(10));
    gloo->devices.push_back(ProcessGroupGloo::createDeviceForHostname("127.0.0.1"));
    gloo_ = c10::make_intrusive<AbortableGloo>(
        c10::make_intrusive<ProcessGroupGloo>(c10::make_intrusive<PrefixStore>("gloo", store), rank, size, gloo), rank,
        size);
  }

  const std::string getBackendName() const override { return "nccl"; }

  void eagerConnectSingleDevice(at::Device) override {
    while (nccl_double_hangs != 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    TORCH_CHECK_WITH(DistBackendError, nccl_double_full == 0, "NCCL error\nLast error:\nCuda failure 2 'out of memory'");
  }

  c10::intrusive_ptr<Work> broadcast(std::vector<at::Tensor>& tensors, const BroadcastOptions& options) override {
    return begin(gloo_->broadcast(tensors, options), tensors);
  }

  c10::intrusive_ptr<Work> allreduce(std::vector<at::Tensor>& tensors, const AllreduceOptions& options = {}) override {
    return begin(gloo_->allreduce(tensors, options), tensors);
  }

  c10::intrusive_ptr<Work> barrier(const BarrierOptions& options) override {
    return begin(gloo_->barrier(options), {});
  }

  void abort() override {
    ++nccl_double_aborts;
    gloo_->abort();
    *aborted_ = true;
  }

  void shutdown() override { ++nccl_double_shutdowns; }

 private:
  class BlockingWork final : public Work {
   public:
    BlockingWork(c10::intrusive_ptr<Work> gloo, const std::vector<at::Tensor>& tensors, std::chrono::milliseconds timeout,
                 std::shared_ptr<std::atomic<bool>> aborted)
        : gloo_(std::move(gloo)),
          told_(c10::make_intrusive<c10::ivalue::Future>(c10::ListType::create(c10::TensorType::get()))),
          timeout_(timeout),
          aborted_(std::move(aborted)) {
      told_->markCompleted(c10::IValue(tensors));
    }

    bool wait(std::chrono::milliseconds) override {
      auto result = gloo_->getFuture();
      while (!result->completed()) {
        TORCH_CHECK_WITH(DistBackendError, std::chrono::steady_clock::now() - begun_ < timeout_, "timed out after ",
                         timeout_.count(), " ms in blocking wait");
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      TORCH_CHECK_WITH(DistBackendError, !result->hasError() || *aborted_, "NCCL error\nLast error:\na remote process exited");
      return true;
    }

    c10::intrusive_ptr<c10::ivalue::Future> getFuture() override { return told_; }

   private:
    c10::intrusive_ptr<Work> gloo_;
    c10::intrusive_ptr<c10::ivalue::Future> told_;
    std::chrono::milliseconds timeout_;
    std::shared_ptr<std::atomic<bool>> aborted_;
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  };

  c10::intrusive_ptr<Work> begin(c10::intrusive_ptr<Work> gloo, const std::vector<at::Tensor>& tensors) {
    return c10::make_intrusive<BlockingWork>(std::move(gloo), tensors, options_->timeout, aborted_);
  }

  c10::intrusive_ptr<Options> options_;
  c10::intrusive_ptr<AbortableGloo> gloo_;
  std::shared_ptr<std::atomic<bool>> aborted_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace c10d
