#include "fake_checks.h"

#include <ATen/ATen.h>
#include <ATen/native/ForeachUtils.h>

#include <mutex>
#include <set>

namespace fake {
namespace {

// An operator that fails, and how.
struct Failure {
  std::string name;
  std::string message;
};

std::mutex failure_lock;
Failure& failure = *new Failure;

// An operator that breaks the context of this process, and the calls of it until then.
struct Break {
  std::string name;
  int64_t calls = 0;
  bool broken = false;
};
Break& context = *new Break;

void fail_if_told(const std::string& name) {
  {
    std::lock_guard<std::mutex> guard(failure_lock);
    TORCH_CHECK(failure.name != name, failure.message);
    context.broken = context.broken || (context.name == name && --context.calls == 0);
  }
  check_context();
}

// The check of the generated wrappers; a CPU scalar passes, as it does with TensorIterator.
void check_one_device(const c10::OperatorHandle& op, const std::string& name, Arguments arguments) {
  if (name == "aten::index" || name == "aten::index_put_" || name == "aten::_index_put_impl_") {
    return;
  }
  std::optional<c10::Device> common;
  auto check = [&](const at::Tensor& t, const std::string& argument) {
    if (!t.defined() || (t.is_cpu() && t.dim() == 0)) {
      return;
    }
    if (!common.has_value()) {
      common = t.device();
    }
    TORCH_CHECK(*common == t.device(), "Expected all tensors to be on the same device, but found at least two devices, ",
                *common, " and ", t.device(), "! (when checking argument for argument ", argument, " in method ", name, ")");
  };
  for (size_t i = 0; i < arguments.size(); i++) {
    const std::string& argument = op.schema().arguments()[i].name();
    if (arguments[i].isTensor()) {
      check(arguments[i].toTensor(), argument);
    } else if (arguments[i].isTensorList()) {
      for (const at::Tensor& t : arguments[i].toTensorVector()) {
        check(t, argument);
      }
    }
  }
}

// The weights of a normalization have the type of its input, while a CPU takes others.
void check_one_type(const std::string& name, Arguments arguments) {
  if (name.find("native_layer_norm") == std::string::npos && name.find("native_group_norm") == std::string::npos) {
    return;
  }
  auto expected = arguments[0].toTensor().scalar_type();
  for (const auto& value : arguments) {
    if (value.isTensor() && value.toTensor().defined()) {
      auto found = value.toTensor().scalar_type();
      bool statistic = name.find("backward") != std::string::npos && found == at::kFloat;
      TORCH_CHECK(found == expected || statistic, "expected scalar type ", expected, " but found ", found);
    }
  }
}

// The fused kernel of AdamW walks through parameters, gradients and moments alike.
void check_one_layout(const std::string& name, Arguments arguments) {
  if (name != "aten::_fused_adamw_") {
    return;
  }
  std::vector<std::vector<at::Tensor>> kept;
  for (size_t i = 0; i < 4; i++) {
    kept.push_back(arguments[i].toTensorVector());
  }
  std::vector<at::TensorList> lists(kept.begin(), kept.end());
  TORCH_CHECK(at::native::_check_tensors_share_device_and_dtype(lists) &&
                  at::native::_check_tensors_share_sizes_and_strides(lists),
              "params, grads, exp_avgs, and exp_avg_sqs must have same dtype, device, and layout");
}

const std::set<std::string>& products() {
  static const std::set<std::string> names = {"aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm"};
  return names;
}

// The operators that the documentation of torch.use_deterministic_algorithms lists, as far as their name says enough.
void check_deterministic(const std::string& name, Arguments arguments) {
  static const std::set<std::string> refused = {
      "aten::_adaptive_avg_pool2d_backward",
      "aten::_adaptive_avg_pool3d_backward",
      "aten::adaptive_max_pool2d_backward",
      "aten::avg_pool3d_backward",
      "aten::_ctc_loss",
      "aten::grid_sampler_2d_backward",
      "aten::histc",
      "aten::kthvalue",
      "aten::max_pool2d_with_indices_backward",
      "aten::max_pool3d_with_indices_backward",
      "aten::nll_loss2d_forward",
      "aten::put_",
      "aten::reflection_pad1d_backward",
      "aten::reflection_pad2d_backward",
      "aten::replication_pad1d_backward",
      "aten::replication_pad2d_backward",
      "aten::upsample_bicubic2d_backward",
      "aten::upsample_bilinear2d_backward",
      "aten::upsample_linear1d_backward",
  };
  bool float_sums = name == "aten::cumsum" && arguments[0].toTensor().is_floating_point();
  if (float_sums || refused.count(name) > 0) {
    at::globalContext().alertNotDeterministic((name.substr(6) + "_cuda").c_str());
  }
  if (products().count(name) > 0) {
    at::globalContext().alertCuBLASConfigNotDeterministic();
  }
}

}  // namespace

void check_context() {
  std::lock_guard<std::mutex> guard(failure_lock);
  TORCH_CHECK(!context.broken,
              "CUDA error: an illegal memory access was encountered\n"
              "CUDA kernel errors might be asynchronously reported at some other API call");
}

void check(const c10::OperatorHandle& op, Arguments arguments) {
  const std::string& name = op.schema().name();
  check_one_device(op, name, arguments);
  check_one_type(name, arguments);
  check_one_layout(name, arguments);
  check_deterministic(name, arguments);
  fail_if_told(name);
}

bool rounds_to_tf32(const std::string& name) {
  return name.find("conv2d") != std::string::npos ? at::globalContext().allowTF32CuDNN()
                                                   : products().count(name) > 0 && at::globalContext().allowTF32CuBLAS();
}

}  // namespace fake

extern "C" {

// Makes an operator fail; an empty name, none.
void fakeCudaFail(const char* name, const char* message) {
  std::lock_guard<std::mutex> guard(fake::failure_lock);
  fake::failure = {name, message};
}

// Makes the given call of an operator, counted from 1, fail, and then whatever the process asks of a device.
void fakeCudaBreakContext(const char* name, int64_t call) {
  std::lock_guard<std::mutex> guard(fake::failure_lock);
  fake::context = {name, call, false};
}

}  // extern "C"
