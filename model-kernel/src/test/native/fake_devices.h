// How many devices there are, for the backend and for CUDA's runtime library.
#pragma once

#include <cstdlib>

namespace fake {

// Two, or those of them that CUDA_VISIBLE_DEVICES lists; the list ends at the first that does not exist, as CUDA's does.
inline int visible_devices() {
  constexpr int kDevices = 2;
  const char* list = std::getenv("CUDA_VISIBLE_DEVICES");
  if (list == nullptr) {
    return kDevices;
  }
  int count = 0;
  for (const char* entry = list; *entry >= '0' && *entry < '0' + kDevices; entry += 2) {
    count++;
    if (entry[1] != ',') {
      break;
    }
  }
  return count;
}

}  // namespace fake
