#include "onednn_linear.h"

#include "onednn_operation.h"

#include <ATen/Functions.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>

namespace {

// The rows that a weight is packed for. oneDNN gives a layout that serves any number of them.
constexpr int64_t kPackedRows = 64;

at::Tensor product(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                   std::string_view activation = "none") {
  using Signature = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, std::string_view,
                               OnednnScalars, std::optional<std::string_view>);
  static const auto linear = onednn_operation<Signature>("mkldnn::_linear_pointwise");
  return linear.call(x, weight, bias, activation, OnednnScalars(), "none");
}

// A layer whose three products run in oneDNN: y = x W^T + b, dx = dy W, dW = dy^T x.
struct Linear : torch::autograd::Function<Linear> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
    context->save_for_backward({x, weight});
    context->saved_data["bias"] = bias.has_value();
    return product(x, weight, bias);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    auto saved = context->get_saved_variables();
    const auto& weight = saved[1];
    auto x = saved[0].reshape({-1, weight.size(1)});
    auto dy = gradients[0].reshape({-1, weight.size(0)});
    return {context->needs_input_grad(0) ? product(dy, weight.t(), std::nullopt).view(saved[0].sizes()) : at::Tensor(),
            context->needs_input_grad(1) ? product(dy.t(), x.t(), std::nullopt) : at::Tensor(),
            context->saved_data["bias"].toBool() ? dy.sum(0) : at::Tensor()};
  }
};

// Whether oneDNN computes float32 products faster than MKL, through which libtorch computes them: MKL uses AVX-512 on
// Intel's processors only.
bool faster_than_mkl() {
  static const bool faster = !__builtin_cpu_is("intel");
  return faster;
}

}  // namespace

at::Tensor pack_linear(const at::Tensor& weight) {
  using Signature = at::Tensor(const at::Tensor&, std::optional<int64_t>);
  static const auto reorder = onednn_operation<Signature>("mkldnn::_reorder_linear_weight");
  at::NoGradGuard no_grad;
  return reorder.call(weight.contiguous(), kPackedRows);
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                  std::string_view activation) {
  if (weight.is_mkldnn()) {
    return product(x.to(weight.scalar_type()).contiguous(), weight, bias, activation);
  }
  bool float32 = x.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat;
  // Of trained weights only: without packing, a row's bits depend on the other rows of its batch.
  bool own = weight.requires_grad() && x.is_cpu() && float32 && !at::autocast::is_autocast_enabled(at::kCPU) && faster_than_mkl();
  auto y = own ? Linear::apply(x.contiguous(), weight, bias) : at::linear(x, weight, bias);
  return activation == "gelu" ? at::gelu(y) : activation == "relu" ? at::relu(y) : y;
}
