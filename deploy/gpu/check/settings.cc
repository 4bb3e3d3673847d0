// Libtorch's settings: threads, deterministic mode, autocast.
#include "torch.cc"

#include "check.h"

#define METHOD(name) Java_io_github_rarspark_kernel_tensor_##name

namespace check {

void settings(Report& report, const Place& place) {
  jboolean cuda = place.device().is_cuda();
  report.run("threads", place.label(), [] {
    jint before = call(METHOD(Torch_threads));
    call(METHOD(Torch_setThreads), 1);
    require(call(METHOD(Torch_threads)) == 1, "set_num_threads has no effect");
    call(METHOD(Torch_setThreads), before);
  });
  report.run("deterministic mode", place.label(), [&] {
    call(METHOD(DeterministicMode_enter));
    auto x = place.numbers({8, 64}).given.set_requires_grad(true);
    auto ids = at::zeros({4}, at::TensorOptions(place.device()).dtype(at::kLong));
    // Products, and rows by index, with their gradients.
    at::matmul(at::embedding(x, ids), x.t()).sum().backward();
    call(METHOD(DeterministicMode_exit));
    require(!call(METHOD(DeterministicMode_on)), "it was not left");
  });
  at::globalContext().setDeterministicAlgorithms(false, false);  // also where the check failed
  report.run("autocast", place.label(), [&] {
    auto x = place.numbers({8, 64}).given;
    auto before = call(METHOD(Autocast_enter), cuda);
    auto inside = at::matmul(x, x.t()).scalar_type();
    call(METHOD(Autocast_exit), cuda, before);
    auto outside = at::matmul(x, x.t()).scalar_type();
    require(inside == at::kBFloat16 && outside == at::kFloat, "products were not in bfloat16 inside and float32 outside");
  });
}

}  // namespace check
