// A CUDA backend for tests: "device" memory is host memory at addresses that no host code can read or write.
//
// Device pointers carry a bit that makes them non-canonical, so that code which takes a tensor of a device for one of the
// host faults at once. Every operator without a kernel here runs on the CPU over copies, after the checks that CUDA's
// kernels make: one device for all tensors, one type for a normalization and its weights, no algorithm that the
// deterministic mode refuses. Float32 products and convolutions are rounded to TF32 wherever libtorch's settings allow
// CUDA to do that.
#include "fake_checks.h"
#include "fake_counts.h"
#include "fake_memory.h"

#include <ATen/ATen.h>
#include <ATen/EmptyTensor.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/native/transformers/attention.h>
#include <ATen/native/transformers/sdp_utils_cpp.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/set_native.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

namespace fake {

Counts& counts = *new Counts; // never destroyed: threads may count until the process ends

namespace {

// While an operator runs on the CPU over copies, which are not the program's.
struct OnCpu {
  static thread_local bool now;
  bool before = now;
  OnCpu() { now = true; }
  ~OnCpu() { now = before; }
};
thread_local bool OnCpu::now = false;

// A CPU tensor over the memory of one of a device.
at::Tensor host(const at::Tensor& t) {
  if (!t.is_cuda()) {
    return t;
  }
  return at::from_blob(untag(t.unsafeGetTensorImpl()->mutable_data()), t.sizes(), t.strides(), t.options().device(c10::kCPU));
}

at::Tensor empty(at::IntArrayRef size, std::optional<c10::ScalarType> dtype, std::optional<c10::Layout>,
                 std::optional<c10::Device> device, std::optional<bool> pin, std::optional<c10::MemoryFormat> format) {
  TORCH_CHECK(!pin.value_or(false), "Only dense CPU tensors can be pinned");
  c10::OptionalDeviceGuard on(device);
  return at::detail::empty_generic(size, &device_allocator(), c10::DispatchKeySet(c10::DispatchKey::CUDA),
                                   c10::dtype_or_default(dtype), format);
}

at::Tensor empty_strided(at::IntArrayRef size, at::IntArrayRef stride, std::optional<c10::ScalarType> dtype,
                         std::optional<c10::Layout>, std::optional<c10::Device> device, std::optional<bool>) {
  c10::OptionalDeviceGuard on(device);
  return at::detail::empty_strided_generic(size, stride, &device_allocator(), c10::DispatchKeySet(c10::DispatchKey::CUDA),
                                           c10::dtype_or_default(dtype));
}

at::Tensor& copy_(at::Tensor& self, const at::Tensor& source, bool non_blocking) {
  check_context();
  if (!OnCpu::now && self.numel() > 0) {
    std::string what = self.is_cpu() ? "copy to host" : source.is_cpu() ? "copy to device" : "copy on device";
    counts.add(what);
    counts.add(what + ", bytes", static_cast<int64_t>(source.nbytes()));
    if (what == "copy to device" && !non_blocking) {
      counts.add("wait for a copy to device");
    }
  }
  host(self).copy_(host(source));
  return self;
}

void grow(const c10::Storage& storage, size_t bytes) {
  if (bytes <= storage.nbytes()) {
    return;
  }
  c10::DeviceGuard on(storage.device());
  auto memory = device_allocator().allocate(bytes);
  std::memcpy(untag(memory.get()), untag(storage.data()), storage.nbytes());
  storage.unsafeGetStorageImpl()->set_data_ptr_noswap(std::move(memory));
  storage.unsafeGetStorageImpl()->set_nbytes(bytes);
}

const at::Tensor& resize_(const at::Tensor& self, at::IntArrayRef size, std::optional<c10::MemoryFormat> format) {
  auto* impl = self.unsafeGetTensorImpl();
  impl->set_sizes_contiguous(size);
  if (format.has_value()) {
    impl->empty_tensor_restride(*format);
  }
  grow(self.storage(),
       at::detail::computeStorageNbytes(impl->sizes(), impl->strides(), impl->itemsize(), impl->storage_offset()));
  return self;
}

at::Tensor copy_from_and_resize(const at::Tensor& self, const at::Tensor& target) {
  if (!target.sizes().equals(self.sizes())) {
    resize_(target, self.sizes(), std::nullopt);
  }
  host(target).copy_(host(self));
  return target;
}

at::Tensor& set_storage(at::Tensor& self, c10::Storage storage, int64_t offset, at::IntArrayRef size,
                        at::IntArrayRef stride) {
  auto* impl = self.unsafeGetTensorImpl();
  impl->set_storage_keep_dtype(std::move(storage));
  impl->set_storage_offset(offset);
  if (stride.empty() && !size.empty()) {
    impl->set_sizes_contiguous(size);
  } else {
    impl->set_sizes_and_strides(size, stride);
  }
  return self;
}

// What tensor cores do to float32 operands: 10 bits of mantissa.
void round_to_tf32(torch::jit::Stack* stack, size_t arguments) {
  for (size_t i = stack->size() - arguments; i < stack->size(); i++) {
    auto& value = (*stack)[i];
    if (value.isTensor() && value.toTensor().defined() && value.toTensor().scalar_type() == at::kFloat) {
      auto copy = value.toTensor().cpu().clone();
      copy.view(at::kInt).add_(0x1000).bitwise_and_(static_cast<int32_t>(0xFFFFE000));
      value = copy.to(value.toTensor().device());
    }
  }
}

void fallback(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const std::string& name = op.schema().name();
  size_t count = op.schema().arguments().size();
  check(op, Arguments(stack->data() + stack->size() - count, count));
  if (!OnCpu::now) {
    counts.add(name);
  }
  OnCpu on_cpu;
  if (rounds_to_tf32(name)) {
    round_to_tf32(stack, count);
  }
  at::native::cpu_fallback(op, stack, /*error_on_views=*/true);
}

int64_t sdp_choice(const at::Tensor&, const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, double, bool,
                   std::optional<double>, bool) {
  return static_cast<int64_t>(sdp::SDPBackend::math);
}

// CUDA computes in float32 what a CPU rounds in between.
at::Tensor dropout_backward(const at::Tensor& gradient, const at::Tensor& mask, double scale) {
  counts.add("aten::native_dropout_backward");
  auto result = at::empty_like(gradient);
  OnCpu on_cpu;
  host(result).copy_(host(gradient).to(at::kFloat) * host(mask) * static_cast<float>(scale));
  return result;
}

TORCH_LIBRARY_IMPL(aten, CUDA, m) {
  m.impl("empty.memory_format", empty);
  m.impl("empty_strided", empty_strided);
  m.impl("copy_", copy_);
  m.impl("_copy_from_and_resize", copy_from_and_resize);
  m.impl("resize_", resize_);
  m.impl("set_.source_Storage_storage_offset", set_storage);
  m.impl("set_.source_Tensor", at::native::set_tensor_);
  m.impl("as_strided", at::native::as_strided_tensorimpl);
  m.impl("view", at::native::view);
  m.impl("_reshape_alias", at::native::_reshape_alias);
  m.impl("unfold", at::native::unfold);
  m.impl("native_dropout_backward", dropout_backward);
  // They have decompositions, which would come before the fallback; CUDA has kernels.
  m.impl("native_layer_norm", torch::CppFunction::makeFromBoxedFunction<&fallback>());
  m.impl("native_group_norm", torch::CppFunction::makeFromBoxedFunction<&fallback>());
  m.impl("_foreach_norm.Scalar", torch::CppFunction::makeFromBoxedFunction<&fallback>());
  m.impl("_foreach_lerp_.Scalar", torch::CppFunction::makeFromBoxedFunction<&fallback>());
}

TORCH_LIBRARY_IMPL(_, CUDA, m) {
  m.fallback(torch::CppFunction::makeFromBoxedFunction<&fallback>());
}

}  // namespace
}  // namespace fake

namespace at::native {
REGISTER_CUDA_DISPATCH(_fused_sdp_choice_stub, &fake::sdp_choice)
}

extern "C" {

const char* fakeCudaSourceHash() {
  return FAKE_CUDA_SOURCE_HASH;
}

void fakeCudaResetCounts() {
  fake::counts.reset();
}

// Valid until the thread calls it again.
const char* fakeCudaCounts() {
  static thread_local std::string text;
  text = fake::counts.text();
  return text.c_str();
}

}  // extern "C"
