#include "fake_memory.h"

#include <c10/util/Exception.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <mutex>

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

thread_local c10::DeviceIndex current = 0;

namespace {

constexpr int kMostDevices = 16;
constexpr uintptr_t kTag = uintptr_t{1} << 62;

}  // namespace

void* tag(void* host) {
  return host == nullptr ? nullptr : reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(host) | kTag);
}

void* untag(const void* device) {
  return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(device) & ~kTag);
}

namespace {

int64_t limit_of_environment() {
  const char* bytes = std::getenv("FAKE_CUDA_MEMORY");
  return bytes == nullptr ? std::numeric_limits<int64_t>::max() : std::atoll(bytes);
}

std::atomic<int64_t> memory_limit{limit_of_environment()}; // of each device, in bytes
std::array<std::atomic<int64_t>, kMostDevices> allocated{};
std::array<std::atomic<int64_t>, kMostDevices> allocations{};

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
    allocations[device.index()]++;
    void* memory = aligned(bytes);
    return {tag(memory), new Block{memory, wanted, device.index()}, &Block::free, device};
  }

  c10::DeleterFnPtr raw_deleter() const override { return nullptr; }

  void copy_data(void* to, const void* from, size_t bytes) const override { std::memcpy(untag(to), untag(from), bytes); }
};

DeviceAllocator on_device;
REGISTER_ALLOCATOR(c10::kCUDA, &on_device);

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

PinnedAllocator pinned;

}  // namespace

c10::Allocator& device_allocator() {
  return on_device;
}

c10::Allocator& pinned_allocator() {
  return pinned;
}

bool is_pinned(const void* data) {
  return PinnedAllocator::holds(data);
}

}  // namespace fake

extern "C" {

int64_t fakeCudaAllocated(int device) {
  return fake::allocated[device];
}

int64_t fakeCudaAllocations(int device) {
  return fake::allocations[device];
}

void fakeCudaLimitMemory(int64_t bytes) {
  fake::memory_limit = bytes;
}

}  // extern "C"
