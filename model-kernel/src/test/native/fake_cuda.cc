// A CUDA backend for tests: "device" memory is host memory at addresses that no host code can read or write.
//
// Device pointers carry a bit that makes them non-canonical, so that code which takes a tensor of a device for one of the
// host faults at once. Every operator without a kernel here runs on the CPU over copies, after the checks that CUDA's
// kernels make: one device for all tensors, one type for a normalization and its weights, no algorithm that the
// deterministic mode refuses. Float32 products and convolutions are rounded to TF32 wherever libtorch's settings allow
// CUDA to do that.
#include "fake_devices.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/EmptyTensor.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/native/transformers/attention.h>
#include <ATen/native/transformers/sdp_utils_cpp.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/set_native.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <limits>
#include <map>
#include <mutex>
#include <set>

// Two symbols that newer compilers ask of the system's libraries; see torch.cc of the bridge.
extern "C" {
__attribute__((visibility("hidden"))) char __libc_single_threaded = 0;
}
namespace std {
[[noreturn]] void __throw_bad_array_new_length() {
  throw bad_array_new_length();
}
}  // namespace std

namespace fake {

constexpr int kMostDevices = 16;
constexpr uintptr_t kTag = uintptr_t{1} << 62;

thread_local c10::DeviceIndex current = 0;

const c10::DeviceIndex kDevices = static_cast<c10::DeviceIndex>(visible_devices());

void* tag(void* host) {
  return host == nullptr ? nullptr : reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(host) | kTag);
}

void* untag(const void* device) {
  return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(device) & ~kTag);
}

// ---- what a test asks ----

// Operators by name, and copies between host and devices, since the last reset.
class Counts {
 public:
  void add(const std::string& what, int64_t amount = 1) {
    std::lock_guard<std::mutex> guard(lock_);
    amounts_[what] += amount;
  }

  void reset() {
    std::lock_guard<std::mutex> guard(lock_);
    amounts_.clear();
  }

  // A line for each.
  std::string text() {
    std::lock_guard<std::mutex> guard(lock_);
    std::string lines;
    for (const auto& [what, amount] : amounts_) {
      lines += what + "\t" + std::to_string(amount) + "\n";
    }
    return lines;
  }

 private:
  std::mutex lock_;
  std::map<std::string, int64_t> amounts_;
};

Counts& counts = *new Counts; // never destroyed: threads may count until the process ends

// An operator that fails, and how.
struct Failure {
  std::string name;
  std::string message;
};

std::mutex failure_lock;
Failure& failure = *new Failure;

void fail_if_told(const std::string& name) {
  std::lock_guard<std::mutex> guard(failure_lock);
  TORCH_CHECK(failure.name != name, failure.message);
}

// ---- memory ----

int64_t limit_of_environment() {
  const char* bytes = std::getenv("FAKE_CUDA_MEMORY");
  return bytes == nullptr ? std::numeric_limits<int64_t>::max() : std::atoll(bytes);
}

std::atomic<int64_t> memory_limit{limit_of_environment()}; // of each device, in bytes
std::array<std::atomic<int64_t>, kMostDevices> allocated{};

// Memory of a device, and who pays for it.
struct Block {
  void* memory;
  int64_t bytes;
  c10::DeviceIndex device;

  static void free(void* block) {
    auto* owned = static_cast<Block*>(block);
    allocated[owned->device] -= owned->bytes;
    std::free(owned->memory);
    delete owned;
  }
};

void* aligned(size_t bytes) {
  void* memory = nullptr;
  TORCH_CHECK(posix_memalign(&memory, 64, (bytes + 63) / 64 * 64) == 0, "the host has no memory for the fake device");
  return memory;
}

struct DeviceAllocator final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    c10::Device device(c10::kCUDA, current);
    if (bytes == 0) {
      return {nullptr, device};
    }
    auto wanted = static_cast<int64_t>(bytes);
    int64_t before = allocated[device.index()].fetch_add(wanted);
    if (wanted > memory_limit - before) {
      allocated[device.index()] -= wanted;
      TORCH_CHECK_WITH(OutOfMemoryError, false, "CUDA out of memory. Tried to allocate ", wanted, " bytes. GPU ",
                       static_cast<int>(device.index()), " has a total capacity of ", memory_limit.load(),
                       " bytes of which ", memory_limit - before, " bytes is free. Including non-PyTorch memory, this "
                       "process has 0 bytes memory in use. See documentation for Memory Management");
    }
    void* memory = aligned(bytes);
    return {tag(memory), new Block{memory, wanted, device.index()}, &Block::free, device};
  }

  c10::DeleterFnPtr raw_deleter() const override { return nullptr; }

  void copy_data(void* to, const void* from, size_t bytes) const override { std::memcpy(untag(to), untag(from), bytes); }
};

DeviceAllocator device_allocator;
REGISTER_ALLOCATOR(c10::kCUDA, &device_allocator);

// Pinned memory of the host, which Gloo stages tensors of a device through.
class PinnedAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* memory = bytes == 0 ? nullptr : aligned(bytes);
    std::lock_guard<std::mutex> guard(lock());
    ranges()[reinterpret_cast<uintptr_t>(memory)] = bytes;
    return {memory, memory, &release, c10::Device(c10::kCPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &release; }

  void copy_data(void* to, const void* from, size_t bytes) const override { std::memcpy(to, from, bytes); }

  static bool holds(const void* pointer) {
    auto address = reinterpret_cast<uintptr_t>(pointer);
    std::lock_guard<std::mutex> guard(lock());
    auto after = ranges().upper_bound(address);
    return after != ranges().begin() && address < std::prev(after)->first + std::prev(after)->second;
  }

 private:
  static std::mutex& lock() {
    static auto& mutex = *new std::mutex;
    return mutex;
  }

  static std::map<uintptr_t, size_t>& ranges() {
    static auto& all = *new std::map<uintptr_t, size_t>;
    return all;
  }

  static void release(void* memory) {
    {
      std::lock_guard<std::mutex> guard(lock());
      ranges().erase(reinterpret_cast<uintptr_t>(memory));
    }
    std::free(memory);
  }
};

PinnedAllocator pinned_allocator;

// ---- devices and streams ----

struct Guard final : c10::impl::DeviceGuardImplInterface {
  static constexpr c10::DeviceType static_type = c10::kCUDA;
  Guard() = default;
  explicit Guard(c10::DeviceType) {}

  c10::DeviceType type() const override { return c10::kCUDA; }

  c10::Device exchangeDevice(c10::Device d) const override {
    c10::Device before = getDevice();
    setDevice(d);
    return before;
  }

  c10::Device getDevice() const override { return {c10::kCUDA, current}; }

  void setDevice(c10::Device d) const override {
    TORCH_CHECK(d.is_cuda() && d.index() < kDevices, "CUDA error: invalid device ordinal");
    uncheckedSetDevice(d);
  }

  void uncheckedSetDevice(c10::Device d) const noexcept override {
    if (d.index() >= 0) {
      current = d.index();
    }
  }

  // All streams are one, and all work is done when its call returns.
  static c10::Stream only(c10::Device d) { return c10::Stream(c10::Stream::DEFAULT, d); }
  c10::Stream getStream(c10::Device d) const noexcept override { return only(d); }
  c10::Stream getDefaultStream(c10::Device d) const override { return only(d); }
  c10::Stream getStreamFromGlobalPool(c10::Device d, bool) const override { return only(d); }
  c10::Stream getNewStream(c10::Device d, int) const override { return only(d); }
  c10::Stream exchangeStream(c10::Stream s) const noexcept override { return only(s.device()); }
  c10::DeviceIndex deviceCount() const noexcept override { return kDevices; }

  void record(void** event, const c10::Stream&, const c10::DeviceIndex, const c10::EventFlag) const override {
    *event = const_cast<Guard*>(this);
  }

  void block(void*, const c10::Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
  void destroyEvent(void*, const c10::DeviceIndex) const noexcept override {}
  bool queryStream(const c10::Stream&) const override { return true; }
  void synchronizeStream(const c10::Stream&) const override { counts.add("synchronize"); }
  void synchronizeEvent(void*) const override {}
  void synchronizeDevice(const c10::DeviceIndex) const override { counts.add("synchronize"); }
  void recordDataPtrOnStream(const c10::DataPtr&, const c10::Stream&) const override {}
};
C10_REGISTER_GUARD_IMPL(CUDA, Guard);

struct Hooks final : at::CUDAHooksInterface {
  void init() const override {}
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return kDevices > 0; }
  bool hasCUDA() const override { return kDevices > 0; }
  bool hasCUDART() const override { return true; }
  long versionCUDART() const override { return 12080; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  int getNumGPUs() const override { return kDevices; }
  c10::DeviceIndex deviceCount() const override { return kDevices; }
  c10::DeviceIndex current_device() const override { return current; }
  c10::DeviceIndex getCurrentDevice() const override { return current; }
  void setCurrentDevice(c10::DeviceIndex d) const override { Guard().setDevice({c10::kCUDA, d}); }
  c10::DeviceIndex exchangeDevice(c10::DeviceIndex d) const override { return std::exchange(current, d); }
  c10::DeviceIndex maybeExchangeDevice(c10::DeviceIndex d) const override { return std::exchange(current, d); }

  const at::Generator& getDefaultGenerator(c10::DeviceIndex) const override {
    static at::Generator generator = at::detail::createCPUGenerator();
    return generator;
  }

  at::Generator getNewGenerator(c10::DeviceIndex) const override { return at::detail::createCPUGenerator(); }
  c10::Allocator* getCUDADeviceAllocator() const override { return &device_allocator; }
  c10::Allocator* getPinnedMemoryAllocator() const override { return &pinned_allocator; }
  bool isPinnedPtr(const void* data) const override { return PinnedAllocator::holds(data); }
  void deviceSynchronize(c10::DeviceIndex) const override { counts.add("synchronize"); }
  std::string showConfig() const override { return "fake CUDA"; }
};

const bool hooks = [] {
  at::CUDAHooksRegistry()->Register(
      "CUDAHooks", [](at::CUDAHooksArgs) -> std::unique_ptr<at::CUDAHooksInterface> { return std::make_unique<Hooks>(); });
  return true;
}();

// ---- kernels ----

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

// Makes the device of an option the current one.
struct On {
  c10::DeviceIndex before = current;
  explicit On(std::optional<c10::Device> d) {
    if (d.has_value() && d->has_index()) {
      Guard().setDevice(*d);
    }
  }
  ~On() { current = before; }
};

at::Tensor empty(at::IntArrayRef size, std::optional<c10::ScalarType> dtype, std::optional<c10::Layout>,
                 std::optional<c10::Device> device, std::optional<bool> pin, std::optional<c10::MemoryFormat> format) {
  TORCH_CHECK(!pin.value_or(false), "Only dense CPU tensors can be pinned");
  On on(device);
  return at::detail::empty_generic(size, &device_allocator, c10::DispatchKeySet(c10::DispatchKey::CUDA),
                                   c10::dtype_or_default(dtype), format);
}

at::Tensor empty_strided(at::IntArrayRef size, at::IntArrayRef stride, std::optional<c10::ScalarType> dtype,
                         std::optional<c10::Layout>, std::optional<c10::Device> device, std::optional<bool>) {
  On on(device);
  return at::detail::empty_strided_generic(size, stride, &device_allocator, c10::DispatchKeySet(c10::DispatchKey::CUDA),
                                           c10::dtype_or_default(dtype));
}

at::Tensor& copy_(at::Tensor& self, const at::Tensor& source, bool non_blocking) {
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
  On on(storage.device());
  auto memory = device_allocator.allocate(bytes);
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

// ---- what CUDA's kernels check ----

using Arguments = c10::ArrayRef<c10::IValue>;

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

bool rounds_to_tf32(const std::string& name) {
  return name.find("conv2d") != std::string::npos ? at::globalContext().allowTF32CuDNN()
                                                   : products().count(name) > 0 && at::globalContext().allowTF32CuBLAS();
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

// ---- everything else ----

void fallback(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const std::string& name = op.schema().name();
  size_t count = op.schema().arguments().size();
  Arguments arguments(stack->data() + stack->size() - count, count);
  check_one_device(op, name, arguments);
  check_one_type(name, arguments);
  check_deterministic(name, arguments);
  fail_if_told(name);
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

}  // namespace fake

namespace at::native {
REGISTER_CUDA_DISPATCH(_fused_sdp_choice_stub, &fake::sdp_choice)
}

// ---- for tests, by JNA: FakeGpus ----

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

int64_t fakeCudaAllocated(int device) {
  return fake::allocated[device];
}

void fakeCudaLimitMemory(int64_t bytes) {
  fake::memory_limit = bytes;
}

// Makes an operator fail; an empty name, none.
void fakeCudaFail(const char* name, const char* message) {
  std::lock_guard<std::mutex> guard(fake::failure_lock);
  fake::failure = {name, message};
}

}  // extern "C"
