// ProcessGroupGloo with an abort. Gloo's own wait for a rank that has stopped ends only with the group's timeout.
#pragma once

#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

class AbortableGloo final : public c10d::Backend {
 public:
  using Gloo = c10::intrusive_ptr<c10d::ProcessGroupGloo>;

  AbortableGloo(Gloo gloo, int rank, int size) : Backend(rank, size), gloo_(std::move(gloo)) {}

  // Gloo's destructor waits for its running collectives, which after an abort may take until the group's timeout.
  ~AbortableGloo() override {
    if (pending_->is_aborted()) {
      std::thread([](Gloo) {}, std::move(gloo_)).detach();
    }
  }

  AbortableGloo(const AbortableGloo&) = delete;
  AbortableGloo& operator=(const AbortableGloo&) = delete;

  const std::string getBackendName() const override { return gloo_->getBackendName(); }

  c10::intrusive_ptr<c10d::Work> broadcast(std::vector<at::Tensor>& tensors,
                                           const c10d::BroadcastOptions& options) override {
    return pending_->add(gloo_->broadcast(tensors, options));
  }

  c10::intrusive_ptr<c10d::Work> allreduce(std::vector<at::Tensor>& tensors,
                                           const c10d::AllreduceOptions& options) override {
    return pending_->add(gloo_->allreduce(tensors, options));
  }

  c10::intrusive_ptr<c10d::Work> barrier(const c10d::BarrierOptions& options) override {
    return pending_->add(gloo_->barrier(options));
  }

  // Its futures are complete when the collectives are, and whoever needs those waits for them.
  void waitForPendingWorks() override {}

  // Fails all running and later collectives of this rank. Thread-safe.
  void abort() override { pending_->abort(); }

 private:
  using Future = c10::ivalue::Future;

  // The collectives that callers wait for. Gloo's threads complete them, which may outlive the backend.
  class Pending : public std::enable_shared_from_this<Pending> {
   public:
    // A collective that ends with `work` or with the abort, whichever comes first.
    c10::intrusive_ptr<c10d::Work> add(const c10::intrusive_ptr<c10d::Work>& work) {
      auto source = work->getFuture();
      auto result = source->createInstance(source->elementType());
      bool running;
      {
        std::lock_guard<std::mutex> lock(mutex_);
        running = !aborted_;
        if (running) {
          futures_.insert(result);
        }
      }
      if (running) {
        source->addCallback([self = shared_from_this(), result](Future& done) { self->complete(result, done); });
      } else {
        result->setError(aborted());
      }
      return c10d::Work::create_from_future(result);
    }

    void abort() {
      std::unordered_set<c10::intrusive_ptr<Future>> futures;
      {
        std::lock_guard<std::mutex> lock(mutex_);
        aborted_ = true;
        futures.swap(futures_);
      }
      for (const auto& future : futures) {
        future->setError(aborted());
      }
    }

    bool is_aborted() {
      std::lock_guard<std::mutex> lock(mutex_);
      return aborted_;
    }

   private:
    void complete(const c10::intrusive_ptr<Future>& future, Future& done) {
      {
        std::lock_guard<std::mutex> lock(mutex_);
        if (futures_.erase(future) == 0) {
          return;
        }
      }
      if (done.hasError()) {
        future->setError(of_c10d(done.exception_ptr()));
      } else {
        future->markCompleted(done.value());
      }
    }

    // Gloo's exceptions are of standard types.
    static std::exception_ptr of_c10d(const std::exception_ptr& failure) {
      try {
        std::rethrow_exception(failure);
      } catch (const c10::Error&) {
        return failure;
      } catch (const std::bad_alloc&) {
        return failure;
      } catch (const std::exception& error) {
        return std::make_exception_ptr(c10::DistError({__func__, __FILE__, __LINE__}, error.what()));
      }
    }

    static std::exception_ptr aborted() {
      return std::make_exception_ptr(
          c10::DistError({__func__, __FILE__, __LINE__}, "the process group was aborted"));
    }

    std::mutex mutex_;
    bool aborted_ = false;
    std::unordered_set<c10::intrusive_ptr<Future>> futures_;
  };

  Gloo gloo_;
  std::shared_ptr<Pending> pending_ = std::make_shared<Pending>();
};
