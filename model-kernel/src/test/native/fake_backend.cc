// Devices and streams, as libtorch asks for them.
#include "fake_counts.h"
#include "fake_devices.h"
#include "fake_memory.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <utility>

namespace fake {
namespace {

const auto kDevices = static_cast<c10::DeviceIndex>(visible_devices());

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
  c10::Allocator* getCUDADeviceAllocator() const override { return &device_allocator(); }
  c10::Allocator* getPinnedMemoryAllocator() const override { return &pinned_allocator(); }
  bool isPinnedPtr(const void* data) const override { return is_pinned(data); }
  void deviceSynchronize(c10::DeviceIndex) const override { counts.add("synchronize"); }
  std::string showConfig() const override { return "fake CUDA"; }
};

const bool hooks = [] {
  at::CUDAHooksRegistry()->Register(
      "CUDAHooks", [](at::CUDAHooksArgs) -> std::unique_ptr<at::CUDAHooksInterface> { return std::make_unique<Hooks>(); });
  return true;
}();

}  // namespace
}  // namespace fake
