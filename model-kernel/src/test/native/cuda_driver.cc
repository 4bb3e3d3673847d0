// What GpuCheck asks of the NVIDIA driver, by JNA.
#include "fake_devices.h"

#include <cstddef>
#include <cstdio>

namespace {

constexpr int kInvalidDevice = 101;
constexpr int kFirstHandle = 70;  // a handle need not be the device's number

bool exists(int handle) {
  return handle >= kFirstHandle && handle < kFirstHandle + fake::visible_devices();
}

}  // namespace

extern "C" {

int cuInit(unsigned int) {
  return fake::visible_devices() == 0 ? 100 : 0;  // CUDA_ERROR_NO_DEVICE
}

int cuDriverGetVersion(int* version) {
  *version = 12080;
  return 0;
}

int cuDeviceGet(int* device, int index) {
  *device = kFirstHandle + index;
  return exists(*device) ? 0 : kInvalidDevice;
}

int cuDeviceGetName(char* name, int length, int device) {
  std::snprintf(name, length, "Fake GPU %d", device - kFirstHandle);
  return exists(device) ? 0 : kInvalidDevice;
}

int cuDeviceTotalMem_v2(size_t* bytes, int device) {
  *bytes = size_t{8} << 30;
  return exists(device) ? 0 : kInvalidDevice;
}

int cuDeviceGetAttribute(int* value, int attribute, int device) {
  *value = attribute == 75 ? 9 : 0;  // the major part of the compute capability
  return exists(device) ? 0 : kInvalidDevice;
}

int cuDeviceGetPCIBusId(char* id, int length, int device) {
  std::snprintf(id, length, "0000:%02X:00.0", device - kFirstHandle);
  return exists(device) ? 0 : kInvalidDevice;
}

}  // extern "C"
