// RendezvousStore, ProcessGroup and GradientReducer: c10d's TCPStore, ProcessGroupGloo and the reducer of
// DistributedDataParallel. NcclLibrary: the library with ProcessGroupNCCL.
#include "abortable_gloo.h"
#include "bridge.h"
#include "nccl_backend.h"

#include <ATen/DynamicLibrary.h>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>

#include <arpa/inet.h>
#include <link.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

namespace {

using Store = c10::intrusive_ptr<c10d::Store>;
using Group = c10::intrusive_ptr<c10d::ProcessGroup>;

// A reducer that keeps the buckets it was given. Until its base class has rebuilt them, which only DistributedDataParallel
// triggers, it would record every parameter of every backward pass and grow.
class Reducer : public c10d::Reducer {
 public:
  template <typename... Arguments>
  explicit Reducer(Arguments&&... arguments) : c10d::Reducer(std::forward<Arguments>(arguments)...) {
    has_rebuilt_bucket_ = true;
    // Divides whole buckets in every pass. By itself, the reducer multiplies by the inverse when it fills a bucket for the
    // first time and divides later, so that a resumed run would have other bits.
    register_builtin_comm_hook(c10d::BuiltinCommHookType::ALLREDUCE);
  }
};

// A failure to destroy it has to reach Java; an exception that leaves a noexcept destructor ends the process.
static_assert(!std::is_nothrow_destructible_v<bridge::Handle<Reducer>>);

// A socket that listens on `host` only, on a free port; TCPStore's own would listen on every address.
int listen_on(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  int failure = getaddrinfo(host.c_str(), "0", &hints, &found);
  TORCH_CHECK(failure == 0, "cannot resolve ", host, ": ", gai_strerror(failure));
  int descriptor = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol);
  bool listening = descriptor >= 0 && bind(descriptor, found->ai_addr, found->ai_addrlen) == 0 &&
                   listen(descriptor, 1024) == 0;
  int error = errno;
  freeaddrinfo(found);
  if (!listening && descriptor >= 0) {
    close(descriptor);
  }
  TORCH_CHECK(listening, "cannot listen on ", host, ": ", std::strerror(error));
  return descriptor;
}

// Waits for a collective. Not with Future::waitAndThrow, whose inline code would need a newer libstdc++.
void wait(const Group& group, const c10::intrusive_ptr<c10d::Work>& work) {
  group->waitForPendingWorks();
  work->wait();
  auto future = work->getFuture();
  if (future->hasError()) {
    std::rethrow_exception(future->exception_ptr());
  }
}

}  // namespace

using namespace bridge;

RAR_NATIVE(jlong, dist_RendezvousStore, serve)(JNIEnv* env, jclass, jstring host, jlong timeout_millis) {
  return guarded(env, [&] {
    std::string address = text(env, host);
    c10d::TCPStoreOptions options;
    options.isServer = true;
    options.waitWorkers = false;
    options.useLibUV = false;
    options.timeout = std::chrono::milliseconds(timeout_millis);
    options.masterListenFd = listen_on(address);
    sockaddr_storage bound{};
    socklen_t length = sizeof(bound);
    getsockname(*options.masterListenFd, reinterpret_cast<sockaddr*>(&bound), &length);
    options.port = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                                                     : reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
    return own<Store>(c10::make_intrusive<c10d::TCPStore>(address, options));
  });
}

RAR_NATIVE(jlong, dist_RendezvousStore, connect)(JNIEnv* env, jclass, jstring host, jint port, jlong timeout_millis) {
  return guarded(env, [&] {
    c10d::TCPStoreOptions options;
    options.port = static_cast<uint16_t>(port);
    options.waitWorkers = false;
    options.useLibUV = false;
    options.timeout = std::chrono::milliseconds(timeout_millis);
    return own<Store>(c10::make_intrusive<c10d::TCPStore>(text(env, host), options));
  });
}

RAR_NATIVE(jint, dist_RendezvousStore, port)(JNIEnv* env, jclass, jlong store) {
  return guarded(env, [&]() -> jint { return static_cast<c10d::TCPStore&>(*borrow<Store>(store)).getPort(); });
}

RAR_NATIVE(void, dist_RendezvousStore, free)(JNIEnv* env, jclass, jlong store) {
  guarded(env, [&] { release<Store>(store); });
}

RAR_NATIVE(void, dist_RendezvousStore, put)(JNIEnv* env, jclass, jlong store, jstring key, jstring value) {
  guarded(env, [&] { borrow<Store>(store)->set(text(env, key), text(env, value)); });
}

RAR_NATIVE(jstring, dist_RendezvousStore, await)(JNIEnv* env, jclass, jlong store, jstring key) {
  return guarded(env, [&] { return env->NewStringUTF(borrow<Store>(store)->get_to_str(text(env, key)).c_str()); });
}

RAR_NATIVE(jboolean, dist_NcclLibrary, libtorchHasCuda)(JNIEnv*, jclass) {
  return dl_iterate_phdr(
      [](dl_phdr_info* library, size_t, void*) -> int {
        return std::strstr(library->dlpi_name, "/libtorch_cuda.so") != nullptr;
      },
      nullptr) != 0;
}

RAR_NATIVE(jlong, dist_NcclLibrary, open)(JNIEnv* env, jclass, jstring file) {
  return guarded(env, [&] {
    at::DynamicLibrary library(text(env, file).c_str(), /*alt_name=*/nullptr, /*leak_handle=*/true);
    return reinterpret_cast<jlong>(library.sym(kNcclBackendFactory));
  });
}

RAR_NATIVE(jlong, dist_ProcessGroup, joinNccl)(JNIEnv* env, jclass, jlong store, jint rank, jint world_size, jint device,
                                               jlong timeout_millis, jlong factory) {
  return guarded(env, [&] {
    const auto& shared = borrow<Store>(store);
    auto group = c10::make_intrusive<c10d::ProcessGroup>(shared, rank, world_size);
    group->setBackend(c10::DeviceType::CUDA, c10d::ProcessGroup::BackendType::NCCL,
                      reinterpret_cast<NcclBackendFactory*>(factory)(shared, rank, world_size,
                                                                     static_cast<c10::DeviceIndex>(device),
                                                                     std::chrono::milliseconds(timeout_millis)));
    group->setDefaultBackend(c10d::ProcessGroup::BackendType::NCCL);
    return own<Group>(std::move(group));
  });
}

RAR_NATIVE(jlong, dist_ProcessGroup, joinGloo)(JNIEnv* env, jclass, jlong store, jint rank, jint world_size, jstring host,
                                               jlong timeout_millis, jboolean cuda) {
  return guarded(env, [&] {
    auto options = c10d::ProcessGroupGloo::Options::create(std::chrono::milliseconds(timeout_millis));
    options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(text(env, host)));
    const auto& shared = borrow<Store>(store);
    auto gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(shared, rank, world_size, options);
    auto group = c10::make_intrusive<c10d::ProcessGroup>(shared, rank, world_size);
    auto backend = c10::make_intrusive<AbortableGloo>(std::move(gloo), rank, world_size);
    group->setBackend(cuda ? c10::DeviceType::CUDA : c10::DeviceType::CPU, c10d::ProcessGroup::BackendType::GLOO,
                      std::move(backend));
    group->setDefaultBackend(c10d::ProcessGroup::BackendType::GLOO);
    return own<Group>(std::move(group));
  });
}

RAR_NATIVE(void, dist_ProcessGroup, allReduceSum)(JNIEnv* env, jclass, jlong group, jlong target) {
  guarded(env, [&] {
    at::NoGradGuard no_grad;
    std::vector<at::Tensor> list{tensor(target)};
    const auto& joined = borrow<Group>(group);
    wait(joined, joined->allreduce(list));
  });
}

RAR_NATIVE(void, dist_ProcessGroup, broadcast)(JNIEnv* env, jclass, jlong group, jlongArray targets, jint root) {
  guarded(env, [&] {
    at::NoGradGuard no_grad;
    const auto& joined = borrow<Group>(group);
    c10d::BroadcastOptions options;
    options.rootRank = root;
    for (auto& target : tensors(env, targets)) {
      // Detached, because a leaf that requires a gradient may not be written in place.
      std::vector<at::Tensor> list{target.detach()};
      wait(joined, joined->broadcast(list, options));
    }
  });
}

RAR_NATIVE(void, dist_ProcessGroup, barrier)(JNIEnv* env, jclass, jlong group) {
  guarded(env, [&] {
    const auto& joined = borrow<Group>(group);
    // The backend's own: that of the group picks it by a tensor that all groups of the process share.
    wait(joined, joined->getDefaultBackend()->barrier());
  });
}

RAR_NATIVE(void, dist_ProcessGroup, awaitCollectives)(JNIEnv* env, jclass, jlong group) {
  guarded(env, [&] { borrow<Group>(group)->waitForPendingWorks(); });
}

RAR_NATIVE(void, dist_ProcessGroup, abort)(JNIEnv* env, jclass, jlong group) {
  guarded(env, [&] { borrow<Group>(group)->getDefaultBackend()->abort(); });
}

RAR_NATIVE(void, dist_ProcessGroup, free)(JNIEnv* env, jclass, jlong group) {
  guarded(env, [&] { release<Group>(group); });
}

// Buckets are a function of the parameter list alone and are never rebuilt, so that every run sums in the same order.
RAR_NATIVE(jlong, dist_GradientReducer, create)(JNIEnv* env, jclass, jlong group, jlongArray parameters,
                                                jlong bucket_bytes) {
  return guarded(env, [&] {
    auto list = tensors(env, parameters);
    std::vector<bool> sparse(list.size(), false);
    auto [buckets, limits] = c10d::compute_bucket_assignment_by_size(
        list, {static_cast<size_t>(bucket_bytes)}, sparse, /*tensor_indices=*/{}, /*logger=*/{});
    std::reverse(buckets.begin(), buckets.end());
    std::unordered_map<size_t, std::string> names;
    return own<Reducer>(list, buckets, borrow<Group>(group), sparse, bucket_bytes, /*find_unused_parameters=*/false,
                        /*gradient_as_bucket_view=*/true, names, bucket_bytes);
  });
}

RAR_NATIVE(void, dist_GradientReducer, prepare)(JNIEnv* env, jclass, jlong reducer) {
  guarded(env, [&] {
    auto& owned = borrow<Reducer>(reducer);
    owned.prepare_for_forward();
    owned.prepare_for_backward({});
  });
}

RAR_NATIVE(void, dist_GradientReducer, free)(JNIEnv* env, jclass, jlong reducer) {
  guarded(env, [&] { release<Reducer>(reducer); });
}
