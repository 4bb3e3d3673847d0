// What DJL asks of CUDA's runtime library, by JNA and before it loads libtorch.
#include "fake_devices.h"

#include <cstddef>

extern "C" {

int cudaGetDeviceCount(int* count) {
  *count = fake::visible_devices();
  return *count == 0 ? 100 : 0;  // cudaErrorNoDevice
}

int cudaRuntimeGetVersion(int* version) {
  *version = 12080;
  return 0;
}

int cudaDeviceGetAttribute(int* value, int, int) {
  *value = 9;
  return 0;
}

int cudaMemGetInfo(size_t* free, size_t* total) {
  *free = *total = size_t{8} << 30;
  return 0;
}

int cudaSetDevice(int device) {
  return device < fake::visible_devices() ? 0 : 101;  // cudaErrorInvalidDevice
}

int cudaGetDevice(int* device) {
  *device = 0;
  return 0;
}

const char* cudaGetErrorString(int) {
  return "fake";
}

}  // extern "C"
