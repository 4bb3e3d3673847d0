// Process groups of one rank, over Gloo and NCCL, and the reducer of gradients.
#include "dist.cc"

#include "check.h"

#include <torch/csrc/autograd/autograd.h>

#define METHOD(name) Java_io_github_rarspark_kernel_dist_##name

namespace check {
namespace {

constexpr const char* kHost = "127.0.0.1";
constexpr int64_t kTimeoutMillis = 20000;

// What a rank does with a group, which is aborted and freed in the end.
void collectives(Report& report, const Place& place, const std::string& backend, jlong group) {
  auto x = place.numbers({1000});
  report.compare(backend + ": all-reduce", place, x.exact, [&] {
    auto sum = x.given.clone();
    call(METHOD(ProcessGroup_allReduceSum), group, sum);
    return sum;
  });
  report.run(backend + ": broadcast and barrier", place.label(), [&] {
    call(METHOD(ProcessGroup_broadcast), group, std::vector<at::Tensor>{x.given}, 0);
    call(METHOD(ProcessGroup_barrier), group);
  });
  report.run(backend + ": gradient reducer", place.label(), [&] {
    auto weight = place.numbers({64, 64});
    weight.given.set_requires_grad(true);
    jlong reducer = call(METHOD(GradientReducer_create), group, std::vector<at::Tensor>{weight.given}, int64_t{1} << 20);
    call(METHOD(GradientReducer_prepare), reducer);
    (weight.given * weight.given).sum().backward();
    call(METHOD(ProcessGroup_awaitCollectives), group);
    require(at::allclose(weight.given.grad().cpu().to(at::kDouble), 2 * weight.exact), "a wrong gradient");
    call(METHOD(GradientReducer_free), reducer);
  });
  report.run(backend + ": abort", "", [&] {
    call(METHOD(ProcessGroup_abort), group);
    std::string message = "a collective of an aborted group succeeded";
    try {
      call(METHOD(ProcessGroup_allReduceSum), group, x.given.clone());
    } catch (const std::exception& error) {
      message = error.what();
    }
    require(message.rfind("CommunicationException: ", 0) == 0, message);
  });
  call(METHOD(ProcessGroup_free), group);
}

void gloo(Report& report, const Place& place, jlong store) {
  jlong group = 0;
  report.run("Gloo: group of one rank", "", [&] {
    group = call(METHOD(ProcessGroup_joinGloo), store, 0, 1, kHost, kTimeoutMillis, !place.is_cpu());
  });
  if (group != 0) {
    collectives(report, place, "Gloo", group);
  }
}

void nccl(Report& report, const Place& place, jlong store, const std::string& library) {
  if (!call(METHOD(NcclLibrary_libtorchHasCuda))) {
    report.skip("NCCL", "this libtorch is a build for CPUs");
    return;
  }
  jlong factory = 0;
  report.run("NCCL: the library is loaded", "", [&] { factory = call(METHOD(NcclLibrary_open), library.c_str()); });
  if (factory == 0) {
    return;
  }
  if (place.is_cpu()) {
    report.skip("NCCL's collectives", "the device is the CPU");
    return;
  }
  jlong group = 0;
  report.run("NCCL: group of one rank", "", [&] {
    group = call(METHOD(ProcessGroup_joinNccl), store, 0, 1, jint{place.device().index()}, kTimeoutMillis, factory);
  });
  if (group != 0) {
    collectives(report, place, "NCCL", group);
  }
}

}  // namespace

void groups(Report& report, const Place& place, const std::string& nccl_library) {
  jlong store = 0;
  report.run("rendezvous store", "", [&] { store = call(METHOD(RendezvousStore_serve), kHost, kTimeoutMillis); });
  if (store == 0) {
    return;
  }
  gloo(report, place, store);
  nccl(report, place, store, nccl_library);
  call(METHOD(RendezvousStore_free), store);
}

}  // namespace check
