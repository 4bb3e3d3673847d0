// AdamW: the update, and the norm that gradients are clipped by. Neither is recorded by autograd.
#include "bridge.h"

#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>

namespace {

std::vector<at::Tensor> gradients(const std::vector<at::Tensor>& parameters) {
  std::vector<at::Tensor> result;
  for (size_t i = 0; i < parameters.size(); i++) {
    TORCH_CHECK(parameters[i].grad().defined(), "parameter ", i, " has no gradient: it took no part in the loss");
    result.push_back(parameters[i].grad());
  }
  return result;
}

}  // namespace

#define NATIVE(result, name) RAR_NATIVE(result, optim_AdamW, name)

using namespace bridge;

// Update number `step`, from 1, with the gradients divided by `divisor`.
NATIVE(void, update)(JNIEnv* env, jclass, jlongArray parameters, jlongArray averages, jlongArray squares, jlong step,
                     jdouble divisor, jdouble lr, jdouble beta1, jdouble beta2, jdouble eps, jdouble decay) {
  guarded(env, [&] {
    at::NoGradGuard no_grad;
    auto parameter_list = tensors(env, parameters);
    auto options = parameter_list.at(0).options().requires_grad(false);
    // The kernel wants a count of each parameter and only reads it.
    std::vector<at::Tensor> step_list(parameter_list.size(), at::full({}, static_cast<double>(step), options));
    std::optional<at::Tensor> grad_scale;
    if (divisor != 1) {
      grad_scale = at::full({}, divisor, options);
    }
    at::_fused_adamw_(parameter_list, gradients(parameter_list), tensors(env, averages), tensors(env, squares),
                      /*max_exp_avg_sqs=*/{}, step_list, lr, beta1, beta2, decay, eps,
                      /*amsgrad=*/false, /*maximize=*/false, grad_scale);
  });
}

// The norm over all gradients.
NATIVE(jdouble, norm)(JNIEnv* env, jclass, jlongArray parameters) {
  return guarded(env, [&]() -> jdouble {
    at::NoGradGuard no_grad;
    auto norms = at::_foreach_norm(gradients(tensors(env, parameters)), 2);
    return at::linalg_vector_norm(at::stack(norms), 2).item<double>();
  });
}
