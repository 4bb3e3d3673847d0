// Memory of the devices: of the host, behind addresses that no host code can read or write.
#pragma once

#include <c10/core/Allocator.h>

#include <cstdint>

namespace fake {

// Sets a bit of an address that makes it non-canonical; clears it.
void* tag(void* host);
void* untag(const void* device);

// The device that a thread allocates memory on.
extern thread_local c10::DeviceIndex current;

c10::Allocator& device_allocator();

// Pinned memory of the host, which Gloo stages tensors of a device through.
c10::Allocator& pinned_allocator();
bool is_pinned(const void* data);

}  // namespace fake
