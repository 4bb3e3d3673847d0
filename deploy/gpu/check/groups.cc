// A process group of one rank, and the reducer of gradients.
#include "dist.cc"

#include "check.h"

#include <torch/csrc/autograd/autograd.h>

#define METHOD(name) Java_io_github_rarspark_kernel_dist_##name

namespace check {

void groups(Report& report, const Place& place) {
  constexpr const char* kHost = "127.0.0.1";
  constexpr int64_t kTimeoutMillis = 20000;
  jlong store = 0;
  jlong group = 0;
  report.run("rendezvous store", "", [&] { store = call(METHOD(RendezvousStore_serve), kHost, kTimeoutMillis); });
  if (store == 0) {
    return;
  }
  report.run("process group of one rank", "", [&] {
    group = call(METHOD(ProcessGroup_joinGloo), store, 0, 1, kHost, kTimeoutMillis, jboolean{!place.is_cpu()});
  });
  if (group != 0) {
    auto x = place.numbers({1000});
    report.compare("all-reduce", place, x.exact, [&] {
      auto sum = x.given.clone();
      call(METHOD(ProcessGroup_allReduceSum), group, sum);
      return sum;
    });
    report.run("broadcast and barrier", place.label(), [&] {
      call(METHOD(ProcessGroup_broadcast), group, std::vector<at::Tensor>{x.given}, 0);
      call(METHOD(ProcessGroup_barrier), group);
    });
    report.run("gradient reducer", place.label(), [&] {
      auto weight = place.numbers({64, 64});
      weight.given.set_requires_grad(true);
      jlong reducer = call(METHOD(GradientReducer_create), group, std::vector<at::Tensor>{weight.given}, int64_t{1} << 20);
      call(METHOD(GradientReducer_prepare), reducer);
      (weight.given * weight.given).sum().backward();
      require(at::allclose(weight.given.grad().cpu().to(at::kDouble), 2 * weight.exact), "a wrong gradient");
      call(METHOD(GradientReducer_free), reducer);
    });
    report.run("abort", "", [&] { call(METHOD(ProcessGroup_abort), group); });
    call(METHOD(ProcessGroup_free), group);
  }
  call(METHOD(RendezvousStore_free), store);
}

}  // namespace check
